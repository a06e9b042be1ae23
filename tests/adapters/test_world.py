"""The servers that the other tests stand on do what those tests take for granted."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import yaml

from demo import loopback
from demo.apiserver import ApiServer, KubectlError
from demo.deployments import Deployments, deployments
from demo.helloservice import Behaviour
from demo.processes import ServerError, running, start, stop, wait_until
from demo.prometheus import Prometheus
from demo.upstream import FILES


class TestApiServer:
    def test_kubectl_reads_what_it_wrote(self, kubectl: Callable[..., str]):
        kubectl("create", "configmap", "written", "--from-literal=key=value")

        assert kubectl("get", "configmap", "written", "-o", "jsonpath={.data.key}") == "value"

    def test_a_service_account_may_do_only_what_its_role_says_and_the_audit_log_has_both(
        self, apiserver: ApiServer, kubectl: Callable[..., str], tmp_path: Path
    ):
        kubectl("create", "serviceaccount", "reader")
        kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
        kubectl("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:reader")
        reader = apiserver.service_account_kubeconfig(tmp_path / "kubeconfig", "default", "reader")

        kubectl("get", "configmaps", kubeconfig=reader)
        with pytest.raises(KubectlError, match="forbidden"):
            kubectl("get", "secrets", kubeconfig=reader)

        assert answers_to("system:serviceaccount:default:reader", apiserver) == {("configmaps", 200), ("secrets", 403)}

    def test_the_certificate_is_verified(self, apiserver: ApiServer):
        with pytest.raises(requests.exceptions.SSLError):
            loopback.request("GET", f"{apiserver.url}/readyz")


def answers_to(user: str, apiserver: ApiServer) -> set[tuple[str, int]]:
    """What the audit log has of a user: resource and status code."""
    events = map(json.loads, apiserver.audit_log.read_text().splitlines())
    return {
        (event["objectRef"]["resource"], event["responseStatus"]["code"])
        for event in events
        if event["user"]["username"] == user and "objectRef" in event
    }


@pytest.fixture(scope="module")
def service(logs: Path) -> Iterator[Deployments]:
    builds = {"v0.1.2": {"production": Behaviour(delay=0.1, error_rate=1.0)}}
    with deployments(logs, ["qa", "production"], builds=builds) as made:
        yield made


class TestHelloService:
    def test_a_deployment_changes_the_version_and_keeps_the_address(self, service: Deployments):
        address = service.url("qa")
        service.deploy("qa", "v0.1.1")
        service.deploy("qa", "v0.1.2")

        assert loopback.request("GET", f"{address}/version").text == "v0.1.2"
        assert service.version("qa") == "v0.1.2"

    def test_a_build_can_be_bad_in_production_only(self, service: Deployments):
        for stage in ("qa", "production"):
            service.deploy(stage, "v0.1.2")

        statuses = [loopback.request("GET", service.url(stage)).status_code for stage in ("qa", "production")]

        assert statuses == [200, 500]
        assert metric(service, "production", "http_request_duration_seconds_sum") >= 0.1

    def test_each_indicator_has_one_value_under_the_load_of_the_locust_file(
        self, service: Deployments, prometheus: Prometheus, tmp_path: Path
    ):
        service.deploy("qa", "v0.1.1")
        prometheus.scrape(service.targets())
        indicators = yaml.safe_load((FILES / "prometheus" / "sli.yaml").read_text())["indicators"]
        load = [
            *(sys.executable, "-m", "locust", "--headless", "--only-summary"),
            *("--users=5", "--spawn-rate=5", "--run-time=60s"),
            *(f"--locustfile={FILES / 'locust' / 'basic.py'}", f"--host={service.url('qa')}"),
        ]

        with running(load, name="locust", logs=tmp_path) as locust:
            wait_until(lambda: prometheus.query(query(indicators["throughput"])) > [1.0], locust)
            values = {name: prometheus.query(query(expression)) for name, expression in indicators.items()}

        assert {name: len(value) for name, value in values.items()} == dict.fromkeys(indicators, 1)
        assert values["error_rate"] == [0.0]


def query(indicator: str) -> str:
    """Fill in an indicator's placeholders, for the stage qa."""
    values = {"PROJECT": "fulltour", "STAGE": "qa", "SERVICE": "helloservice", "DURATION_SECONDS": "60s"}
    for name, value in values.items():
        indicator = indicator.replace(f"${name}", value)
    return indicator


def metric(service: Deployments, stage: str, name: str) -> float:
    lines = loopback.request("GET", f"{service.url(stage)}/metrics").text.splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def wait_for_end(pid: int) -> bool:
    """Wait until a process that need not be a child of ours has ended; at most a minute."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 60)[0])
    finally:
        os.close(process)


class TestProcesses:
    def test_children_end_with_a_parent_that_is_killed(self, tmp_path: Path):
        program = (
            "import sys, time, pathlib; from demo.processes import start;"
            "child = start(['sleep', '600'], name='sleeper', logs=pathlib.Path(sys.argv[1]));"
            "print(child.pid, flush=True); time.sleep(600)"
        )
        command = [sys.executable, "-c", program, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
            child = int(parent.stdout.readline())
            os.kill(child, 0)
            parent.kill()

        assert wait_for_end(child)

    def test_stopping_ends_what_the_child_started_too(self, tmp_path: Path):
        child = start(["sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait"], name="family", logs=tmp_path)
        wait_until(lambda: child.log.read_text().endswith("\n"), child)

        stop(child, grace=0.1)

        assert child.popen.returncode == -signal.SIGKILL
        assert wait_for_end(int(child.log.read_text()))

    def test_a_server_that_ends_at_once_is_an_error_with_its_last_words(self, tmp_path: Path):
        with (
            running(["sh", "-c", "echo port is taken; exit 3"], name="server", logs=tmp_path) as child,
            pytest.raises(ServerError, match=r"server ended with 3, see .*server.log:\nport is taken"),
        ):
            wait_until(lambda: False, child)
