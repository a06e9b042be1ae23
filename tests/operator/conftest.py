import itertools
import json
from contextlib import ExitStack

import pytest

from tests.operator.harness import CREDENTIALS_NAMESPACE, KEPTN_TOKEN, NOWHERE, Team, namespace, secret, until


@pytest.fixture(scope="session")
def cluster(apiserver):
    """An API server that serves our kind."""
    apiserver.kubectl("apply", "--server-side", "-f", "crds/productionevaluations.yaml")
    established = "--output=jsonpath={.status.conditions[?(@.type=='Established')].status}"
    # `kubectl wait` fails while there are no conditions at all.
    until(lambda: apiserver.kubectl("get", "crd", "productionevaluations.prodeval.dev", established) == "True")
    return apiserver


@pytest.fixture(scope="session")
def installed(cluster):
    """A cluster with the operator's ServiceAccount and rights as deploy/ has them, and Keptn's API token."""
    token = secret("keptn-api-token", {"keptn-api-token": KEPTN_TOKEN})
    for body in (namespace(CREDENTIALS_NAMESPACE), token):
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    cluster.kubectl("apply", "-f", "deploy/namespace.yaml")
    cluster.kubectl("apply", "-n", "prodeval", "-f", "deploy/service-account.yaml")
    cluster.kubectl("apply", "-f", "deploy/rbac.yaml", "-f", "deploy/credentials-role.yaml")
    return cluster


@pytest.fixture(scope="session")
def namespaces():
    """Names that nobody has used yet."""
    return (f"team-{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def new_team(installed, namespaces, gitserver, tmp_path_factory):
    """Make a team with its own namespace, and its own Git server unless one is given; `projects` as in the config."""
    with ExitStack() as running:

        def make(projects, *, keptn_url=NOWHERE, git=None):
            name = next(namespaces)
            installed.kubectl("create", "namespace", name)
            team = Team(installed, name, git or gitserver(), keptn_url, tmp_path_factory.mktemp(name))
            team.grant(projects)
            running.callback(team.stop)
            return team

        yield make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show what the operators of a failed test wrote."""
    report = yield
    if report.failed:
        teams = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Team)]
        report.sections += [(f"operator in {team.namespace}", team.log[-8000:]) for team in teams]
    return report
