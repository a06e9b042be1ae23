"""deploy/ on a cluster of its own: what it asks for, what it gets, and an operator that needs exactly that."""

import copy
import json
import os
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest
import yaml

from demo import loopback
from demo.apiserver import ApiServer, KubectlError, api_server
from demo.gitserver import git_server
from demo.installation import put_git_credentials, put_secret
from demo.processes import running
from demo.upstream import create_upstream
from prodeval.config import Config, parse_config
from tests.operator.harness import NOWHERE, namespace, until
from tests.operator.image import build

pytestmark = pytest.mark.timeout(600)

OVERLAYS = sorted(Path("examples/install").iterdir())
PROJECT, TEAM, NAME = "fulltour", "team-a", "helloservice"
ACCOUNT = "system:serviceaccount:prodeval:prodeval"
OPERATOR_ROLES = ("prodeval", "prodeval-credentials")


@pytest.fixture(scope="module")
def api(tools, tmp_path_factory):
    """A new cluster with Keptn's namespace, two teams', and nothing of ours."""
    folder = tmp_path_factory.mktemp("install")
    with api_server(tools, folder / "kubernetes", folder / "logs") as server:
        for name in ("keptn", "keptn-eu", TEAM, "team-eu"):
            namespace(server, name)
        yield server


@pytest.fixture(scope="module")
def applied(api):
    """What kubectl says to each object, the first time and the second."""
    return [api.kubectl("apply", "-k", "deploy/").splitlines() for _ in range(2)]


def rendered(api, folder):
    return list(yaml.safe_load_all(api.kubectl("kustomize", str(folder))))


def pick(objects, kind, name="prodeval"):
    return next(one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name))


def test_applying_it_again_changes_nothing(applied):
    first, second = applied
    assert {line.rsplit(maxsplit=1)[1] for line in first} == {"created"}
    assert {line.rsplit(maxsplit=1)[1] for line in second} == {"unchanged"}


def test_no_right_is_a_wildcard(api):
    for folder in ("deploy", *OVERLAYS):
        roles = [one for one in rendered(api, folder) if one["kind"] in {"Role", "ClusterRole"}]
        assert "*" not in json.dumps([role["rules"] for role in roles])


def test_the_config_says_the_defaults(api, applied):
    objects = rendered(api, "deploy")
    assert parse_config(config_of(objects)) == Config()


def config_of(objects):
    """The config that the Deployment mounts."""
    (volume,) = pod_spec(objects)["volumes"]
    return yaml.safe_load(pick(objects, "ConfigMap", volume["configMap"]["name"])["data"]["config.yaml"])


def pod_spec(objects, name="prodeval"):
    return pick(objects, "Deployment", name)["spec"]["template"]["spec"]


class TestPod:
    @pytest.fixture(scope="class")
    def pod(self, api, applied):
        template = pick(rendered(api, "deploy"), "Deployment")["spec"]["template"]
        metadata = template["metadata"] | {"name": "prodeval", "namespace": "prodeval"}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}

    @staticmethod
    def create(api, pod):
        return api.kubectl("create", "--dry-run=server", "--output=json", "--filename=-", stdin=json.dumps(pod))

    def test_it_is_admitted_under_the_restricted_profile_with_its_token(self, api, pod):
        admitted = json.loads(self.create(api, pod))
        mounts = {mount["mountPath"] for mount in admitted["spec"]["containers"][0]["volumeMounts"]}
        assert mounts == {"/etc/prodeval", "/var/run/secrets/kubernetes.io/serviceaccount"}

    @pytest.mark.parametrize(
        ("holder", "field"),
        [
            ("pod", "runAsNonRoot"),
            ("pod", "seccompProfile"),
            ("container", "allowPrivilegeEscalation"),
            ("container", "capabilities"),
        ],
    )
    def test_nothing_of_its_hardening_may_be_taken_away(self, api, pod, holder, field):
        weaker = copy.deepcopy(pod)
        context = {"pod": weaker["spec"], "container": weaker["spec"]["containers"][0]}[holder]["securityContext"]
        del context[field]
        with pytest.raises(KubectlError, match=f'violates PodSecurity "restricted:latest".*{field}'):
            self.create(api, weaker)

    def test_it_is_refused_without_its_service_account(self, api, pod):
        stranger = copy.deepcopy(pod)
        stranger["spec"]["serviceAccountName"] = "nobody"
        with pytest.raises(KubectlError, match="service account prodeval/nobody"):
            self.create(api, stranger)

    def test_its_root_file_system_is_read_only(self, pod):
        assert pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


