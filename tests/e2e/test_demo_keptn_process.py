"""The demo Keptn as a process, with the local world's own upstream and a real locust."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo import loopback
from demo.gitserver import git_server
from demo.processes import Child, running, wait_until
from demo.upstream import create_upstream
from tests.e2e.keptn_stories import until


@pytest.fixture
def ports() -> dict[str, int]:
    return dict(zip(("keptn", "qa", "production"), loopback.free_ports(3), strict=True))


@pytest.fixture
def keptn(ports: dict[str, int], tmp_path: Path) -> Iterator[Child]:
    """`python -m demo.keptn`; evaluations have no SLI provider."""
    services = tmp_path / "services.json"
    services.write_text(json.dumps([entry(stage, ports[stage]) for stage in ("qa", "production")]))
    with ExitStack() as servers:
        git = servers.enter_context(git_server(tmp_path / "git"))
        create_upstream(git, run_time="2s")
        base = git.authenticated_url_of("fulltour").removesuffix("/fulltour.git")
        command = [
            *(sys.executable, "-m", "demo.keptn", f"--port={ports['keptn']}", "--token=a-token", "--no-sli-provider"),
            *(f"--upstream-base-url={base}", f"--services={services}", f"--logs={tmp_path / 'logs'}"),
        ]
        child = servers.enter_context(running(command, name="keptn", logs=tmp_path / "logs"))
        # Without a token the API itself answers, too.
        wait_until(lambda: status(ports["keptn"]) == 401, child)
        yield child


def entry(stage: str, port: int) -> dict[str, object]:
    arguments = ["--project=fulltour", f"--stage={stage}", "--service=helloservice", f"--port={port}"]
    restart = [sys.executable, "-m", "demo.helloservice", "--version={version}", *arguments]
    names = {"project": "fulltour", "stage": stage, "service": "helloservice"}
    return {**names, "url": f"http://127.0.0.1:{port}", "ready": "/version", "restart": restart}


def status(port: int) -> int:
    try:
        return loopback.request("GET", f"http://127.0.0.1:{port}/api/v1/metadata").status_code
    except OSError:
        return 0


def version(port: int) -> str:
    try:
        return loopback.request("GET", f"http://127.0.0.1:{port}/version").text
    except OSError:
        return ""


def deliver(port: int, token: str = "a-token") -> subprocess.CompletedProcess[str]:
    command = [
        *(sys.executable, "-m", "demo.keptn.deliver", f"--url=http://127.0.0.1:{port}/api", f"--token={token}"),
        *("--project=fulltour", "--service=helloservice", "--image=ghcr.io/podtato-head/podtatoserver"),
        "--version=v0.1.1",
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def children(pid: int) -> dict[int, str]:
    """The command lines of the processes that a process has started and that still run."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_text()
        except OSError:  # it has just ended
            continue
        if int(parent) == pid and state != "Z":
            found[int(folder.name)] = command
    return found


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_delivery_by_command_reaches_production_and_sigterm_ends_all(keptn: Child, ports: dict[str, int]):
    context = deliver(ports["keptn"])
    assert context.returncode == 0, context.stderr
    until(lambda: version(ports["production"]) == "v0.1.1")
    assert "Aggregated" in next(keptn.log.parent.glob("fulltour-qa-helloservice-je-test-*.log")).read_text()
    services = children(keptn.pid)
    assert len(services) == 2

    keptn.popen.send_signal(signal.SIGTERM)

    assert keptn.popen.wait(30) == 0
    assert not any(map(runs, services))


def test_a_load_test_under_way_ends_with_a_keptn_that_is_killed(keptn: Child, ports: dict[str, int]):
    deliver(ports["keptn"])
    until(lambda: any("locust" in command for command in children(keptn.pid).values()))
    started = children(keptn.pid)

    os.kill(keptn.pid, signal.SIGKILL)
    keptn.popen.wait()

    until(lambda: not any(map(runs, started)))


def test_a_refused_delivery_says_so(keptn: Child, ports: dict[str, int]):
    refused = deliver(ports["keptn"], token="wrong")

    assert refused.returncode == 1
    assert "did not take the delivery: 401" in refused.stderr


def test_a_project_without_upstream_is_named_at_once(tmp_path: Path):
    services = tmp_path / "services.json"
    services.write_text(json.dumps([entry("qa", 1)]))
    command = [
        *(sys.executable, "-m", "demo.keptn", "--token=a-token", "--no-sli-provider"),
        *("--upstream-base-url=http://keptn:secret@127.0.0.1:9", f"--services={services}", f"--logs={tmp_path}"),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "has no usable upstream: git clone" in ended.stderr
    assert "secret" not in ended.stderr
