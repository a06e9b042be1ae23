"""The standard conditions, and what Synced and Passed together make of Ready, Reconciling and Stalled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from prodeval.domain.json_values import JSON, JSONObject, as_list, as_object, as_text
from prodeval.domain.resource import Resource

ConditionStatus: TypeAlias = Literal["True", "False", "Unknown"]

RETRIED_REASONS = frozenset(
    {"DependencyNotReady", "GitOperationFailed", "KeptnUnavailable", "ClusterUnavailable", "InternalError"}
)
"""Reasons of a False Synced that pass by themselves; all others need somebody to change something."""

AWAITING_REASONS = frozenset(
    {"Reconciling", "AwaitingVersion", "AwaitingApproval", "Paused", "Queued", "Invalidated", "KeptnUnavailable"}
)
"""Reasons of an Unknown Passed under which a resource that names its version is in progress."""

_TOLD_BY_PASSED = frozenset({"TaskFailed", "SequenceAborted", "ResultTimedOut", "Warning"})
_OURS = ("Ready", "Synced", "Passed", "Reconciling", "Stalled")
_MAX_MESSAGE = 4096


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, before it is dated."""

    type: str
    status: ConditionStatus
    reason: str
    message: str = ""


NOT_SYNCED = Condition("Synced", "Unknown", "Reconciling", "the first sync is under way")
NOT_JUDGED = Condition("Passed", "Unknown", "Reconciling", "the first sync is under way")


def read_condition(status: JSONObject, name: str) -> Condition | None:
    """The condition of a type, as a status holds it."""
    for entry in as_list(status.get("conditions")):
        body = as_object(entry)
        if body.get("type") == name:
            return Condition(
                name, _status(body.get("status")), as_text(body.get("reason")), as_text(body.get("message"))
            )
    return None


def condition_generation(status: JSONObject, name: str) -> int | None:
    """The generation that a condition is about; None if there is no such condition."""
    for entry in as_list(status.get("conditions")):
        body = as_object(entry)
        generation = body.get("observedGeneration")
        if body.get("type") == name and isinstance(generation, int):
            return generation
    return None


def _status(value: JSON) -> ConditionStatus:
    match value:
        case "True":
            return "True"
        case "False":
            return "False"
        case _:
            return "Unknown"


def health(resource: Resource, synced: Condition, passed: Condition, verdict: str) -> tuple[Condition, ...]:
    """Ready, with Reconciling or Stalled where they are True; each row of the table in docs/status.md."""
    if synced.status == "Unknown":
        return _in_progress("Unknown", synced.reason, synced.message)
    if synced.reason in RETRIED_REASONS:
        retrying = "DependencyNotReady" if synced.reason == "DependencyNotReady" else "ProgressingWithRetry"
        return _in_progress("False", synced.reason, synced.message, retrying)
    if synced.status == "False" and synced.reason != "Drifted":
        return _stalled(synced.reason, synced.message)
    if verdict in resource.degrade_on:
        return _stalled(_degraded_reason(passed, verdict), passed.message)
    is_awaited = resource.version and passed.reason in AWAITING_REASONS
    if verdict == "Pending" and (is_awaited or passed.reason in {"EvidenceOutstanding", "InternalError"}):
        return _in_progress("Unknown", passed.reason, passed.message)
    reason = "Synced" if verdict == "Pending" else f"Evaluation{_PAST[verdict]}"
    return (Condition("Ready", "True", reason, passed.message),)


_PAST = {"Pass": "Passed", "Warning": "Warned", "Fail": "Failed", "Inconclusive": "Inconclusive"}


def _in_progress(ready: ConditionStatus, reason: str, message: str, reconciling: str = "") -> tuple[Condition, ...]:
    return Condition("Ready", ready, reason, message), Condition("Reconciling", "True", reconciling or reason, message)


def _stalled(reason: str, message: str) -> tuple[Condition, ...]:
    return Condition("Ready", "False", reason, message), Condition("Stalled", "True", reason, message)


def _degraded_reason(passed: Condition, verdict: str) -> str:
    if passed.reason in _TOLD_BY_PASSED:
        return passed.reason
    return "EvaluationFailed" if verdict == "Fail" else verdict


def write_conditions(
    status: JSONObject, wanted: Iterable[Condition], generation: int, now: str, judged: int | None = None
) -> list[JSONObject]:
    """The conditions of a status, dated: ours replaced, those of others kept.

    A transition time moves only with the condition's status. `now` is RFC 3339; `judged` is the generation that Passed
    is about, if that is another one.
    """
    generations = {} if judged is None else {"Passed": judged}
    before = {as_text(body.get("type")): body for body in map(as_object, as_list(status.get("conditions")))}
    foreign = [body for name, body in before.items() if name not in _OURS]
    dated = [_dated(one, before.get(one.type, {}), generations.get(one.type, generation), now) for one in wanted]
    return [*sorted(dated, key=lambda body: _OURS.index(as_text(body["type"]))), *foreign]


def _dated(condition: Condition, before: Mapping[str, JSON], generation: int, now: str) -> JSONObject:
    unchanged = before.get("status") == condition.status
    return {
        "type": condition.type,
        "status": condition.status,
        "observedGeneration": generation,
        "lastTransitionTime": as_text(before.get("lastTransitionTime"), now) if unchanged else now,
        "reason": condition.reason,
        "message": condition.message[:_MAX_MESSAGE],
    }
