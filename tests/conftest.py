"""The local world's servers, one of each for the whole run."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.apiserver import ApiServer, api_server
from demo.gitserver import GitServer, git_server
from demo.prometheus import Prometheus
from demo.prometheus import prometheus as run_prometheus
from demo.tools import build
from tests.image import builder, container


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, and loudly, what a run without the built programs leaves untested."""
    missing = ", ".join(build.missing())
    if missing:
        terminalreporter.write_line(
            f"NOT BUILT: {missing}. ALL TESTS THAT NEED THEM WERE LEFT OUT: RUN `make tools`", red=True
        )


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder with etcd, kube-apiserver, kubectl, prometheus, kstatus and keptn-decode."""
    missing = ", ".join(build.missing())
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not built: {missing}. Run `make tools` before the tests", pytrace=False)
    if missing:
        pytest.skip("needs `make tools`")
    return build.directory()


@pytest.fixture(scope="session")
def image() -> Iterator[container.Image]:
    """The image that the Dockerfile makes of this checkout, built for this run."""
    missing = builder.missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"no image can be built: {missing}. Run `make builder` before the tests", pytrace=False)
    if missing:
        pytest.skip(f"needs `make builder`: {missing}")
    tag = f"localhost/prodeval:{os.getpid()}"
    builder.build(tag)
    try:
        with container.image(tag) as built:
            yield built
    finally:
        builder.buildah("rmi", tag)


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the logs of all servers."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def apiserver(tools: Path, logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A Kubernetes API server without any custom resource definition."""
    with api_server(tools, tmp_path_factory.mktemp("apiserver"), logs) as server:
        yield server


@pytest.fixture(scope="session")
def kubectl(apiserver: ApiServer) -> Callable[..., str]:
    """Run kubectl as the administrator: `kubectl("get", "pods", stdin=...)`; KubectlError if it fails."""
    return apiserver.kubectl


@pytest.fixture(scope="session")
def gitserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., GitServer]]:
    """Start a Git server of one's own; the arguments are those of `git_server` but for the folder."""
    with ExitStack() as servers:

        def start(**options: object) -> GitServer:
            return servers.enter_context(git_server(tmp_path_factory.mktemp("git"), **options))

        yield start


@pytest.fixture(scope="session")
def prometheus(tools: Path, logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that scrapes nothing until `scrape` tells it to."""
    with run_prometheus(tools, tmp_path_factory.mktemp("prometheus"), logs) as server:
        yield server
