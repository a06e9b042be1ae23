from datetime import timedelta

import pytest

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
        ({"files": [{}]}, r"spec.files\[0\]: give exactly one of"),
        ({"files": [{"stage": {"name": "qa"}, "inline": {}}]}, r"spec.files\[0\]: give exactly one of"),
    ],
)
def test_a_wrong_spec_is_refused_with_its_place(spec, message):
    with pytest.raises(InvalidSpecError, match=message):
        read_resource(body(**spec))
