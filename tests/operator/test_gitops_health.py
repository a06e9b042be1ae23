"""What kstatus (Flux) and examples/argocd/health.lua (Argo CD) make of each row of the table in docs/status.md."""

import itertools
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from lupa.lua51 import LuaRuntime

from tests.operator.harness import namespace
from tests.operator.status_table import AWAITING, PINNED, ROWS, SYNCED, UNANSWERED, Row, made

PAGE = Path("docs/status.md")
CHECK = Path("examples/argocd/health.lua")
PATCH = Path("examples/argocd/argocd-cm.yaml")
KEY = "resource.customizations.health.prodeval.dev_ProductionEvaluation"

# What Argo CD opens for a custom check (util/lua/lua.go): the base, package and table libraries, and of `os` what is
# harmless. Without `string` even ("x"):upper() fails there.
UNAVAILABLE = ("coroutine", "debug", "io", "math", "os", "python", "string")


def argo(body):
    """What Argo CD makes of a resource with our check: status and message."""
    lua = LuaRuntime(register_eval=False, register_builtins=False)
    for name in UNAVAILABLE:
        lua.globals()[name] = None
    lua.globals().obj = lua.table_from(body, recursive=True)
    return dict(lua.execute(CHECK.read_text()))


@pytest.fixture(scope="module")
def kstatus(tools):
    """What kstatus makes of resources."""

    def of(bodies):
        lines = "\n".join(map(json.dumps, bodies))
        ran = subprocess.run([tools / "kstatus"], input=lines, capture_output=True, text=True, check=True)
        return [json.loads(line)["status"] for line in ran.stdout.splitlines()]

    return of


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.situation[:40]} - {row.variant}".rstrip(" -"))
def test_kstatus_and_argo_cd_say_what_the_table_says(kstatus, row):
    body = row.body()
    said = argo(body)
    assert [*kstatus([body]), said["status"]] == [row.kstatus, row.argo]
    assert said["message"]


def documented():
    """The situations of the table, each with its last cell."""
    lines = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    (_, *rows) = [(cells[0].strip(), cells[-1].strip()) for cells in lines if len(cells) == 7]
    return dict(rows)


def test_the_table_has_these_situations():
    assert set(documented()) == {row.situation for row in ROWS}


@pytest.mark.parametrize(("situation", "cell"), documented().items(), ids=lambda text: text[:40])
def test_the_last_column_says_what_can_be(situation, cell):
    said = set(re.findall(r"Current|InProgress|Failed", cell))
    seen = {row.kstatus for row in ROWS if row.situation == situation}
    assert said == seen or ("as before" in cell and said < seen)


def test_the_message_is_that_of_the_condition_that_decides():
    messages = {row.argo: argo(row.body())["message"] for row in ROWS if row.variant in {"", "degraded"}}
    assert messages == {
        "Degraded": "Inconclusive: ResultTimedOut",
        "Healthy": "Warning: Warning",
        "Progressing": "Pending: AwaitingVersion",
    }


def test_what_was_said_about_an_earlier_spec_is_not_repeated():
    body = Row(AWAITING, "", PINNED, (SYNCED, UNANSWERED), "", "").body()
    body["metadata"]["generation"] = 2
    assert argo(body) == {"status": "Progressing", "message": "the operator has not acted on this spec yet"}


def condition(kind, status):
    return {"type": kind, "status": status, "observedGeneration": 2, "reason": "Any", "message": f"{kind} {status}"}


def combinations():
    """Every status of the conditions that GitOps tools read, beside others, also about an earlier generation."""
    shown = {
        "Ready": ("True", "False", "Unknown"),
        "Reconciling": ("True", "False", ""),
        "Stalled": ("True", "False", ""),
    }
    others = [condition("Synced", "False"), condition("Passed", "Unknown"), condition("Observed", "False")]
    for observed, suspend, *statuses in itertools.product((2, 1, -1), (False, True), *shown.values()):
        ours = [condition(kind, status) for kind, status in zip(shown, statuses, strict=True) if status]
        yield made(2, {"observedGeneration": observed, "conditions": others + ours}, suspend=suspend)


def test_whatever_the_reasons_argo_cd_agrees_with_kstatus(kstatus):
    bodies = list(combinations())
    agreed = {"InProgress": "Progressing", "Failed": "Degraded"}
    expected = [
        agreed.get(status, "Suspended" if body["spec"]["suspend"] else "Healthy")
        for body, status in zip(bodies, kstatus(bodies), strict=True)
    ]
    assert [argo(body)["status"] for body in bodies] == expected
    assert set(expected) == {"Progressing", "Degraded", "Suspended", "Healthy"}


@pytest.mark.parametrize("status", [{}, {"observedGeneration": 1}, {"observedGeneration": 1, "conditions": []}])
def test_a_resource_that_says_nothing_is_not_healthy(status):
    assert argo(made(1, status))["status"] == "Progressing"


def test_a_resource_without_a_status_is_not_healthy():
    body = made(1, {})
    del body["status"]
    assert argo(body)["status"] == "Progressing"


def test_the_patch_holds_the_check():
    assert yaml.safe_load(PATCH.read_text())["data"] == {KEY: CHECK.read_text()}


def test_the_patch_fits_a_kustomization_of_argo_cd(tools, tmp_path):
    """The manifests of Argo CD name no namespace; the kustomization does."""
    (tmp_path / PATCH.name).write_text(PATCH.read_text())
    base = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {"url": "https://a"}}
    (tmp_path / "install.yaml").write_text(yaml.safe_dump(base))
    kustomization = {"namespace": "argocd", "resources": ["install.yaml"], "patches": [{"path": PATCH.name}]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    command = [tools / "kubectl", "kustomize", tmp_path]
    built = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert yaml.safe_load(built)["data"] == {"url": "https://a", KEY: CHECK.read_text()}


def test_the_documented_command_adds_the_check_and_keeps_what_is_there(apiserver):
    (command,) = re.findall(r"^kubectl (.*argocd-cm.*)$", PAGE.read_text(), re.MULTILINE)
    before = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {"url": "https://a"}}
    for body in (namespace("argocd"), before | {"metadata": {"name": "argocd-cm", "namespace": "argocd"}}):
        apiserver.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    apiserver.kubectl(*command.split())
    after = json.loads(apiserver.kubectl("get", "configmap", "argocd-cm", "-n", "argocd", "-o", "json"))
    assert after["data"] == {"url": "https://a", KEY: CHECK.read_text()}
