"""What deploy/ asks for, and what the API server makes of it."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml

from demo.apiserver import KubectlError
from prodeval.config import Config, parse_config
from tests.operator.install.rendering import OVERLAYS, TEAMS, config, deployment, granted, of_kind, rendered

TEAM = TEAMS[0]
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
each_overlay = pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)


def test_applying_it_again_changes_nothing(applied):
    first, second = applied
    assert {line.rsplit(maxsplit=1)[1] for line in first} == {"created"}
    assert {line.rsplit(maxsplit=1)[1] for line in second} == {"unchanged"}


@pytest.mark.parametrize("folder", ["deploy", *OVERLAYS], ids=str)
def test_no_right_is_a_wildcard(api, folder):
    roles = of_kind(rendered(api, folder), "Role", "ClusterRole")
    assert "*" not in json.dumps([role["rules"] for role in roles])


def test_the_page_lists_all_rights(api):
    rows = re.findall(r"^\| `([a-z/]+)`: ([a-z, ]+) \|", Path("docs/install.md").read_text(), re.MULTILINE)
    listed = {(resource, verb) for resource, verbs in rows for verb in verbs.split(", ")}
    assert listed == {(resource, verb) for _, resource, verb in granted(rendered(api, "deploy"))}


def test_its_config_says_the_defaults(api):
    assert parse_config(yaml.safe_load(config(rendered(api, "deploy")))) == Config()


@pytest.fixture(scope="module")
def pod(api, applied):
    """The pod that the Deployment would make."""
    template = deployment(rendered(api, "deploy"))["spec"]["template"]
    metadata = template["metadata"] | {"name": "prodeval", "namespace": "prodeval"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def admit(api, pod):
    return json.loads(api.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(pod)))


def test_the_pod_is_admitted_under_the_restricted_profile_and_gets_its_token(api, pod):
    mounts = {mount["mountPath"] for mount in admit(api, pod)["spec"]["containers"][0]["volumeMounts"]}
    assert mounts == {"/etc/prodeval", "/var/run/secrets/kubernetes.io/serviceaccount"}


@pytest.mark.parametrize("field", ["runAsNonRoot", "seccompProfile", "allowPrivilegeEscalation", "capabilities"])
def test_the_restricted_profile_lets_nothing_of_its_hardening_go(api, pod, field):
    weaker = copy.deepcopy(pod)
    for holder in (weaker["spec"], weaker["spec"]["containers"][0]):
        holder["securityContext"].pop(field, None)
    with pytest.raises(KubectlError, match=f'violates PodSecurity "restricted:latest".*{field}'):
        admit(api, weaker)


def test_the_pod_is_refused_without_its_service_account(api, pod):
    stranger = copy.deepcopy(pod)
    stranger["spec"]["serviceAccountName"] = "nobody"
    with pytest.raises(KubectlError, match='serviceaccount "nobody" not found'):
        admit(api, stranger)


@pytest.mark.parametrize(("role", "verbs"), [("edit", VERBS), ("view", VERBS[:3])])
def test_editors_of_a_namespace_write_and_viewers_read(api, applied, role, verbs):
    # Stands in for the controller that adds our roles to those of Kubernetes.
    api.kubectl("create", "rolebinding", role, f"--clusterrole=prodeval-{role}", f"--user={role}or", "-n", TEAM)
    assert [verb for verb in VERBS if may(api, f"{role}or", verb)] == list(verbs)


def may(api, user, verb):
    asked = {"verb": verb, "group": "prodeval.dev", "resource": "productionevaluations", "namespace": TEAM}
    spec = {"user": user, "resourceAttributes": asked}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    answer = api.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review))
    return json.loads(answer)["status"]["allowed"]


@pytest.mark.parametrize("role", ["edit", "view"])
def test_the_roles_of_kubernetes_choose_ours(api, applied, role):
    chosen = json.loads(api.kubectl("get", "clusterrole", role, "-o", "json"))["aggregationRule"]
    (labels,) = (one["matchLabels"] for one in chosen["clusterRoleSelectors"])
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    names = api.kubectl("get", "clusterroles", "-l", selector, "-o", "name").split()
    assert f"clusterrole.rbac.authorization.k8s.io/prodeval-{role}" in names


@each_overlay
def test_each_example_can_be_applied(api, applied, overlay):
    if overlay.name == "credentials-namespace":
        with pytest.raises(KubectlError, match='namespaces "keptn-system" not found'):
            api.kubectl("apply", "-k", str(overlay), "--dry-run=server")
        api.kubectl("create", "namespace", "keptn-system")
    assert "(server dry run)" in api.kubectl("apply", "-k", str(overlay), "--dry-run=server")


def test_the_network_policy_can_be_applied(api, applied):
    policy = "examples/install/network-policy.yaml"
    assert "created (server dry run)" in api.kubectl("apply", "-f", policy, "--dry-run=server")


def test_the_network_policy_is_about_the_operator(api):
    policy = yaml.safe_load(Path("examples/install/network-policy.yaml").read_text())
    labels = deployment(rendered(api, "deploy"))["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


@each_overlay
def test_each_example_may_read_secrets_only_where_its_config_says(api, overlay):
    objects = rendered(api, overlay)
    where = parse_config(yaml.safe_load(config(objects))).credentials_namespace
    readers = [one for one in of_kind(objects, "Role", "ClusterRole") if "secrets" in json.dumps(one["rules"])]
    assert [(one["kind"], one["metadata"].get("namespace")) for one in readers] == [("Role", where)]


@pytest.mark.parametrize("name", ["namespaced", "second-keptn"])
def test_an_operator_for_some_namespaces_has_no_right_in_all(api, name):
    objects = rendered(api, f"examples/install/{name}")
    (container,) = deployment(objects)["spec"]["template"]["spec"]["containers"]
    served = [argument.removeprefix("--namespace=") for argument in container["args"] if "--namespace=" in argument]
    bound = [one for one in of_kind(objects, "RoleBinding") if one["roleRef"]["kind"] == "ClusterRole"]
    assert served == [one["metadata"]["namespace"] for one in bound]
    assert of_kind(objects, "ClusterRoleBinding") == []


def test_two_installations_share_nothing(api):
    first, second = (rendered(api, f"examples/install/{name}") for name in ("namespaced", "second-keptn"))
    names = [{(one["kind"], one["metadata"]["name"]) for one in objects} for objects in (first, second)]
    assert names[0] & names[1] == set()
    specs = [deployment(objects)["spec"] for objects in (first, second)]
    for one, other in (specs, reversed(specs)):
        assert not one["selector"]["matchLabels"].items() <= other["template"]["metadata"]["labels"].items()
