"""What the operator says about whole runs of a real Keptn."""

import random
from dataclasses import replace

import pytest

from prodeval.domain.event_fields import keep_fields
from prodeval.domain.events import merge_events, newest_contexts, slim
from prodeval.domain.resource import Target
from prodeval.domain.verdict import Found, select
from tests.unit.verdict.recordings import names, recording

STEPS = [(name, step) for name in names() for step in recording(name).head["steps"]]
IDS = [f"{name}@{step['t']}" for name, step in STEPS]


def evidence(judgement):
    return {check.check: check.status for check in judgement.evidence}


@pytest.mark.parametrize(("name", "step"), STEPS, ids=IDS)
def test_each_step_of_a_run_has_its_verdict_and_reason(name, step):
    run = recording(name)
    target = Target(run.head["project"], run.head["stage"], step.get("service", run.head["service"]))
    judgement = run.judge(step["t"], target=target)
    assert (judgement.verdict, judgement.passed.reason) == (step["verdict"], step["reason"])
    assert judgement.context in {"", step.get("context", judgement.context)}


@pytest.mark.parametrize("name", names())
def test_a_verdict_is_never_taken_back_for_a_moment(name):
    """Between two steps nothing else is said: no flash of Inconclusive while events arrive one by one."""
    run, said = recording(name), []
    allowed = {(step["verdict"], step["reason"]) for step in run.head["steps"]}
    waiting = {("Pending", reason) for reason in ("AwaitingDelivery", "AwaitingVersion", "AwaitingApproval", "Queued")}
    for t in sorted({answer["t"] for answer in run.answers}):
        judgement = run.judge(t)
        if [(judgement.verdict, judgement.passed.reason)] != said[-1:]:
            said.append((judgement.verdict, judgement.passed.reason))
    decided = [words for words in said if words not in waiting]
    assert set(decided) <= allowed
    assert len(decided) == len(
        [step for step in run.head["steps"] if _decides(step, run) and step["verdict"] != "Pending"]
    )


def _decides(step, run):
    """Whether a step changes what is said about the recording's own service."""
    if step.get("service", run.head["service"]) != run.head["service"]:
        return False
    before = [one for one in run.head["steps"] if one["t"] < step["t"] and "service" not in one]
    return not before or (before[-1]["verdict"], before[-1]["reason"]) != (step["verdict"], step["reason"])


def as_the_operator_remembers_them(events):
    kept = (replace(event, data=keep_fields(event.data)) for event in events)
    return newest_contexts([slim(event) for event in kept], 2)


@pytest.mark.parametrize(("name", "step"), STEPS, ids=IDS)
def test_what_is_forgotten_changes_no_verdict(name, step):
    run = recording(name)
    target = Target(run.head["project"], run.head["stage"], step.get("service", run.head["service"]))
    whole = run.judge(step["t"], target=target)
    remembered = run.judge(step["t"], target=target, remembered=as_the_operator_remembers_them)
    assert (remembered.verdict, remembered.event_id) == (whole.verdict, whole.event_id)
    assert remembered.evaluation == whole.evaluation
    assert evidence(remembered) == evidence(whole)


@pytest.mark.parametrize(("name", "step"), STEPS, ids=IDS)
def test_order_and_repetition_of_what_arrives_do_not_matter(name, step):
    run = recording(name)
    events = list(run.events(step["t"]))
    shuffled = random.Random(name).sample(events, len(events))
    assert merge_events(shuffled, shuffled[::2], events[::-1]) == tuple(events)


@pytest.mark.parametrize("name", ["02-pass", "07-approved-pass", "28-directory-layout", "30-image-tag-only"])
def test_a_good_delivery_has_every_piece_of_evidence(name):
    run = recording(name)
    assert set(evidence(run.judge(run.head["steps"][-1]["t"])).values()) == {"True"}


