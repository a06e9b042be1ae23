"""Every bound, pattern and rule of the schema, against a real API server: an accepted and a refused case each."""

import copy
import itertools
import json
import re
from pathlib import Path

import pytest
import yaml

from demo.apiserver import KubectlError

NAMES = itertools.count()


def resource(**spec):
    return {
        "apiVersion": "prodeval.dev/v1alpha1",
        "kind": "ProductionEvaluation",
        "metadata": {"name": f"case-{next(NAMES)}", "namespace": "crd"},
        "spec": {"project": "fulltour", "service": "helloservice"} | spec,
    }


@pytest.fixture(scope="module")
def apply(cluster):
    cluster.kubectl("create", "namespace", "crd")
    return lambda body, *options: cluster.kubectl("apply", "-f", "-", *options, stdin=json.dumps(body))


def inline(size, *, count=1):
    return [{"inline": {"path": f"locust/f{number}.py", "content": "x" * size}} for number in range(count)]


def stage(**fields):
    return [{"stage": {"name": "qa"} | fields}]


def config_map(**fields):
    return [{"configMap": {"name": "gate"} | fields}]


ACCEPTED = {
    "six lines": {},
    "longest project": {"project": "p" * 200},
    "longest service": {"service": "s" * 43},
    "service with dots, capitals and underscores": {"service": "My_svc.v2-x"},
    "another stage": {"stage": "prod-eu"},
    "version": {"version": "v0.1.1"},
    "all of a stage": {"files": stage()},
    "paths of a stage": {"files": stage(paths=["slo.yaml", "locust/data/users.csv"])},
    "all of a ConfigMap": {"files": config_map()},
    "items of a ConfigMap": {"files": config_map(items=[{"key": "slo.yaml", "path": "slo.yaml"}])},
    "largest inline file": {"files": inline(16384)},
    "most inline together": {"files": inline(16384, count=4)},
    "most sources": {"files": stage() * 16},
    "longest path": {"files": stage(paths=["locust/" + "a" * 248])},
    "no files": {"files": []},
    "whole shipyard": {
        "shipyard": {
            "policy": "Verify",
            "sequence": "delivery_2",
            "afterTask": "deploy",
            "testTask": "load",
            "load": "LiveTraffic",
            "timeframe": "1h30m",
            "onFail": {"sequence": "rollback", "tasks": ["undo"] * 8},
        }
    },
    "empty shipyard": {"shipyard": {}},
    "shortest durations": {"shipyard": {"timeframe": "60s"}, "resultTimeout": "1m", "interval": "1m"},
    "longest durations": {"shipyard": {"timeframe": "24h"}, "resultTimeout": "1440m", "interval": "24h"},
    "degrade on nothing": {"degradeOn": []},
    "degrade on all": {"degradeOn": ["Warning", "Fail", "Inconclusive"]},
    "suspended": {"suspend": True},
    "no history": {"historyLimit": 0},
    "longest history": {"historyLimit": 50},
}

