"""What resources want of a shipyard, and whether they agree."""

from dataclasses import replace

import pytest

from prodeval.domain.errors import ShipyardConflictError
from prodeval.domain.resource import OnFail, Resource, ResourceKey, ShipyardSpec, Target
from prodeval.domain.shipyard import check_agreement, differing_field, gate

SPEC = ShipyardSpec()


def resource(name: str, created: str, spec: ShipyardSpec = SPEC, stage: str = "production") -> Resource:
    return Resource(
        ResourceKey("team", name), Target("fulltour", stage, name), uid=name, created=created, shipyard=spec
    )


def test_load_follows_the_files_unless_the_spec_says_it():
    assert gate("production", SPEC, has_load_files=True).load == "Generate"
    assert gate("production", SPEC, has_load_files=False).load == "LiveTraffic"
    assert gate("production", replace(SPEC, load="LiveTraffic"), has_load_files=True).load_is_explicit


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"policy": "Verify"}, "policy"),
        ({"after_task": "deployment"}, "afterTask"),
        ({"test_task": "test"}, "testTask"),
        ({"load": "LiveTraffic"}, "load"),
        ({"timeframe": "5m"}, "timeframe"),
        ({"on_fail": OnFail("rollback", ("rollback",))}, "onFail"),
        ({}, None),
    ],
)
def test_the_differing_field_is_named_as_the_resource_spells_it(changed: dict, field: str | None):
    assert differing_field(SPEC, replace(SPEC, **changed)) == field


def test_the_oldest_decides_and_the_other_is_told_the_resource_and_the_field():
    old = resource("a", "2026-01-01T00:00:00Z")
    young = resource("b", "2026-01-02T00:00:00Z", replace(SPEC, timeframe="5m"))

    check_agreement(old, [young])
    with pytest.raises(ShipyardConflictError, match=r"team/a is older.*spec\.shipyard\.timeframe"):
        check_agreement(young, [old])


def test_resources_of_other_stages_or_sequences_need_not_agree():
    young = resource("b", "2026-01-02T00:00:00Z", replace(SPEC, timeframe="5m"))

    check_agreement(young, [resource("a", "2026-01-01T00:00:00Z", stage="qa")])
    check_agreement(young, [resource("a", "2026-01-01T00:00:00Z", replace(SPEC, sequence="direct"))])
