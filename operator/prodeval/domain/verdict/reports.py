"""Judgements that need no evaluation: nothing yet, not yet, too late, or ended without."""

from prodeval.domain.conditions import Condition
from prodeval.domain.events import format_time
from prodeval.domain.verdict.attempts import Attempt, Waiting
from prodeval.domain.verdict.endings import Ending
from prodeval.domain.verdict.model import Artifact, Expectation, Judgement, Pending
from prodeval.domain.verdict.timeline import Timeline
from prodeval.domain.verdict.words import trigger_command

_WAITING = {
    "Paused": "is paused; resume it in Keptn",
    "AwaitingApproval": "waits for an approval",
    "Queued": "waits until Keptn starts it, behind other sequences of the service",
}


def nothing_yet(expectation: Expectation, timeline: Timeline, pending: Pending | None) -> Judgement:
    """No outcome since the first sync."""
    command = trigger_command(expectation.target, expectation.sequence, _last_artifact(timeline))
    if timeline.invalidated:
        return _pending("Invalidated", f"the evaluation was invalidated; start a delivery: {command}", pending)
    return _pending("AwaitingDelivery", f"no evaluation yet; start a delivery: {command}", pending)


def awaiting(
    expectation: Expectation,
    timeline: Timeline,
    attempt: Attempt | None,
    waiting: Waiting | None,
    pending: Pending,
) -> Judgement:
    """The wanted version has no outcome yet."""
    version = pending.version
    if attempt and waiting:
        return _pending(waiting, f"{version}: {_name(attempt)} {_WAITING[waiting]}", pending)
    if attempt:
        return _pending("AwaitingVersion", f"{version}: {_name(attempt)} is under way{_task(attempt)}", pending)
    if any(one.artifact.version == version for one in timeline.invalidated):
        return _pending("Invalidated", f"the evaluation of {version} was invalidated; a newer one is awaited", pending)
    seen = timeline.deployments[-1].artifact.version if timeline.deployments else ""
    last = f"the newest deployment to {expectation.target.stage} is {seen or 'of an unknown version'}"
    return _pending(
        "AwaitingVersion",
        f"no result of {version} yet; {last if timeline.deployments else 'no deployment seen'}",
        pending,
    )


def timed_out(expectation: Expectation, attempt: Attempt | None, pending: Pending) -> Judgement:
    """The result did not come in time."""
    what = pending.version or "the newest delivery"
    where = (
        f"{_name(attempt)} hangs{_task(attempt)}; look at it in Keptn, and abort it"
        if attempt
        else _untriggered(expectation, pending)
    )
    message = f"no result of {what} until {format_time(pending.deadline)}: {where}"
    return Judgement(
        verdict="Inconclusive",
        passed=Condition("Passed", "Unknown", "ResultTimedOut", message),
        context=pending.context,
        version=pending.version,
        pending=pending,
    )


def ended(ending: Ending, pending: Pending | None) -> Judgement:
    """A run that ended without an evaluation."""
    version = ending.artifact.version
    message = f"{version}: {ending.message}" if version else ending.message
    return Judgement(
        verdict="Fail",
        passed=Condition("Passed", "False", ending.reason, message),
        event_id=ending.event_id,
        context=ending.event.context,
        version=version,
        ended=ending.time,
        triggered=ending.time,
        pending=pending,
    )


def _pending(reason: str, message: str, pending: Pending | None) -> Judgement:
    version = pending.version if pending else ""
    return Judgement("Pending", Condition("Passed", "Unknown", reason, message), version=version, pending=pending)


def _name(attempt: Attempt) -> str:
    return f"{attempt.current.stage}.{attempt.current.sequence}"


def _task(attempt: Attempt) -> str:
    tasks = attempt.current.tasks
    return f", in {tasks[-1].name}" if tasks else ""


def _untriggered(expectation: Expectation, pending: Pending) -> str:
    command = trigger_command(expectation.target, expectation.sequence, Artifact(version=pending.version))
    return f"nothing is under way; start a delivery: {command}"


def _last_artifact(timeline: Timeline) -> Artifact:
    return timeline.artifact(timeline.runs[-1].context) if timeline.runs else Artifact()
