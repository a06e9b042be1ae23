"""What release 0.1.0 stored, given to an API server that serves the CRD of today."""

import json

import pytest

from tests.support.upgrade import rows

NAMESPACE = "upgrade"


@pytest.fixture(scope="module")
def stored(cluster):
    """Each resource as it comes back, by name."""
    cluster.kubectl("create", "namespace", NAMESPACE)
    bodies = [bare(row.resource) for row in rows()]
    wanted = [{key: value for key, value in body.items() if key != "status"} for body in bodies]
    write(cluster, wanted, "apply", "--validate=strict")
    # As the API server does when it reads what was stored under an older schema: what is unknown falls away.
    write(cluster, bodies, "replace", "--subresource=status", "--validate=ignore")
    items = json.loads(cluster.kubectl("get", "prodevals", "--namespace", NAMESPACE, "--output=json"))["items"]
    return {item["metadata"]["name"]: item for item in items}


def bare(resource):
    """The resource without what the API server alone sets."""
    return {**resource, "metadata": {"name": resource["metadata"]["name"], "namespace": NAMESPACE}}


def write(cluster, bodies, *command):
    cluster.kubectl(*command, "--filename=-", stdin="\n".join(map(json.dumps, bodies)))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.row)
def test_nothing_of_it_is_refused_and_only_kopfs_notes_are_pruned(stored, row):
    assert stored[row.row]["spec"] == row.resource["spec"]
    assert stored[row.row]["status"] == {name: value for name, value in row.status.items() if name != "kopf"}
