from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from prodeval.domain.errors import InvalidSpecError
from prodeval.domain.resource import (
    ConfigMapFiles,
    InlineFile,
    OnFail,
    ResourceKey,
    StageFiles,
    Target,
    read_resource,
)


def body(**spec):
    return {
        "metadata": {"namespace": "team-a", "name": "hello", "uid": "u1", "generation": 3},
        "spec": {"project": "fulltour", "service": "helloservice"} | spec,
    }


def test_two_fields_are_enough():
    resource = read_resource(body())
    assert resource.key == ResourceKey("team-a", "hello")
    assert resource.target == Target("fulltour", "production", "helloservice")
    assert (resource.generation, resource.interval) == (3, timedelta(minutes=10))
    assert resource.shipyard.after_task == "je-deployment"
    assert resource.degrade_on == {"Fail", "Inconclusive"}


def test_all_sources_of_files_are_read_in_order():
    resource = read_resource(
        body(
            files=[
                {"stage": {"name": "qa", "paths": ["slo.yaml"]}},
                {"configMap": {"name": "gate", "items": [{"key": "slo", "path": "slo.yaml"}]}},
                {"inline": {"path": "locust/locust.conf", "content": "users = 5\n"}},
            ]
        )
    )
    assert resource.files == (
        StageFiles("qa", ("slo.yaml",)),
        ConfigMapFiles("gate", (("slo", "slo.yaml"),)),
        InlineFile("locust/locust.conf", "users = 5\n"),
    )


def test_the_shipyard_settings_are_read():
    shipyard = read_resource(
        body(shipyard={"load": "LiveTraffic", "timeframe": "5m", "onFail": {"sequence": "rollback", "tasks": ["undo"]}})
    ).shipyard
    assert (shipyard.load, shipyard.timeframe, shipyard.policy) == ("LiveTraffic", "5m", "Manage")
    assert shipyard.on_fail == OnFail("rollback", ("undo",))


def test_an_empty_degrade_on_degrades_on_nothing():
    assert read_resource(body(degradeOn=[])).degrade_on == frozenset()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"project": None}, "spec.project is missing"),
        ({"service": ""}, "spec.service is missing"),
        ({"interval": "ten"}, "spec.interval: 'ten' is not a duration"),
        ({"resultTimeout": "1d"}, "spec.resultTimeout: '1d' is not a duration"),
        ({"historyLimit": "many"}, "spec.historyLimit: 'many' is not an integer"),
        ({"interval": "1s"}, "spec.interval: must be from 1m to 24h"),
        ({"interval": "9" * 5000 + "h"}, "spec.interval: '999.*' is longer than any duration can be"),
        ({"interval": 600}, "spec.interval: must be text"),
        ({"stage": 7}, "spec.stage: must be text"),
        ({"service": "../other"}, r"spec.service: '../other' is not a name"),
        ({"suspend": "yes"}, "spec.suspend: must be true or false"),
        ({"historyLimit": 10**5000}, "spec.historyLimit: must be from 0 to 50"),
        ({"degradeOn": "Fail"}, "spec.degradeOn: must be a list"),
        ({"degradeOn": ["Pass"]}, "spec.degradeOn: 'Pass' is none of Warning, Fail, Inconclusive"),
        ({"shipyard": []}, "spec.shipyard: must be a mapping"),
        ({"shipyard": {"policy": "Force"}}, "spec.shipyard.policy: 'Force' is none of Manage, Verify"),
        ({"shipyard": {"onFail": "rollback"}}, "spec.shipyard.onFail: must be a mapping"),
        ({"files": [{"configMap": {"name": "gate", "items": ["slo.yaml"]}}]}, "must be mappings of key and path"),
        ({"files": [{"inline": {"path": "a", "content": "\ud83d"}}]}, r"spec.files\[0\].inline.content: must be text"),
        ({"files": [{}]}, r"spec.files\[0\]: give exactly one of"),
        ({"files": [{"stage": {"name": "qa"}, "inline": {}}]}, r"spec.files\[0\]: give exactly one of"),
    ],
)
def test_a_wrong_spec_is_refused_with_its_place(spec, message):
    with pytest.raises(InvalidSpecError, match=message):
        read_resource(body(**spec))


@pytest.mark.parametrize(
    "odd",
    [{}, {"spec": None}, {"spec": []}, {"spec": "x"}, {"metadata": [], "spec": {"project": "p"}}, {"metadata": 7}],
)
def test_an_object_without_a_spec_is_refused(odd):
    with pytest.raises(InvalidSpecError, match=r"^spec"):
        read_resource(odd)


def test_a_generation_that_is_none_is_refused():
    odd = body()
    odd["metadata"]["generation"] = "banana"
    with pytest.raises(InvalidSpecError, match=r"^metadata\.generation: 'banana' is not an integer"):
        read_resource(odd)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANY = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


def like(schema):
    """Mostly of the schema's kind, anything else at times."""
    match schema:
        case {"properties": fields}:
            own = st.fixed_dictionaries({}, optional={name: like(child) for name, child in fields.items()})
        case {"items": item}:
            own = st.lists(like(item), max_size=3)
        case {"type": "string"}:
            own = st.text(max_size=8) | st.sampled_from([*schema.get("enum", ()), "hello", "10m", "slo.yaml", "1s"])
        case {"type": "integer"}:
            own = st.integers(0, 60)
        case {"type": "boolean"}:
            own = st.booleans()
        case _:
            own = ANY
    return st.one_of(own, own, own, own, own, ANY)


CRD = yaml.safe_load((Path(__file__).parents[3] / "crds" / "productionevaluations.yaml").read_text())
SCHEMA = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"] | {
    "metadata": {"properties": {"generation": {"type": "integer"}, "name": {"type": "string"}, "annotations": {}}}
}


@settings(deadline=None)
@given(st.dictionaries(st.text(), ANY) | like({"properties": SCHEMA}).filter(lambda drawn: isinstance(drawn, dict)))
def test_any_object_is_read_or_refused(odd):
    with suppress(InvalidSpecError):
        resource = read_resource(odd)
        assert timedelta(minutes=1) <= resource.interval <= timedelta(hours=24)
        assert 0 <= resource.history_limit <= 50
