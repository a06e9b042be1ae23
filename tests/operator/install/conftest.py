"""A cluster of its own for deploy/: nothing of ours is there before."""

import pytest

from demo.apiserver import api_server
from tests.operator.install.rendering import TEAMS


@pytest.fixture(scope="package")
def api(tools, tmp_path_factory):
    """A new cluster with two namespaces of Keptns, two of teams, and nothing of ours."""
    folder = tmp_path_factory.mktemp("install")
    with api_server(tools, folder / "kubernetes", folder / "logs") as server:
        for name in ("keptn", "keptn-eu", *TEAMS):
            server.kubectl("create", "namespace", name)
        yield server


@pytest.fixture(scope="package")
def applied(api):
    """What kubectl says to each object, the first time and the second."""
    return [api.kubectl("apply", "-k", "deploy/").splitlines() for _ in range(2)]
