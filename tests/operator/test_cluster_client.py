"""The client of the Kubernetes API against a real one."""

import json

import pytest
from kubernetes.config import kube_config

from prodeval.adapters.cluster import Cluster
from prodeval.domain.errors import ClusterUnavailableError, DependencyNotReadyError, StatusRefusedError
from prodeval.domain.resource import GROUP, KIND, VERSION, ResourceKey
from tests.operator.frozen import FROZEN, frozen


@pytest.fixture
def connect(monkeypatch):
    """Make the client from a kubeconfig."""

    def make(kubeconfig):
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
        return Cluster()

    return make


@pytest.fixture
def team(cluster, namespaces):
    """A new namespace."""
    name = next(namespaces)
    cluster.kubectl("create", "namespace", name)
    return name


def apply(cluster, namespace, *names):
    for name in names:
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "metadata": {"namespace": namespace, "name": name},
            "spec": {"project": "p", "stage": "production", "service": name},
        }
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def write_again_and_again(client, key):
    """Until a new policy is in force, which takes a moment."""
    for generation in range(1000):
        version = client.read(key)["metadata"]["resourceVersion"]
        client.patch_status(key, {"observedGeneration": generation}, version)


def test_uids_are_those_of_the_objects(cluster, connect, team, namespaces):
    other = next(namespaces)
    cluster.kubectl("create", "namespace", other)
    apply(cluster, team, "web", "api")
    apply(cluster, other, "web")
    client = connect(cluster.kubeconfig)
    wanted = {name: client.read(ResourceKey(team, name))["metadata"]["uid"] for name in ("web", "api")}
    found = {key: one.uid for key, one in client.identities([team]).items()}
    assert found == {ResourceKey(team, name): uid for name, uid in wanted.items()}
    assert {key.namespace for key in client.identities([])} >= {team, other}
    assert {one["metadata"]["uid"] for one in client.resources([team])} == set(wanted.values())


def test_a_status_is_written_once_at_a_resource_version(cluster, connect, team):
    apply(cluster, team, "web")
    client, key = connect(cluster.kubeconfig), ResourceKey(team, "web")
    version = client.read(key)["metadata"]["resourceVersion"]
    written = client.patch_status(key, {"observedGeneration": 1}, version)
    assert written["status"]["observedGeneration"] == 1
    assert client.patch_status(key, {"observedGeneration": 2}, version) is None
    assert client.patch_status(ResourceKey(team, "gone"), {"observedGeneration": 1}, version) is None
    assert client.read(ResourceKey(team, "gone")) is None


def test_a_status_that_the_crd_forbids_is_refused_in_the_servers_words(cluster, connect, team):
    apply(cluster, team, "web")
    client, key = connect(cluster.kubeconfig), ResourceKey(team, "web")
    version = client.read(key)["metadata"]["resourceVersion"]
    with pytest.raises(StatusRefusedError, match=r"refused \(HTTP 422\): .*verdict"):
        client.patch_status(key, {"verdict": "Perhaps"}, version)


def test_a_status_that_a_policy_denies_is_refused_in_its_words(cluster, connect, team):
    apply(cluster, team, "web")
    client, key = connect(cluster.kubeconfig), ResourceKey(team, "web")
    with frozen(cluster, team), pytest.raises(StatusRefusedError, match=rf"\(HTTP 422\): .*{FROZEN}"):
        write_again_and_again(client, key)


def test_an_event_is_about_the_resource(cluster, connect, team):
    apply(cluster, team, "web")
    client = connect(cluster.kubeconfig)
    client.post_event(client.read(ResourceKey(team, "web")), "Warning", "Failed", "it is too slow")
    found = json.loads(cluster.kubectl("get", "events", "-n", team, "-o", "json"))["items"]
    assert [(one["type"], one["reason"], one["message"]) for one in found] == [("Warning", "Failed", "it is too slow")]
    assert "it is too slow" in cluster.kubectl("events", "-n", team, "--for", f"{KIND.lower()}/web")


def test_who_has_no_right_and_who_has_no_token(cluster, connect, team, tmp_path):
    cluster.kubectl("create", "serviceaccount", "nobody", "-n", team)
    powerless = connect(cluster.service_account_kubeconfig(tmp_path / "powerless", team, "nobody"))
    stranger = connect(cluster.write_kubeconfig(tmp_path / "stranger", "an old token"))
    for ask in (lambda client: client.identities([]), lambda client: client.secret(team, "git")):
        with pytest.raises(DependencyNotReadyError, match=r"HTTP 403"):
            ask(powerless)
        with pytest.raises(ClusterUnavailableError, match=r"refuses the operator's token \(HTTP 401\)"):
            ask(stranger)
    with pytest.raises(StatusRefusedError, match=r"\(HTTP 403\)"):
        powerless.patch_status(ResourceKey(team, "web"), {}, "1")