REFUSED = {
    "no project": ({"project": None}, "spec.project"),
    "no service": ({"service": None}, "spec.service"),
    "empty project": ({"project": ""}, "spec.project"),
    "project too long": ({"project": "p" * 201}, "spec.project"),
    "project with a capital": ({"project": "Fulltour"}, "spec.project"),
    "project ending in a hyphen": ({"project": "fulltour-"}, "spec.project"),
    "project as a path": ({"project": "a/b"}, "spec.project"),
    "service too long": ({"service": "s" * 44}, "spec.service"),
    "service as a path": ({"service": "a/b"}, "spec.service"),
    "service that leaves": ({"service": ".."}, "spec.service"),
    "service with two dots": ({"service": "a..b"}, "spec.service"),
    "service as an option": ({"service": "-x"}, "spec.service"),
    "stage with an underscore": ({"stage": "prod_1"}, "spec.stage"),
    "stage too long": ({"stage": "s" * 64}, "spec.stage"),
    "empty version": ({"version": ""}, "spec.version"),
    "version too long": ({"version": "v" * 129}, "spec.version"),
    "too many sources": ({"files": stage() * 17}, "spec.files"),
    "no source": ({"files": [{}]}, "give exactly one of stage, configMap and inline"),
    "two sources": ({"files": [stage()[0] | inline(1)[0]]}, "give exactly one of stage, configMap and inline"),
    "three sources": (
        {"files": [stage()[0] | inline(1)[0] | config_map()[0]]},
        "give exactly one of stage, configMap and inline",
    ),
    "source without a stage": ({"files": [{"stage": {}}]}, "stage.name"),
    "source stage with a slash": ({"files": stage(name="a/b")}, "stage.name"),
    "no path in paths": ({"files": stage(paths=[])}, "paths"),
    "path twice": ({"files": stage(paths=["slo.yaml", "slo.yaml"])}, "paths"),
    "path with ..": ({"files": stage(paths=["../slo.yaml"])}, "paths"),
    "path with .. inside": ({"files": stage(paths=["locust/../../x"])}, "paths"),
    "absolute path": ({"files": stage(paths=["/slo.yaml"])}, "paths"),
    "hidden path": ({"files": stage(paths=["locust/.git"])}, "paths"),
    "directory": ({"files": stage(paths=["locust/"])}, "paths"),
    "path with a blank": ({"files": stage(paths=["locust/a b"])}, "paths"),
    "path with a newline": ({"files": stage(paths=["slo.yaml\n"])}, "paths"),
    "path with a tilde": ({"files": stage(paths=["~/slo.yaml"])}, "paths"),
    "path too long": ({"files": stage(paths=["locust/" + "a" * 249])}, "paths"),
    "ConfigMap without a name": ({"files": [{"configMap": {}}]}, "configMap.name"),
    "ConfigMap with a capital": ({"files": config_map(name="Gate")}, "configMap.name"),
    "ConfigMap without an item": ({"files": config_map(items=[])}, "items"),
    "item without a path": ({"files": config_map(items=[{"key": "slo.yaml"}])}, "path"),
    "item without a key": ({"files": config_map(items=[{"path": "slo.yaml"}])}, "key"),
    "item with a key as a path": ({"files": config_map(items=[{"key": "a/b", "path": "slo.yaml"}])}, "key"),
    "item that leaves": ({"files": config_map(items=[{"key": "a", "path": "../a"}])}, "path"),
    "inline without content": ({"files": [{"inline": {"path": "slo.yaml"}}]}, "content"),
    "inline that leaves": ({"files": [{"inline": {"path": "../a", "content": ""}}]}, "inline.path"),
    "inline too large": ({"files": inline(16385)}, "content"),
    "inline too large together": ({"files": [*inline(16384, count=4), *inline(1)]}, "64 KiB together; use a ConfigMap"),
    "unknown policy": ({"shipyard": {"policy": "Force"}}, "policy"),
    "sequence with a dot": ({"shipyard": {"sequence": "a.b"}}, "sequence"),
    "anchor with a dot": ({"shipyard": {"afterTask": "a.b"}}, "afterTask"),
    "test task with a blank": ({"shipyard": {"testTask": "je test"}}, "testTask"),
    "task name too long": ({"shipyard": {"testTask": "t" * 64}}, "testTask"),
    "unknown load": ({"shipyard": {"load": "Some"}}, "load"),
    "timeframe without unit": ({"shipyard": {"timeframe": "120"}}, "timeframe"),
    "timeframe zero": ({"shipyard": {"timeframe": "0s"}}, "must be from 1m to 24h"),
    "timeframe too short": ({"shipyard": {"timeframe": "59s"}}, "must be from 1m to 24h"),
    "timeframe too long": ({"shipyard": {"timeframe": "24h1s"}}, "must be from 1m to 24h"),
    "timeframe in days": ({"shipyard": {"timeframe": "1d"}}, "timeframe"),
    "onFail without tasks": ({"shipyard": {"onFail": {"sequence": "rollback", "tasks": []}}}, "tasks"),
    "onFail with too many tasks": ({"shipyard": {"onFail": {"sequence": "r", "tasks": ["t"] * 9}}}, "tasks"),
    "onFail without a sequence": ({"shipyard": {"onFail": {"tasks": ["undo"]}}}, "sequence"),
    "onFail with a dotted task": ({"shipyard": {"onFail": {"sequence": "r", "tasks": ["a.b"]}}}, "tasks"),
    "unknown verdict": ({"degradeOn": ["Pass"]}, "degradeOn"),
    "verdict twice": ({"degradeOn": ["Fail", "Fail"]}, "degradeOn"),
    "resultTimeout too short": ({"resultTimeout": "30s"}, "must be from 1m to 24h"),
    "resultTimeout too long": ({"resultTimeout": "25h"}, "must be from 1m to 24h"),
    "interval too short": ({"interval": "5s"}, "must be from 1m to 24h"),
    "interval too long": ({"interval": "1441m"}, "must be from 1m to 24h"),
    "interval as text": ({"interval": "often"}, "interval"),
    "history too long": ({"historyLimit": 51}, "historyLimit"),
    "history negative": ({"historyLimit": -1}, "historyLimit"),
    "a url": ({"url": "https://git.example.com"}, 'unknown field "spec.url"'),
}


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(apply, spec):
    assert "created" in apply(resource(**spec))