class TestUsers:
    @pytest.fixture(scope="class", autouse=True)
    def bound(self, api, applied):
        """Stands in for the controller that adds the roles to `edit` and `view`."""
        for role in ("edit", "view"):
            api.kubectl("create", "rolebinding", role, f"--clusterrole=prodeval-{role}", f"--user={role}or", "-n", TEAM)

    @staticmethod
    def may(api, user, verb):
        asked = {"user": user, "resourceAttributes": {"verb": verb, "group": "prodeval.dev", "namespace": TEAM}}
        asked["resourceAttributes"]["resource"] = "productionevaluations"
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": asked}
        answer = api.kubectl("create", "--filename=-", "--output=json", stdin=json.dumps(review))
        return json.loads(answer)["status"]["allowed"]

    def test_editors_write_and_viewers_read(self, api):
        verbs = ("get", "list", "watch", "create", "update", "patch", "delete")
        assert [verb for verb in verbs if self.may(api, "editor", verb)] == list(verbs)
        assert [verb for verb in verbs if self.may(api, "viewor", verb)] == ["get", "list", "watch"]

    def test_the_roles_are_added_to_those_of_kubernetes(self, api):
        for role in ("edit", "view"):
            (selector,) = json.loads(api.kubectl("get", "clusterrole", role, "-o", "json"))["aggregationRule"][
                "clusterRoleSelectors"
            ]
            chosen = ",".join(f"{key}={value}" for key, value in selector["matchLabels"].items())
            assert f"clusterrole.rbac.authorization.k8s.io/prodeval-{role}" in api.kubectl(
                "get", "clusterroles", "-l", chosen, "-o", "name"
            )


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_each_example_can_be_applied(api, applied, overlay):
    if overlay.name == "credentials-namespace":
        with pytest.raises(KubectlError, match='namespaces "keptn-system" not found'):
            api.kubectl("apply", "-k", str(overlay), "--dry-run=server")
        namespace(api, "keptn-system")
    assert "(server dry run)" in api.kubectl("apply", "-k", str(overlay), "--dry-run=server")


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_each_example_reads_secrets_only_where_its_config_says(api, overlay):
    objects = rendered(api, overlay)
    suffix = "-eu" if overlay.name == "second-keptn" else ""
    deployment = pick(objects, "Deployment", f"prodeval{suffix}")
    (volume,) = deployment["spec"]["template"]["spec"]["volumes"]
    text = pick(objects, "ConfigMap", volume["configMap"]["name"])["data"]["config.yaml"]
    where = parse_config(yaml.safe_load(text)).credentials_namespace
    readers = [one for one in objects if one["kind"] in {"Role", "ClusterRole"} and "secrets" in json.dumps(one)]
    assert [(one["kind"], one["metadata"]["namespace"]) for one in readers] == [("Role", where)]


def test_two_installations_share_nothing(api):
    first, second = (rendered(api, f"examples/install/{name}") for name in ("namespaced", "second-keptn"))
    identity = [{(one["kind"], one["metadata"]["name"]) for one in objects} for objects in (first, second)]
    assert identity[0] & identity[1] == set()
    specs = [pick(first, "Deployment")["spec"], pick(second, "Deployment", "prodeval-eu")["spec"]]
    for one, other in (specs, reversed(specs)):
        assert not one["selector"]["matchLabels"].items() <= other["template"]["metadata"]["labels"].items()


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return build(tmp_path_factory.mktemp("image"))


def environment_of(image, **more):
    return image.environment | {"PYTHONPATH": str(Path(__file__).parent / "pod")} | more


