"""A verdict is earned: what is taken away from the story takes the verdict away.

One project for each case, all at once on one Keptn; one more Keptn has lost its Prometheus.
"""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from demo import loopback
from demo.gitserver import git_server
from demo.installation import KEPTN_TOKEN, OperatorSettings, install, operator, put_git_credentials
from demo.keptn.deliver import deliver, delivery
from demo.keptn.engine import Settings
from demo.keptn.server import demo_keptn
from demo.keptn.services import read_services
from demo.prometheus import Target
from demo.upstream import create_upstream
from prodeval.adapters.keptn import KeptnClient
from tests.operator.harness import commit, show, until

SERVICE = "helloservice"
DELAYS = {"slow": 0.8, "faster": 0.1, "no-load": 0.0, "no-evaluation": 0.0, "no-prometheus": 0.0}
"""How long the delivered build takes to answer in production, in seconds, by project."""
WITHOUT_PROMETHEUS = "no-prometheus"
SECONDS = 240.0
EVALUATION = """            - name: "evaluation"
              properties:
                timeframe: "1m"
"""
pytestmark = pytest.mark.timeout(400)


def services_file(folder):
    """One instance for each project, in production."""
    entries = []
    for (project, delay), port in zip(DELAYS.items(), loopback.free_ports(len(DELAYS)), strict=True):
        arguments = [f"--project={project}", "--stage=production", f"--service={SERVICE}", f"--port={port}"]
        entries.append(
            {
                "project": project,
                "stage": "production",
                "service": SERVICE,
                "url": f"http://127.0.0.1:{port}",
                "ready": "/version",
                "restart": [
                    sys.executable,
                    "-m",
                    "demo.helloservice",
                    "--version={version}",
                    f"--delay={delay}",
                    *arguments,
                ],
            }
        )
    path = folder / "services.json"
    path.write_text(json.dumps(entries))
    return path


@dataclass(frozen=True)
class Gate:
    """One project with its resource."""

    api: object
    git: object
    keptn: object
    project: str

    @property
    def namespace(self):
        return namespace_of(self.project)

    def apply(self):
        body = {
            "apiVersion": "prodeval.dev/v1alpha1",
            "kind": "ProductionEvaluation",
            "metadata": {"name": self.project, "namespace": self.namespace},
            "spec": {"project": self.project, "service": SERVICE},
        }
        self.api.kubectl("apply", "-f", "-", stdin=json.dumps(body))
        wait = ("--for=condition=Synced", "--timeout=60s")
        self.api.kubectl("wait", "-n", self.namespace, f"prodeval/{self.project}", *wait)

    def deliver(self):
        target = (self.project, "production", SERVICE)
        body = delivery(target, "registry.example.com/hello", "v1")
        body["data"]["result"] = "pass"
        deliver(self.keptn.url, KEPTN_TOKEN, body)

    def status(self):
        found = self.api.kubectl("get", "prodeval", "-n", self.namespace, self.project, "-o", "json")
        return json.loads(found)["status"]

    def passed(self):
        return next(one for one in self.status()["conditions"] if one["type"] == "Passed")

    def finished(self):
        """Whether the delivery came to its end in Keptn."""
        client = KeptnClient(self.keptn.url, lambda: KEPTN_TOKEN)
        states = [one.state for one in client.sequence_executions(self.project)]
        client.close()
        return bool(states) and set(states) == {"finished"}

    def verdict(self):
        return until(lambda: (status := self.status())["verdict"] != "Pending" and status, SECONDS)

    def edit(self, branch, path, old, new):
        """Change the last place of a text in a file of the upstream, as a person would."""
        repository = self.git.root / f"{self.project}.git"
        head, found, tail = show(repository, branch, path).rpartition(old)
        assert found
        commit(repository, branch, {path: head + new + tail})


def namespace_of(project):
    return "earned-unmeasured" if project == WITHOUT_PROMETHEUS else "earned"


@contextmanager
def gates(apiserver, prometheus, folder, logs):
    with ExitStack() as stack:
        upstreams = stack.enter_context(git_server(folder / "git"))
        for project in DELAYS:
            create_upstream(upstreams, project)
        services = read_services(services_file(folder), logs)
        stack.callback(services.end)
        prometheus.scrape(
            Target("-".join(target), services.url(target).removeprefix("http://")) for target in services.targets()
        )
        install(apiserver, "earned", "earned-unmeasured")
        keptns = {}
        for namespace, measured_by in (("earned", prometheus.url), ("earned-unmeasured", "http://127.0.0.1:9")):
            settings = Settings(services, measured_by, logs)
            run = demo_keptn(upstreams.authenticated_url_of, settings, token=KEPTN_TOKEN)
            keptns[namespace] = stack.enter_context(run)
            grants = {project: [namespace] for project in DELAYS if namespace_of(project) == namespace}
            for project in grants:
                put_git_credentials(apiserver, upstreams, project)
            wanted = OperatorSettings(keptns[namespace].url, grants, ["--namespace", namespace])
            stack.enter_context(operator(apiserver, wanted, folder / namespace, logs))
        yield {project: Gate(apiserver, upstreams, keptns[namespace_of(project)], project) for project in DELAYS}


@pytest.fixture(scope="module")
def delivered(apiserver, prometheus, tmp_path_factory, logs) -> Iterator[dict[str, Gate]]:
    """All projects, synced, changed by hand where the case wants it, and delivered to."""
    with gates(apiserver, prometheus, tmp_path_factory.mktemp("earned"), logs) as cases:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Gate.apply, cases.values()))
        cases["no-evaluation"].edit("main", "shipyard.yaml", EVALUATION, "")
        cases["no-load"].edit("production", f"{SERVICE}/job/config.yaml", 'cmd: ["locust"]', 'cmd: ["true"]')
        for gate in cases.values():
            gate.deliver()
        yield cases


def test_the_slow_build_fails_and_the_objective_is_named(delivered):
    status = delivered["slow"].verdict()
    assert (status["verdict"], status["lastEvaluation"]["result"]) == ("Fail", "fail")
    assert "response_time_p95" in delivered["slow"].passed()["message"]


def test_with_its_delay_lowered_below_the_objective_it_passes(delivered):
    status = delivered["faster"].verdict()
    assert (status["verdict"], status["lastEvaluation"]["score"]) == ("Pass", "100")


def test_without_load_there_is_no_pass_and_the_reason_is_told(delivered):
    status = delivered["no-load"].verdict()
    assert status["verdict"] in {"Fail", "Inconclusive"}
    assert delivered["no-load"].passed()["message"]


def test_without_prometheus_there_is_no_pass_and_the_reason_is_told(delivered):
    gate = delivered[WITHOUT_PROMETHEUS]
    assert gate.verdict()["verdict"] == "Fail"
    assert "was not measured" in gate.passed()["message"]


def test_without_the_evaluation_in_the_shipyard_no_verdict_comes(delivered):
    gate = delivered["no-evaluation"]
    until(gate.finished, SECONDS)
    delivered["slow"].verdict()
    assert gate.status()["verdict"] == "Pending"
    assert gate.passed()["reason"] == "AwaitingDelivery"