@pytest.mark.parametrize(("spec", "place"), REFUSED.values(), ids=REFUSED)
def test_refused_with_the_place(apply, spec, place):
    with pytest.raises(KubectlError, match=re.escape(place)):
        apply(resource(**spec))


@pytest.mark.parametrize("field", ["project", "service", "stage"])
def test_what_is_judged_cannot_change(apply, field):
    body = resource(stage="production")
    apply(body)
    changed = copy.deepcopy(body)
    changed["spec"][field] = "other"
    with pytest.raises(KubectlError, match="is immutable; make another ProductionEvaluation"):
        apply(changed)
    changed = copy.deepcopy(body)
    changed["spec"]["version"] = "v2"
    assert "configured" in apply(changed)


def test_six_lines_get_the_documented_defaults(apply, cluster):
    body = resource()
    apply(body)
    found = json.loads(cluster.kubectl("get", "prodeval", "-n", "crd", body["metadata"]["name"], "-o", "json"))
    assert found["status"] == {"observedGeneration": -1}
    assert found["spec"] | {"shipyard": None} == {
        "project": "fulltour",
        "service": "helloservice",
        "stage": "production",
        "degradeOn": ["Fail", "Inconclusive"],
        "interval": "10m",
        "suspend": False,
        "historyLimit": 10,
        "shipyard": None,
    }
    assert found["spec"]["shipyard"] == {
        "policy": "Manage",
        "sequence": "delivery",
        "afterTask": "je-deployment",
        "testTask": "je-test",
    }


WIDE_COLUMNS = [
    *("NAME", "PROJECT", "SERVICE", "VERDICT", "SCORE", "VERSION", "READY", "REASON", "AGE"),
    *("STAGE", "REVISION", "EVALUATED", "MESSAGE"),
]
STATUS = {
    "verdict": "Fail",
    "sync": {"stageRevision": "production@sha1:0123"},
    "lastEvaluation": {"score": "66.66666666666666", "version": "v0.1.2", "windowEnd": "2026-01-01T00:00:00Z"},
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "reason": "EvaluationFailed",
            "message": "too slow",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ],
}


def test_columns_and_field_selectors(apply, cluster):
    body = resource()
    name = body["metadata"]["name"]
    apply(body)
    cluster.kubectl(
        "patch",
        "prodeval",
        "-n",
        "crd",
        name,
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps({"status": STATUS}),
    )
    table = cluster.kubectl("get", "prodevals", "-n", "crd", name, "-o", "wide").splitlines()
    assert table[0].split() == (WIDE_COLUMNS)
    for cell in (
        "fulltour",
        "helloservice",
        "Fail",
        "66.66666666666666",
        "v0.1.2",
        "False",
        "EvaluationFailed",
        "too slow",
    ):
        assert cell in table[1]
    selector = "status.verdict=Fail,spec.project=fulltour,spec.service=helloservice,spec.stage=production"
    assert cluster.kubectl("get", "prodevals", "-A", "--field-selector", selector, "-o", "name").split() == [
        f"productionevaluation.prodeval.dev/{name}"
    ]
    assert not cluster.kubectl("get", "prodevals", "-n", "crd", "--field-selector", "status.verdict=Pass", "-o", "name")


def test_what_the_status_does_not_know_is_not_kept(apply, cluster):
    """The engine keeps no notes of its own: a framework's, which an earlier release left, go with the next write."""
    body = resource()
    name = body["metadata"]["name"]
    apply(body)
    status = {"verdict": "Pass", "kopf": {"anything": {"goes": 1}}, "sync": {"unknown": 1}}
    options = ("--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    cluster.kubectl("patch", "prodeval", "-n", "crd", name, *options)
    found = json.loads(cluster.kubectl("get", "prodeval", "-n", "crd", name, "-o", "json"))
    assert found["status"] == {"observedGeneration": -1, "verdict": "Pass", "sync": {}}


def test_every_field_is_described():
    definition = yaml.safe_load(Path("crds/productionevaluations.yaml").read_text(encoding="utf-8"))
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert [
        *_undescribed(schema["properties"]["spec"], "spec"),
        *_undescribed(schema["properties"]["status"], "status"),
    ] == []


def _undescribed(schema, place):
    for name, field in schema.get("properties", {}).items():
        if "description" not in field:
            yield f"{place}.{name}"
        yield from _undescribed(field, f"{place}.{name}")
        yield from _undescribed(field.get("items", {}), f"{place}.{name}[]")
