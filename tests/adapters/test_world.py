"""The servers that the other tests stand on do what those tests take for granted."""

import gzip
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
from demo.gitserver import ISOLATION, GitServer, git
from demo.helloservice import Behaviour
from demo.processes import ServerError, running, start, stop, wait_until
from demo.prometheus import Prometheus
from demo.upstream import FILES, create_upstream


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


def run_git(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    identity = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return subprocess.run(
        ["git", *arguments],
        env=os.environ | ISOLATION | identity | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def push_a_file(server: GitServer, work: Path, size: int = 10, **environment: str) -> subprocess.CompletedProcess[str]:
    """Clone `project`, add a file of random bytes, push it to main."""
    assert run_git("clone", server.authenticated_url_of("project"), str(work), **environment).returncode == 0
    (work / "file").write_bytes(os.urandom(size))
    run_git("-C", str(work), "add", "file")
    run_git("-C", str(work), "commit", "--message=file")
    return run_git("-C", str(work), "push", "origin", "HEAD:main", **environment)


class TestGitServer:
    def test_a_push_arrives_and_is_in_the_log(self, gitserver: Callable[..., GitServer], tmp_path: Path):
        server = gitserver()
        folder = server.create("project")

        pushed = push_a_file(server, tmp_path / "work")

        assert pushed.returncode == 0, pushed.stderr
        assert git("-C", str(folder), "show", "--format=", "--name-only", "main") == "file\n"
        last = server.requests[-1]
        assert (last.method, last.path, last.status) == ("POST", "/project.git/git-receive-pack", 200)
        assert min(last.received, last.sent) > 0

    def test_a_chunked_body_arrives_whole(self, gitserver: Callable[..., GitServer], tmp_path: Path):
        server = gitserver()
        folder = server.create("project")

        pushed = push_a_file(server, tmp_path / "work", size=3_000_000)

        assert pushed.returncode == 0, pushed.stderr
        assert git("-C", str(folder), "cat-file", "-s", "main:file") == "3000000\n"

    def test_without_the_password_nothing_is_read(self, gitserver: Callable[..., GitServer]):
        server = gitserver()
        server.create("project")

        assert "could not read Username" in run_git("ls-remote", server.url_of("project")).stderr
        assert [request.status for request in server.requests] == [401]

    def test_a_partial_clone_over_protocol_2_leaves_the_contents_out(
        self, gitserver: Callable[..., GitServer], tmp_path: Path
    ):
        server = gitserver()
        server.create("project")
        push_a_file(server, tmp_path / "work")
        partial = ["clone", "--filter=blob:none", "--no-checkout", server.authenticated_url_of("project")]

        cloned = run_git("-c", "protocol.version=2", *partial, str(tmp_path / "partial"), GIT_TRACE_PACKET="1")

        assert "git< version 2" in cloned.stderr
        missing = git("-C", str(tmp_path / "partial"), "rev-list", "--objects", "--missing=print", "HEAD")
        assert sum(line.startswith("?") for line in missing.splitlines()) == 1

    def test_a_gzipped_body_is_understood(self, gitserver: Callable[..., GitServer]):
        server = gitserver()
        create_upstream(server)

        answer = requests.post(
            f"{server.url_of('fulltour')}/git-upload-pack",
            data=gzip.compress(b"0014command=ls-refs\n0001001cref-prefix refs/heads/qa0000"),
            headers={
                "Content-Type": "application/x-git-upload-pack-request",
                "Content-Encoding": "gzip",
                "Git-Protocol": "version=2",
            },
            auth=(server.user, server.password),
            timeout=10,
        )

        assert answer.text.endswith(" refs/heads/qa\n0000")

    def test_over_tls_the_server_shows_a_certificate_of_its_own_authority(
        self, gitserver: Callable[..., GitServer], tmp_path: Path
    ):
        server = gitserver(tls=True)
        server.create("project")

        assert "certificate" in run_git("ls-remote", server.authenticated_url_of("project")).stderr
        assert push_a_file(server, tmp_path / "work", GIT_SSL_CAINFO=str(server.ca_file)).returncode == 0

    def test_an_accepted_push_is_reported_once_and_a_declined_one_never(
        self, gitserver: Callable[..., GitServer], tmp_path: Path
    ):
        accepted: list[str] = []
        server = gitserver(accepted=lambda: accepted.append("push"))
        folder = server.create("project")
        hook = folder / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\necho declined by the hook\nexit 1\n")
        hook.chmod(0o755)

        declined = push_a_file(server, tmp_path / "declined")
        assert "declined by the hook" in declined.stderr
        assert accepted == []

        hook.unlink()
        assert push_a_file(server, tmp_path / "accepted").returncode == 0
        assert accepted == ["push"]

    def test_the_answer_to_an_accepted_push_can_be_lost(self, gitserver: Callable[..., GitServer], tmp_path: Path):
        def cut() -> None:
            raise ConnectionAbortedError

        server = gitserver(accepted=cut)
        folder = server.create("project")

        assert push_a_file(server, tmp_path / "work").returncode != 0
        assert git("-C", str(folder), "show", "--format=", "--name-only", "main") == "file\n"


@pytest.fixture(scope="module")
def upstream(gitserver: Callable[..., GitServer]) -> str:
    return str(create_upstream(gitserver(), timeframe="2m", run_time="7s"))


class TestUpstream:
    def test_a_branch_for_each_stage_is_cut_from_the_default_branch(self, upstream: str):
        assert git("-C", upstream, "symbolic-ref", "HEAD") == "refs/heads/main\n"
        assert git("-C", upstream, "branch", "--format=%(refname:short)").split() == ["main", "production", "qa"]
        assert git("-C", upstream, "merge-base", "main", "qa") == git(
            "-C", upstream, "merge-base", "main", "production"
        )

    def test_qa_has_a_gate_and_production_has_none(self, upstream: str):
        assert files(upstream, "main") == ["metadata.yaml", "shipyard.yaml"]
        deployed = ["helloservice/job/config.yaml", "helloservice/metadata.yaml", "metadata.yaml"]
        assert files(upstream, "production") == deployed
        gate = {
            f"helloservice/{path}"
            for path in ("slo.yaml", "prometheus/sli.yaml", "locust/basic.py", "locust/locust.conf")
        }
        assert set(files(upstream, "qa")) == gate | set(deployed)
        shipyard = yaml.safe_load(git("-C", upstream, "show", "main:shipyard.yaml"))
        tasks = {
            stage["name"]: [task["name"] for task in stage["sequences"][0]["tasks"]]
            for stage in shipyard["spec"]["stages"]
        }
        assert tasks == {"qa": ["je-deployment", "je-test", "evaluation"], "production": ["approval", "je-deployment"]}

    def test_the_history_is_keptns(self, upstream: str):
        subjects = git("-C", upstream, "log", "--format=%an: %s", "--reverse", "production").splitlines()

        assert subjects == [
            "keptn: init git empty repo",
            "keptn: initialized project",
            "keptn: created stage",
            "keptn: Added service: helloservice",
            "keptn: Updated resource",
        ]

    def test_durations_are_as_asked(self, upstream: str):
        assert 'timeframe: "2m"' in git("-C", upstream, "show", "main:shipyard.yaml")
        assert "run-time = 7s" in git("-C", upstream, "show", "qa:helloservice/locust/locust.conf")


def files(upstream: str, branch: str) -> list[str]:
    return git("-C", upstream, "ls-tree", "-r", "--name-only", branch).splitlines()


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
