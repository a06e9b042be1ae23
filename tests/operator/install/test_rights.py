"""The operator as it is installed: run from the built image, as the Deployment says, with its rights alone."""

import json
import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

import pytest
import yaml

from demo import loopback
from demo.gitserver import git_server
from demo.installation import put_git_credentials, put_secret
from demo.processes import running
from demo.upstream import create_upstream
from tests.operator.api_proxy import Answer, api_proxy
from tests.operator.harness import ACCOUNT, NOWHERE, until
from tests.operator.install.rendering import TEAMS, config, deployment, granted, rendered

# The image is built from a package index.
pytestmark = pytest.mark.timeout(600)

PROJECT, TEAM, NAME = "fulltour", TEAMS[0], "helloservice"
ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"


@dataclass(frozen=True)
class Life:
    """What an operator was granted and asked for, from its start to its end.

    Attributes:
        granted, used: (group, resource, verb).
        denied: the addresses.
        probed: what the liveness probe answered.
        exit_code: after SIGTERM.
    """

    granted: set
    used: set
    denied: list
    probed: dict
    exit_code: int


@pytest.fixture(scope="module", params=["cluster-wide", "namespaced"])
def life(request, api, applied, image, tmp_path_factory):
    """Install, and let the operator wait for a ConfigMap, push its files, and meanwhile lose the resource."""
    folder, overlay = tmp_path_factory.mktemp("life"), f"examples/install/{request.param}"
    if request.param == "namespaced":
        api.kubectl("delete", "clusterrolebinding", "prodeval")
    api.kubectl("apply", "-k", overlay)
    put_secret(api, "keptn-api-token", {"keptn-api-token": "token"})
    objects, since = rendered(api, overlay), len(audit(api))

    def delete_the_resource():
        api.kubectl("delete", "prodeval", NAME, "-n", TEAM)

    with (
        git_server(folder / "git", accepted=delete_the_resource) as git,
        api_proxy(api, folder / "proxy") as proxy,
        proxy.faulty(first_write_conflicts(proxy)),
    ):
        create_upstream(git, PROJECT)
        put_git_credentials(api, git, PROJECT)
        seen = replace(api, url=proxy.url, ca_file=proxy.ca_file)
        with container(seen, image, objects, folder) as (child, probe):
            probed = until(probe)
            let_it_work(api, since)
            os.kill(child.pid, signal.SIGTERM)
            exit_code = child.popen.wait(30)
    asked = audit(api)[since:]
    return Life(granted(objects), used(asked), denied(asked), probed, exit_code)


def first_write_conflicts(proxy):
    """Say once that somebody else wrote a resource meanwhile: the operator reads it again then."""
    conflict = Answer(HTTPStatus.CONFLICT)
    return lambda method, _: conflict if method == "PATCH" and not proxy.answered else None


def let_it_work(api, since):
    resource, config_map = yaml.safe_load_all(Path("examples/configmap.yaml").read_text())
    api.kubectl("apply", "-n", TEAM, "-f", "-", stdin=json.dumps(resource))
    waits = '--for=jsonpath={.status.conditions[?(@.type=="Synced")].reason}=DependencyNotReady'
    api.kubectl("wait", "-n", TEAM, f"prodeval/{NAME}", waits, "--timeout=30s")
    api.kubectl("apply", "-n", TEAM, "-f", "-", stdin=json.dumps(config_map))
    until(lambda: not api.kubectl("get", "prodevals", "-n", TEAM, "-o", "name"))  # it pushed, and lost the resource
    api.kubectl("delete", "-n", TEAM, "-f", "-", stdin=json.dumps(config_map))


@contextmanager
def container(api, image, objects, folder):
    """The container as a process: the Deployment's arguments, its mounts, and the API server where a pod finds it."""
    (spec,) = deployment(objects)["spec"]["template"]["spec"]["containers"]
    probe, (port,) = spec["livenessProbe"]["httpGet"], spec["ports"]
    listens, address = f"0.0.0.0:{port['containerPort']}", f"{loopback.ADDRESS}:{loopback.free_ports(1)[0]}"
    arguments = [argument.replace(listens, address) for argument in spec["args"]]
    (volume,) = spec["volumeMounts"]
    mounts = {config_folder(objects, folder): volume["mountPath"], account_folder(api, folder): ACCOUNT_FOLDER}

    def probed():
        try:
            return loopback.request("GET", f"http://{address}{probe['path']}").json()
        except OSError:
            return None

    command = image.command(*arguments, mounts=mounts, environment=service(api))
    with running(command, name="operator", logs=folder) as child:
        yield child, probed


def config_folder(objects, folder):
    """What the ConfigMap holds, but for the address of Keptn: nobody listens."""
    content = yaml.safe_load(config(objects)) | {"keptn": {"url": NOWHERE}}
    return readable(folder / "config", {"config.yaml": yaml.safe_dump(content)})


def account_folder(api, folder):
    """What Kubernetes mounts for a ServiceAccount."""
    token = api.kubectl("create", "token", "prodeval", "--namespace=prodeval").strip()
    return readable(folder / "account", {"token": token, "ca.crt": api.ca_file.read_text(), "namespace": "prodeval"})


def readable(folder, files):
    """A folder that the container's user can read."""
    folder.mkdir()
    folder.chmod(0o755)
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
    return folder


def service(api):
    """The variables by which a pod finds the API server."""
    host, _, port = api.url.removeprefix("https://").rpartition(":")
    return {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}


def audit(api):
    return [json.loads(line) for line in api.audit_log.read_text().splitlines()]


def used(asked):
    """What the operator asked for; what is no object, such as the list of kinds, everybody may read."""
    objects = [one["objectRef"] | one for one in asked if one["user"]["username"] == ACCOUNT and "objectRef" in one]
    return {
        (one.get("apiGroup", ""), "/".join(filter(None, (one["resource"], one.get("subresource")))), one["verb"])
        for one in objects
        if "resource" in one
    }


def denied(asked):
    codes = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    return [one["requestURI"] for one in asked if one["responseStatus"]["code"] in codes]


def test_the_operator_lives_with_its_rights_on_a_read_only_root(life):
    assert life.denied == []
    assert life.probed.keys() == {"engine"}
    assert life.exit_code == 0


def test_the_operator_needs_each_of_its_rights(life):
    assert life.used == life.granted


def test_uninstalled_nothing_waits_for_the_operator(api, applied):
    api.kubectl("apply", "-n", TEAM, "-f", "examples/helloservice.yaml")
    api.kubectl("delete", "-k", "examples/install/namespaced", "--ignore-not-found", "--wait=false")
    for kind in (
        ["crds"],
        ["deployments", "-n", "prodeval"],
        ["clusterroles", "-l", "app.kubernetes.io/name=prodeval"],
    ):
        until(lambda kind=kind: not api.kubectl("get", *kind, "-o", "name"))