def test_the_image_says_its_version(image):
    ran = subprocess.run(
        [image.program, "--version"], env=image.environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("prodeval ")


def test_the_test_s_root_is_read_only(image, tmp_path):
    program = f"import pathlib; pathlib.Path({str(tmp_path / 'file')!r}).write_text('')"
    ran = subprocess.run(
        [image.program.with_name("python"), "-c", program], env=environment_of(image), capture_output=True, text=True
    )
    assert "Read-only file system" in ran.stderr


@dataclass(frozen=True)
class Rights:
    """What an operator asked for in its life, and how it ended.

    Attributes:
        granted, used: (group, resource, verb).
        denied: URIs.
        healthy: what the liveness probe answered.
    """

    granted: set
    used: set
    denied: list
    healthy: dict
    ended: int


@pytest.fixture(scope="module", params=["cluster-wide", "namespaced"])
def rights(request, api, applied, image, tmp_path_factory):
    """Install, and let the operator see a resource that waits for its ConfigMap, then goes while it is being pushed."""
    folder, overlay = tmp_path_factory.mktemp("run"), f"examples/install/{request.param}"
    if request.param == "namespaced":
        api.kubectl("delete", "clusterrolebinding", "prodeval")
    api.kubectl("apply", "-k", overlay)
    put_secret(api, "keptn-api-token", {"keptn-api-token": "token"})
    objects, since = rendered(api, overlay), len(audit(api))

    def delete_the_resource_while_it_is_pushed():
        api.kubectl("delete", "prodeval", NAME, "-n", TEAM)
        until(lambda: "really deleted" in (folder / "prodeval.log").read_text())

    with git_server(folder / "git", accepted=delete_the_resource_while_it_is_pushed) as git:
        create_upstream(git, PROJECT)
        put_git_credentials(api, git, PROJECT)
        with pod(api, image, objects, folder) as (child, probe):
            healthy = until(probe)
            let_it_work(api, since)
            os.kill(child.pid, signal.SIGTERM)
            ended = child.popen.wait(30)
    asked = audit(api)[since:]
    return Rights(granted(objects), used(asked), denied(asked), healthy, ended)


def let_it_work(api, since):
    resource, config_map = yaml.safe_load_all(Path("examples/configmap.yaml").read_text())
    for body, reason in ((resource, "DependencyNotReady"), (config_map, None)):
        api.kubectl("apply", "-n", TEAM, "-f", "-", stdin=json.dumps(body))
        if reason:
            waited = f'--for=jsonpath={{.status.conditions[?(@.type=="Synced")].reason}}={reason}'
            api.kubectl("wait", "-n", TEAM, f"prodeval/{NAME}", waited, "--timeout=30s")
    until(lambda: ("prodeval.dev", "productionevaluations", "get") in used(audit(api)[since:]))


@contextmanager
def pod(api, image, objects, folder):
    """The container of the Deployment as a process: its arguments, its config, its token, its read-only files."""
    container = pod_spec(objects)["containers"][0]
    address = f"{loopback.ADDRESS}:{loopback.free_ports(1)[0]}"
    probe = container["livenessProbe"]["httpGet"]
    listening = f"0.0.0.0:{container['ports'][0]['containerPort']}"
    assert f"--liveness=http://{listening}{probe['path']}" in container["args"]
    arguments = [argument.replace(listening, address) for argument in container["args"]]
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(config_of(objects) | {"keptn": {"url": NOWHERE}}))
    environment = environment_of(image, KUBECONFIG=str(kubeconfig(api, folder)), PRODEVAL_CONFIG=str(config))
    command = [image.program, *arguments, "--verbose"]

    def probed():
        try:
            return loopback.request("GET", f"http://{address}{probe['path']}").json()
        except OSError:
            return None

    with running(command, name="prodeval", logs=folder, environment=environment) as child:
        yield child, probed


def kubeconfig(api: ApiServer, folder):
    """As in a pod the certificate is a file: what stands in the kubeconfig itself would be written to one."""
    path = api.service_account_kubeconfig(folder / "kubeconfig", "prodeval", "prodeval")
    content = yaml.safe_load(path.read_text())
    content["clusters"][0]["cluster"] = {"server": api.url, "certificate-authority": str(api.ca_file)}
    path.write_text(yaml.safe_dump(content))
    return path


def audit(api):
    return [json.loads(line) for line in api.audit_log.read_text().splitlines()]


def granted(objects):
    roles = [one for one in objects if one["kind"] in {"Role", "ClusterRole"}]
    rules = [rule for role in roles if role["metadata"]["name"] in OPERATOR_ROLES for rule in role["rules"]]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(asked):
    """What the operator was allowed because of our roles, by the reason that the API server wrote down."""
    return {
        (about.get("apiGroup", ""), "/".join(filter(None, (about["resource"], about.get("subresource")))), one["verb"])
        for one in asked
        if one["user"]["username"] == ACCOUNT and (about := one.get("objectRef", {})).get("resource")
    }


def denied(asked):
    codes = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    return [one["requestURI"] for one in asked if one["responseStatus"]["code"] in codes]


def test_the_operator_lives_with_its_rights_on_read_only_files(rights):
    assert rights.denied == []
    assert rights.healthy.keys() == {"results"}
    assert rights.ended == 0


def test_it_needs_each_of_its_rights(rights):
    assert rights.used == rights.granted


def test_uninstalling_leaves_nothing_that_waits_for_the_operator(api, applied):
    api.kubectl("apply", "-n", TEAM, "-f", "examples/helloservice.yaml")
    api.kubectl("delete", "-k", "deploy/", "--ignore-not-found", "--wait=false")
    for kind in ("crds", "deployments -n prodeval", "clusterroles -l app.kubernetes.io/name=prodeval"):
        until(lambda kind=kind: not api.kubectl("get", *kind.split(), "-o", "name"))
