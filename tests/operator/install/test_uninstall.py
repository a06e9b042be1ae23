"""What is left when prodeval goes: with the CRD all resources go, with the overlay that keeps it none."""

import pytest
import yaml

from demo.apiserver import KubectlError, api_server
from tests.operator.harness import until
from tests.operator.install.rendering import TEAMS

CRD = "customresourcedefinition.apiextensions.k8s.io/productionevaluations.prodeval.dev"
RESOURCE = "productionevaluation.prodeval.dev/helloservice"
FOUND = ("get", "-o=name", "--ignore-not-found", "-lapp.kubernetes.io/name=prodeval", "--all-namespaces")


@pytest.fixture(scope="module")
def used(tools, tmp_path_factory):
    """A cluster where prodeval is installed, with a resource that has a status."""
    folder = tmp_path_factory.mktemp("uninstall")
    with api_server(tools, folder / "kubernetes", folder / "logs") as server:
        for name in ("keptn", TEAMS[0]):
            server.kubectl("create", "namespace", name)
        server.kubectl("apply", "-k", "examples/install/cluster-wide")
        server.kubectl("wait", "--for=condition=Established", CRD, "--timeout=30s")
        server.kubectl("apply", "-n", TEAMS[0], "-f", "examples/helloservice.yaml")
        patch = '--patch={"status": {"verdict": "Pass"}}'
        server.kubectl("patch", RESOURCE, "-n", TEAMS[0], "--subresource=status", "--type=merge", patch)
        yield server


def installed(api):
    """Objects with our label, by kind and name; a namespace waits for a controller that is not here."""
    kinds = "deployments,serviceaccounts,configmaps,roles,rolebindings,clusterroles,clusterrolebindings,crds"
    return api.kubectl(*FOUND[:1], kinds, *FOUND[1:]).split()


def test_the_overlay_leaves_out_the_crd_and_nothing_else(used):
    whole, rest = (
        list(yaml.safe_load_all(used.kubectl("kustomize", f"examples/install/{name}")))
        for name in ("cluster-wide", "keep-crd")
    )
    assert [one["kind"] for one in whole if one not in rest] == ["CustomResourceDefinition"]


def test_with_the_overlay_the_resources_stay_as_they_are(used):
    assert len(installed(used)) > 1
    used.kubectl("delete", "-k", "examples/install/keep-crd", "--wait=false")
    assert installed(used) == [CRD]
    assert used.kubectl("get", RESOURCE, "-n", TEAMS[0], "-o=jsonpath={.status.verdict}") == "Pass"


def test_with_the_crd_all_resources_go(used):
    used.kubectl("delete", "-k", "examples/install/cluster-wide", "--ignore-not-found", "--wait=false")
    until(lambda: installed(used) == [])
    with pytest.raises(KubectlError, match="the server doesn't have a resource type"):
        used.kubectl("get", RESOURCE, "-n", TEAMS[0])
