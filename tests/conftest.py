"""The local world's servers, one of each for the whole run."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from demo.apiserver import ApiServer, api_server
from demo.tools import build


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder with etcd, kube-apiserver, kubectl, prometheus, kstatus and keptn-decode."""
    missing = ", ".join(build.missing())
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not built: {missing}. Run `make tools` before the tests", pytrace=False)
    if missing:
        pytest.skip(f"NOT TESTED, NOT BUILT: {missing}. RUN `make tools`")
    return build.directory()


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
