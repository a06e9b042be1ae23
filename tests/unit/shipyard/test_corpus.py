"""The patch on shipyards in all styles, byte for byte, and what Keptn makes of the results."""

from pathlib import Path

import pytest

from prodeval.domain.resource import OnFail
from prodeval.domain.shipyard import Gate, patch, undo_edits
from tests.unit.shipyard.keptn import decoded, names

CORPUS = Path(__file__).parents[2] / "data" / "shipyards"
FILES = sorted(path.name for path in CORPUS.glob("*.*") if path.suffix in {".yaml", ".json"})
GATE = Gate("production", on_fail=OnFail("rollback", ("rollback",)))


def before(name: str) -> str:
    return (CORPUS / name).read_bytes().decode()


def after(name: str) -> str:
    return (CORPUS / "patched" / name).read_bytes().decode()


@pytest.mark.parametrize("name", FILES)
def test_the_patched_shipyard_is_the_one_that_was_reviewed(name: str):
    assert patch(before(name), GATE).text == after(name)


@pytest.mark.parametrize("name", FILES)
def test_undoing_the_edits_gives_the_shipyard_as_it_was(name: str):
    patched = patch(before(name), GATE)

    assert undo_edits(patched.text, patched.edits) == before(name)


@pytest.mark.parametrize("name", FILES)
def test_a_second_patch_has_nothing_to_do(name: str):
    assert patch(after(name), GATE).edits == ()


def test_keptn_reads_every_patched_shipyard_and_runs_the_gate_behind_the_last_deployment(tools: Path):
    for name, shipyard in zip(FILES, decoded(tools, map(after, FILES)), strict=True):
        assert "error" not in shipyard, name
        delivery = names(shipyard, "production", "delivery")
        behind = delivery[len(delivery) - delivery[::-1].index("je-deployment") :]
        assert behind.index("je-test") < behind.index("evaluation"), name
        assert "rollback" in names(shipyard, "production", "rollback"), name


def test_keptn_sees_no_other_difference(tools: Path):
    changed = {"je-test", "evaluation"}
    for old, new in zip(decoded(tools, map(before, FILES)), decoded(tools, map(after, FILES)), strict=True):
        for shipyard in (old, new):
            production = next(stage for stage in shipyard["spec"]["stages"] if stage["name"] == "production")
            production["sequences"] = [
                {**sequence, "tasks": [task for task in sequence["tasks"] if task["name"] not in changed]}
                for sequence in production["sequences"]
                if sequence["name"] != "rollback"
            ]
        assert new == old