def test_live_traffic_needs_no_test_task():
    run = recording("25-live-traffic")
    assert evidence(run.judge(run.head["steps"][-1]["t"]))["GateRan"] == "True"
    assert evidence(run.judge(run.head["steps"][-1]["t"], test_task="je-test"))["GateRan"] == "False"


def test_a_stand_alone_evaluation_has_no_gate_to_look_at():
    run = recording("21-evaluate-now")
    checks = evidence(run.judge(run.head["steps"][-1]["t"]))
    assert [name for name, status in checks.items() if status == "Unknown"] == ["GateRan"]


def test_without_a_known_deployment_the_window_is_unknown_and_a_pass_still_counts():
    run = recording("35-many-evaluations")
    judgement = run.judge(run.head["steps"][0]["t"])
    assert evidence(judgement)["WindowAfterDeployment"] == "Unknown"
    assert judgement.verdict == "Pass"


def test_files_changed_by_others_show_in_two_checks():
    run = recording("26-slo-changed-meanwhile")
    judgement = run.judge(run.head["steps"][-1]["t"])
    assert [name for name, status in evidence(judgement).items() if status == "False"] == [
        "SLOMatches",
        "FilesUnchanged",
    ]


def test_compared_evaluations_are_fed_to_our_own_evaluator():
    run = recording("20-comparison")
    t = run.head["steps"][-1]["t"]
    found = select(run.expectation(t), run.events(t), run.executions(t), None, run.now(t))
    assert isinstance(found, Found)
    assert (len(found.compared), found.missing) == (3, ())
    judgement = run.judge(t)
    assert evidence(judgement)["Recomputed"] == "True"
    assert "compared with 0.1019" in judgement.passed.message


def test_the_record_holds_what_keptn_said():
    run = recording("03-warning")
    record = run.judge(run.head["steps"][-1]["t"]).evaluation
    assert (record.result, record.score, record.version) == ("warning", "75", "v0.1.3")
    assert record.image == "ghcr.io/podtato-head/podtatoserver:v0.1.3"
    assert record.window_start < record.window_end
    first, second, third = record.objectives
    assert (first.sli, first.status, first.value) == ("http_response_time_p95", "Warning", "0.4875")
    assert (first.pass_criteria, first.violated, first.weight) == (("<=0.3",), ("<=0.3",), 1)
    assert (second.status, third.status, third.pass_criteria) == ("Pass", "Info", ())


def test_a_task_that_failed_is_named_with_what_it_said():
    run = recording("08-je-test-fails")
    message = run.judge(run.head["steps"][-1]["t"]).passed.message
    assert message.startswith("v0.1.1: je-test in stage production failed: Execution of task 'je-test' failed")
    assert "\n" not in message


def test_a_failed_earlier_stage_counts_only_for_the_wanted_version():
    run = recording("10-qa-evaluation-fails")
    t = run.head["steps"][-1]["t"]
    assert "in stage qa failed" in run.judge(t).passed.message
    assert run.judge(t, version=None).passed.reason == "AwaitingDelivery"
    assert run.judge(t, version="v9").passed.reason == "AwaitingVersion"


def test_an_abort_names_the_task_that_was_going_on_then():
    run = recording("12-aborted")
    assert (
        run.judge(run.head["steps"][-1]["t"]).passed.message == "v0.1.1: production.delivery was aborted during je-test"
    )


def test_another_version_than_wanted_is_named():
    run = recording("02-pass")
    judgement = run.judge(run.head["steps"][-1]["t"], version="v2")
    assert judgement.passed.reason == "AwaitingVersion"
    assert "is v0.1.1" in judgement.passed.message


def test_the_command_that_starts_a_delivery_is_given():
    run = recording("01-unpatched")
    message = run.judge(run.head["steps"][-1]["t"]).passed.message
    assert message.endswith(
        "keptn trigger delivery --project=s01-unpatched --service=helloservice "
        "--image=ghcr.io/podtato-head/podtatoserver:v0.1.1 --labels=version=v0.1.1"
    )
