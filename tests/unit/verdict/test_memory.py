"""A verdict that a status holds is read back as it was written, and counts until something undoes it."""

from dataclasses import replace

import pytest

from prodeval.domain.report import Report, build_status
from prodeval.domain.resource import Resource, ResourceKey, ShipyardSpec
from prodeval.domain.verdict import Judgement, remember, select
from prodeval.domain.verdict.memory import is_invalidated, recall
from tests.unit.verdict.keptn_events import Story, expectation, time
from tests.unit.verdict.recordings import names, recording

STEPS = [
    (name, step)
    for name in names()
    for step in recording(name).head["steps"]
    if step["verdict"] != "Pending" and step["reason"] != "ResultTimedOut" and "service" not in step
]
IDS = [f"{name}@{step['t']}" for name, step in STEPS]
LOSABLE = ("triggeredAt", "tasks", "evidence", "objectives", "version", "image", "windowStart", "windowEnd", "message")


def written(judgement, expected, status=None, **spec):
    """The status once a judgement was written into it."""
    shipyard = ShipyardSpec(sequence=expected.sequence, after_task=expected.after_task)
    resource = Resource(
        ResourceKey("n", "r"), expected.target, version=expected.version, shipyard=shipyard, status=status or {}, **spec
    )
    return build_status(resource, Report(judgement=judgement), "2026-01-01T00:00:00Z")


def expected_of(run, t):
    """As the operator has it: with the tasks that the spec names."""
    usual = run.expectation(t)
    return replace(usual, tasks=(usual.sequence, usual.after_task, ShipyardSpec().test_task))


def judged(name, step):
    run = recording(name)
    return run, expected_of(run, step["t"]), run.judge(step["t"])


@pytest.mark.parametrize(("name", "step"), STEPS, ids=IDS)
def test_each_recorded_verdict_is_read_back_as_it_was_written(name, step):
    _, expected, judgement = judged(name, step)
    status = written(judgement, expected)
    remembered = remember(status, expected)
    assert remembered.event_id == judgement.event_id
    kept = remembered.judgement
    assert kept.recalled
    unwritten = {"pending": None, "recalled": False}
    assert replace(kept, **unwritten, ended=judgement.ended, triggered=judgement.triggered) == replace(
        judgement, **unwritten
    )
    assert abs(kept.ended - judgement.ended).total_seconds() < 0.001
    assert abs(kept.triggered - judgement.triggered).total_seconds() < 0.001


@pytest.mark.parametrize(("name", "step"), STEPS, ids=IDS)
def test_a_verdict_that_is_read_back_writes_nothing(name, step):
    _, expected, judgement = judged(name, step)
    status = written(judgement, expected)
    again = recall(remember(status, expected), None, None)
    assert written(replace(again, pending=judgement.pending), expected, status) == status


@pytest.mark.parametrize(("name", "step"), STEPS, ids=IDS)
def test_a_verdict_is_kept_when_keptn_forgot_everything(name, step):
    run, expected, judgement = judged(name, step)
    remembered = remember(written(judgement, expected), expected)
    again = select(expected, (), (), None, run.now(step["t"]), remembered=remembered)
    assert isinstance(again, Judgement)
    assert (again.verdict, again.passed, again.event_id) == (judgement.verdict, judgement.passed, judgement.event_id)


@pytest.mark.parametrize(("name", "step"), STEPS, ids=IDS)
def test_a_verdict_is_kept_while_keptn_still_has_its_events(name, step):
    run, expected, judgement = judged(name, step)
    remembered = remember(written(judgement, expected), expected)
    again = select(
        expected, run.events(step["t"]), run.executions(step["t"]), None, run.now(step["t"]), remembered=remembered
    )
    assert isinstance(again, Judgement)
    assert (again.verdict, again.passed.reason, again.event_id) == (
        judgement.verdict,
        judgement.passed.reason,
        judgement.event_id,
    )


@pytest.mark.parametrize("lost", LOSABLE)
@pytest.mark.parametrize(("name", "step"), STEPS, ids=IDS)
def test_a_status_that_lost_a_field_keeps_its_verdict(name, step, lost):
    """A CRD that is older does not keep it, or an earlier release never wrote it."""
    _, expected, judgement = judged(name, step)
    status = written(judgement, expected)
    last = {field: value for field, value in status["lastEvaluation"].items() if field != lost}
    remembered = remember(status | {"lastEvaluation": last}, expected)
    if lost == "version" and expected.version:
        assert remembered is None
    else:
        assert (remembered.judgement.verdict, remembered.judgement.passed) == (judgement.verdict, judgement.passed)


@pytest.mark.parametrize(("name", "step"), STEPS, ids=IDS)
def test_a_verdict_that_the_status_does_not_show_now_is_concluded_from_its_record(name, step):
    """The spec asked for another version, and asks for this one again."""
    _, expected, judgement = judged(name, step)
    status = written(judgement, expected)
    other = Judgement("Pending", replace(judgement.passed, status="Unknown", reason="AwaitingVersion", message="x"))
    waiting = written(other, expected, status)
    kept = remember(waiting, expected).judgement
    assert kept.verdict == judgement.verdict
    assert kept.passed.status == judgement.passed.status
    assert kept.evidence == judgement.evidence


def story():
    told = Story()
    told.deliver(10, "c1")
    return told


def status_of(told, now=200, **changes):
    return written(told.judge(now, **changes), expectation(**changes))


EXPECTED = expectation(tasks=("delivery", "je-deployment", "je-test"))


@pytest.mark.parametrize("event_id", [None, "", 7])
def test_without_the_id_of_its_event_there_is_no_verdict(event_id):
    status = status_of(story())
    last = status["lastEvaluation"] | {"eventID": event_id}
    assert remember(status | {"lastEvaluation": last}, EXPECTED) is None
    assert remember({}, EXPECTED) is None


