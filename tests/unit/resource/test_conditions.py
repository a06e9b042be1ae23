from dataclasses import replace

import pytest

from prodeval.domain.conditions import NOT_JUDGED, NOT_SYNCED, Condition, health, read_condition, write_conditions
from prodeval.domain.resource import Resource, ResourceKey, Target

RESOURCE = Resource(ResourceKey("team-a", "hello"), Target("fulltour", "production", "hello"))
VERSIONED = replace(RESOURCE, version="v1")
SYNCED = Condition("Synced", "True", "Synced")


def passed(status, reason):
    return Condition("Passed", status, reason, "what was seen")


ROWS = [
    # resource, Synced, Passed, verdict -> Ready, its reason, and Reconciling or Stalled with its reason
    (RESOURCE, NOT_SYNCED, NOT_JUDGED, "Pending", "Unknown", "Reconciling", ("Reconciling", "Reconciling")),
    (
        RESOURCE,
        Condition("Synced", "False", "DependencyNotReady"),
        NOT_JUDGED,
        "Pending",
        "False",
        "DependencyNotReady",
        ("Reconciling", "DependencyNotReady"),
    ),
    (
        RESOURCE,
        Condition("Synced", "False", "GitOperationFailed"),
        NOT_JUDGED,
        "Pending",
        "False",
        "GitOperationFailed",
        ("Reconciling", "ProgressingWithRetry"),
    ),
    (
        RESOURCE,
        Condition("Synced", "False", "AccessDenied"),
        NOT_JUDGED,
        "Pending",
        "False",
        "AccessDenied",
        ("Stalled", "AccessDenied"),
    ),
    (
        RESOURCE,
        Condition("Synced", "False", "InvalidFile"),
        passed("True", "Passed"),
        "Pass",
        "False",
        "InvalidFile",
        ("Stalled", "InvalidFile"),
    ),
    (RESOURCE, SYNCED, passed("Unknown", "AwaitingDelivery"), "Pending", "True", "Synced", None),
    (
        VERSIONED,
        SYNCED,
        passed("Unknown", "AwaitingVersion"),
        "Pending",
        "Unknown",
        "AwaitingVersion",
        ("Reconciling", "AwaitingVersion"),
    ),
    (
        VERSIONED,
        SYNCED,
        passed("Unknown", "AwaitingApproval"),
        "Pending",
        "Unknown",
        "AwaitingApproval",
        ("Reconciling", "AwaitingApproval"),
    ),
    (VERSIONED, SYNCED, passed("Unknown", "Queued"), "Pending", "Unknown", "Queued", ("Reconciling", "Queued")),
    (RESOURCE, SYNCED, passed("True", "Passed"), "Pass", "True", "EvaluationPassed", None),
    (RESOURCE, SYNCED, passed("True", "Warning"), "Warning", "True", "EvaluationWarned", None),
    (
        replace(RESOURCE, degrade_on=frozenset({"Warning"})),
        SYNCED,
        passed("True", "Warning"),
        "Warning",
        "False",
        "Warning",
        ("Stalled", "Warning"),
    ),
    (RESOURCE, SYNCED, passed("False", "Fail"), "Fail", "False", "EvaluationFailed", ("Stalled", "EvaluationFailed")),
    (RESOURCE, SYNCED, passed("False", "TaskFailed"), "Fail", "False", "TaskFailed", ("Stalled", "TaskFailed")),
    (
        replace(RESOURCE, degrade_on=frozenset()),
        SYNCED,
        passed("False", "Fail"),
        "Fail",
        "True",
        "EvaluationFailed",
        None,
    ),
    (
        RESOURCE,
        SYNCED,
        passed("Unknown", "NoObjectives"),
        "Inconclusive",
        "False",
        "Inconclusive",
        ("Stalled", "Inconclusive"),
    ),
    (
        RESOURCE,
        SYNCED,
        passed("Unknown", "ResultTimedOut"),
        "Inconclusive",
        "False",
        "ResultTimedOut",
        ("Stalled", "ResultTimedOut"),
    ),
    (
        RESOURCE,
        Condition("Synced", "False", "Drifted"),
        passed("True", "Passed"),
        "Pass",
        "True",
        "EvaluationPassed",
        None,
    ),
]


@pytest.mark.parametrize("row", ROWS)
def test_each_row_of_the_table(row):
    *situation, ready, reason, other = row
    first, *rest = health(*situation)
    assert (first.type, first.status, first.reason) == ("Ready", ready, reason)
    assert [(condition.type, condition.reason) for condition in rest] == ([other] if other else [])


def test_a_transition_is_dated_when_the_status_moves_and_not_before():
    status = {"conditions": write_conditions({}, [SYNCED], 1, "t1")}
    again = write_conditions(status, [replace(SYNCED, message="more")], 2, "t2")
    assert (again[0]["lastTransitionTime"], again[0]["observedGeneration"]) == ("t1", 2)
    moved = write_conditions(status, [replace(SYNCED, status="False", reason="Drifted")], 2, "t2")
    assert moved[0]["lastTransitionTime"] == "t2"


def test_conditions_of_others_are_kept_and_ours_come_first():
    foreign = {"type": "Audited", "status": "True", "reason": "Nightly", "message": "", "lastTransitionTime": "t0"}
    status = {"conditions": [foreign, *write_conditions({}, [Condition("Stalled", "True", "Gone")], 1, "t1")]}
    written = write_conditions(status, [SYNCED, Condition("Ready", "True", "Synced")], 1, "t2")
    assert [entry["type"] for entry in written] == ["Ready", "Synced", "Audited"]
    assert written[2] == foreign


def test_what_was_written_is_read_back():
    status = {"conditions": write_conditions({}, [passed("True", "Passed")], 1, "t1")}
    assert read_condition(status, "Passed") == passed("True", "Passed")
    assert read_condition(status, "Ready") is None
