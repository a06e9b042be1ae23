import pytest


@pytest.fixture(scope="session")
def cluster(apiserver):
    """An API server that serves our kind."""
    apiserver.kubectl("apply", "--server-side", "-f", "crds/productionevaluations.yaml")
    apiserver.kubectl("wait", "--for=condition=Established", "crd/productionevaluations.prodeval.dev", "--timeout=30s")
    return apiserver