def test_without_any_time_there_is_no_verdict():
    status = status_of(story())
    last = {name: one for name, one in status["lastEvaluation"].items() if name not in {"triggeredAt", "windowEnd"}}
    assert remember(status | {"lastEvaluation": last}, EXPECTED) is not None  # the history has one
    assert remember(status | {"lastEvaluation": last, "history": []}, EXPECTED) is None


@pytest.mark.parametrize(
    ("changes", "is_kept"),
    [
        ({}, True),
        ({"version": "v1"}, True),
        ({"version": "v2"}, False),
        ({"tasks": ("other", "je-deployment", "je-test")}, False),
        ({"tasks": ("delivery", "deploy", "je-test")}, False),
        ({"tasks": ("delivery", "je-deployment", "load")}, False),
    ],
)
def test_another_expectation_is_another_question(changes, is_kept):
    assert (remember(status_of(story()), replace(EXPECTED, **changes)) is not None) == is_kept


@pytest.mark.parametrize("reason", ["ResultTimedOut", "EvidenceOutstanding"])
def test_what_is_said_of_something_else_is_not_the_verdict(reason):
    """The newest run timed out, or its evidence is outstanding: lastEvaluation is of the one before."""
    status = status_of(story())
    conditions = [
        one | {"status": "Unknown", "reason": reason} if one["type"] == "Passed" else one
        for one in status["conditions"]
    ]
    kept = remember(status | {"verdict": "Inconclusive", "conditions": conditions}, EXPECTED).judgement
    assert (kept.verdict, kept.passed.reason) == ("Pass", "Pass")


def invalidated(at, context="c1", stage="production"):
    told = Story()
    told.add(at, "evaluation.invalidated", context, stage, answers="gone", source="bridge")
    return told.events(1000)


@pytest.mark.parametrize(
    ("events", "is_undone"),
    [
        (invalidated(150), True),
        (invalidated(50), False),
        (invalidated(150, context="c2"), False),
        (invalidated(150, stage="qa"), False),
        (story().events(1000), False),
    ],
)
def test_an_invalidation_of_the_run_undoes_its_verdict(events, is_undone):
    remembered = remember(status_of(story()), EXPECTED)
    assert is_invalidated(remembered, events, "production") == is_undone


def test_an_invalidated_verdict_gives_way_to_what_is_told():
    remembered = remember(status_of(story()), EXPECTED)
    found = select(EXPECTED, invalidated(150), (), None, time(200), remembered=remembered)
    assert found.verdict == "Pending"


def deployed_again(**changes):
    """The verdict once production was deployed to again, as far as it is known from the status."""
    told = story()
    status = status_of(told, **changes)
    told.task(300, 320, "c9", "je-deployment")
    deployment = told.events(1000)
    return select(EXPECTED, deployment, (), None, time(1000), remembered=remember(status, EXPECTED))


def test_a_pass_from_before_a_deployment_says_nothing_about_what_runs_since():
    again = deployed_again()
    assert (again.verdict, again.passed.reason) == ("Inconclusive", "WindowAfterDeployment")
    assert {one.check: one.status for one in again.evidence}["WindowAfterDeployment"] == "False"
    assert not again.recalled


def test_that_files_changed_since_is_said_once():
    remembered = remember(status_of(story()), EXPECTED)
    assert "earlier files" not in recall(remembered, None, time(50)).passed.message
    remarked = recall(remembered, None, time(150))
    assert remarked.passed.message == "v1 passed, score 100; judged with earlier files"
    again = remember(written(remarked, EXPECTED, status_of(story())), EXPECTED)
    assert recall(again, None, time(150)).passed == remarked.passed


def test_a_fail_from_before_a_deployment_stays():
    told = Story()
    told.deliver(10, "c1", value=5)
    status = status_of(told)
    told.task(300, 320, "c9", "je-deployment")
    again = select(EXPECTED, told.events(1000), (), None, time(1000), remembered=remember(status, EXPECTED))
    assert (again.verdict, again.passed.reason) == ("Fail", "Fail")


@pytest.mark.parametrize(
    ("last", "verdict", "reason"),
    [
        ({}, "Fail", "TaskFailed"),
        ({"result": "fail", "objectives": []}, "Fail", "Fail"),
        ({"result": "pass"}, "Pass", "Pass"),
        ({"result": "warning"}, "Warning", "Warning"),
        (
            {"result": "pass", "evidence": [{"check": "GateRan", "status": "False", "message": "x"}]},
            "Inconclusive",
            "GateRan",
        ),
        ({"result": "odd"}, "Fail", "Fail"),
    ],
)
def test_what_a_record_says_by_itself(last, verdict, reason):
    record = {"eventID": "e", "windowEnd": "2026-01-01T00:00:00Z", "version": "v1", "score": "90", **last}
    kept = remember({"lastEvaluation": record}, EXPECTED).judgement
    assert (kept.verdict, kept.passed.reason) == (verdict, reason)
    assert kept.evaluation is None or kept.passed.message.startswith("v1")


@pytest.mark.parametrize("odd", [None, 7, "x", [], {"a": 1}, [7], [{"status": 7}]])
@pytest.mark.parametrize("field", ["evidence", "objectives", "tasks", "triggeredAt", "windowStart", "score", "message"])
def test_nothing_that_a_status_may_hold_is_an_error(field, odd):
    status = status_of(story())
    last = status["lastEvaluation"] | {field: odd}
    remember(status | {"lastEvaluation": last, "verdict": "Pending"}, EXPECTED)
    remember(status | {"lastEvaluation": odd, "history": odd, "conditions": odd}, EXPECTED)
