"""Properties of the patch over generated shipyards in every style."""

import os
from copy import deepcopy

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prodeval.domain.errors import ShipyardRefusedError
from prodeval.domain.resource import OnFail
from prodeval.domain.shipyard import Gate, Patched, patch, undo_edits
from tests.unit.shipyard.shipyards import Generated, shipyards

EXAMPLES = int(os.environ.get("PRODEVAL_EXAMPLES", "500"))
"""Set the variable for a long run, with `--timeout=0`."""

gates = st.builds(
    Gate,
    stage=st.just("production"),
    load=st.sampled_from(["Generate", "LiveTraffic"]),
    load_is_explicit=st.booleans(),
    timeframe=st.sampled_from([None, None, "2m", "5m", "240s"]),
    on_fail=st.sampled_from([None, None, OnFail("rollback", ("rollback",)), OnFail("undo", ("notify", "rollback"))]),
)


def load(text: str) -> dict:
    return yaml.load(text.removeprefix("\ufeff"), Loader=yaml.CSafeLoader)


def expected(before: dict, gate: Gate) -> dict:
    """What a person would make of the parsed shipyard."""
    after = deepcopy(before)
    stage = next(stage for stage in after["spec"]["stages"] if stage["name"] == "production")
    index = next(i for i, sequence in enumerate(stage["sequences"]) if sequence["name"] == "delivery")
    expect_gate(stage["sequences"][index]["tasks"], gate)
    if gate.on_fail:
        expect_on_fail(stage["sequences"], index, gate.on_fail)
    return after


def expect_gate(tasks: list, gate: Gate) -> None:
    anchor = max(i for i, task in enumerate(tasks) if task["name"] == "je-deployment")
    behind = tasks[anchor + 1 :]
    names = [task["name"] for task in behind]
    test = names.index("je-test") if "je-test" in names else None
    later = [i for i, name in enumerate(names) if name == "evaluation" and (test is None or i > test)]
    any_evaluation = later or [i for i, name in enumerate(names) if name == "evaluation"]
    new_test = [{"name": "je-test"}] if gate.load == "Generate" and test is None else []
    if any_evaluation:
        evaluation = behind[any_evaluation[0]]
        adopt(evaluation, gate, tested="je-test" in names[: any_evaluation[0]])
        tasks[anchor + 1 : anchor + 1] = new_test
        return
    frame = gate.timeframe or "2m"
    delay = {"triggeredAfter": frame} if gate.load == "LiveTraffic" else {}
    at = anchor + 1 if test is None else anchor + 2 + test
    tasks[at:at] = [*new_test, {"name": "evaluation", **delay, "properties": {"timeframe": frame}}]


def adopt(evaluation: dict, gate: Gate, *, tested: bool) -> None:
    has = (evaluation.get("properties") or {}).get("timeframe")
    frame = gate.timeframe or has or "2m"
    if frame != has and {frame, has} != {"4m", "240s"}:
        evaluation["properties"] = {**(evaluation.get("properties") or {}), "timeframe": frame}
    if gate.load == "LiveTraffic" and (gate.load_is_explicit or not (tested or evaluation.get("triggeredAfter"))):
        evaluation["triggeredAfter"] = frame


def expect_on_fail(sequences: list, index: int, on_fail: OnFail) -> None:
    event = "production.delivery.finished"
    trigger = {"event": event, "selector": {"match": {"evaluation.result": "fail"}}}
    found = next((sequence for sequence in sequences if sequence["name"] == on_fail.sequence), None)
    if found is None:
        tasks = [{"name": task} for task in on_fail.tasks]
        sequences.insert(index + 1, {"name": on_fail.sequence, "triggeredOn": [trigger], "tasks": tasks})
        return
    triggers = found.get("triggeredOn") or []
    if not any(each["event"] == event and "fail" in each["selector"]["match"].values() for each in triggers):
        found["triggeredOn"] = [*triggers, trigger]
    present = [task["name"] for task in found.get("tasks") or []]
    missing = [{"name": task} for task in on_fail.tasks if task not in present]
    if missing:
        found["tasks"] = [*(found.get("tasks") or []), *missing]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(shipyards(), gates)
def test_a_patch_means_the_tasks_and_nothing_else_and_can_be_undone(generated: Generated, gate: Gate):
    try:
        patched = patch(generated.text, gate)
    except ShipyardRefusedError as refusal:
        check_refusal(refusal)
    else:
        check_patched(generated.text, patched, gate)


def check_refusal(refusal: ShipyardRefusedError) -> None:
    assert refusal.line > 0
    assert refusal.column > 0


def check_patched(text: str, patched: Patched, gate: Gate) -> None:
    assert undo_edits(patched.text, patched.edits) == text
    assert load(patched.text) == expected(load(text), gate)
    assert patch(patched.text, gate).edits == ()
