"""The verdict that a status holds. Once proven it is a fact: it is read back here, never proven again."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from prodeval.domain.conditions import Condition, ConditionStatus, read_condition
from prodeval.domain.events import Event, format_time, parse_time
from prodeval.domain.json_values import JSON, JSONObject, as_list, as_object, as_text, child
from prodeval.domain.verdict.endings import ended_reason
from prodeval.domain.verdict.evidence import first_doubt
from prodeval.domain.verdict.judge import EARLIER_FILES
from prodeval.domain.verdict.model import (
    Check,
    Deployment,
    EvaluationRecord,
    Expectation,
    Judgement,
    Objective,
    ObjectiveStatus,
    Remembered,
    Verdict,
)
from prodeval.domain.verdict.runs import EVALUATION

_NO_VERDICT = frozenset({"ResultTimedOut", "EvidenceOutstanding"})
"""Reasons under which the word in `verdict` is not about `lastEvaluation`."""


def remember(status: JSONObject, expectation: Expectation) -> Remembered | None:
    """The verdict that a status holds; None if there is none, or if it answers another expectation.

    Kept where a status lost a field, or never had it (one of an earlier release): what is absent contradicts nothing.
    """
    last = as_object(status.get("lastEvaluation"))
    if not as_text(last.get("eventID")) or not _answers(last, expectation):
        return None
    judgement = _judgement(status, last)
    time = parse_time(as_text(last.get("triggeredAt"))) or parse_time(as_text(last.get("windowEnd"))) or judgement.ended
    if time is None:
        return None
    return Remembered(time, parse_time(as_text(last.get("windowStart"))), judgement)


def is_invalidated(remembered: Remembered, events: Iterable[Event], stage: str) -> bool:
    """Whether a verdict was invalidated, as far as events tell of which the deciding one need not be known any more."""
    return any(
        event.type == f"sh.keptn.event.{EVALUATION}.invalidated"
        and (event.context, event.text("stage")) == (remembered.judgement.context, stage)
        and event.time > remembered.time
        for event in events
    )


def recall(remembered: Remembered, deployment: Deployment | None, files_pushed: datetime | None) -> Judgement:
    """The verdict again, as the status has it; a pass from before a deployment proves nothing about what runs since.

    `files_pushed` is when the operator last changed the stage's files.
    """
    kept = _remarked(remembered, files_pushed)
    if remembered.speaks_after(deployment) or deployment is None or kept.verdict not in {"Pass", "Warning"}:
        return kept
    end = format_time(deployment.event.time)
    message = f"the window starts before the deployment that ended at {end}; let production be evaluated again"
    check = Check("WindowAfterDeployment", "False", message)
    evidence = tuple(check if one.check == check.check else one for one in kept.evidence)
    text = f"{_name(kept.version)}: Keptn says {kept.evaluation.result if kept.evaluation else ''}, but {message}"
    passed = Condition("Passed", "Unknown", check.check, text)
    return replace(kept, verdict="Inconclusive", passed=passed, evidence=evidence, recalled=False)


def _remarked(remembered: Remembered, files_pushed: datetime | None) -> Judgement:
    """The verdict, saying so if the files have changed since it was triggered."""
    kept, passed = remembered.judgement, remembered.judgement.passed
    if files_pushed is None or files_pushed <= remembered.time or passed.message.endswith(EARLIER_FILES):
        return kept
    return replace(kept, passed=replace(passed, message=passed.message + EARLIER_FILES))


def _answers(last: JSONObject, expectation: Expectation) -> bool:
    tasks = as_object(last.get("tasks"))
    names = ("sequence", "afterTask", "testTask")
    same = all(tasks.get(name, wanted) == wanted for name, wanted in zip(names, expectation.tasks, strict=True))
    return same and expectation.version in {None, as_text(last.get("version"))}


def _judgement(status: JSONObject, last: JSONObject) -> Judgement:
    context = as_text(last.get("context"))
    evidence = tuple(map(_check, as_list(last.get("evidence"))))
    verdict, passed = _conclusion(status, last, evidence)
    ended = (
        as_text(child(one, "endTime")) for one in as_list(status.get("history")) if child(one, "context") == context
    )
    return Judgement(
        verdict=verdict,
        passed=passed,
        event_id=as_text(last.get("eventID")),
        context=context,
        version=as_text(last.get("version")),
        ended=parse_time(next(ended, "")),
        triggered=parse_time(as_text(last.get("triggeredAt"))),
        evaluation=_record(last) if "result" in last else None,
        evidence=evidence,
        recalled=True,
    )


def _conclusion(status: JSONObject, last: JSONObject, evidence: tuple[Check, ...]) -> tuple[Verdict, Condition]:
    """As the status says it; while it says something else (it waited for another version), from what it was made of."""
    verdict, passed = as_text(status.get("verdict")), read_condition(status, "Passed")
    if passed is not None and passed.reason not in _NO_VERDICT:
        match verdict:
            case "Pass" | "Warning" | "Fail" | "Inconclusive":
                return verdict, passed
    return _concluded(last, evidence)


def _concluded(last: JSONObject, evidence: tuple[Check, ...]) -> tuple[Verdict, Condition]:
    name, result = _name(as_text(last.get("version"))), as_text(last.get("result"))
    if not result:
        message = as_text(last.get("message"))
        return "Fail", Condition("Passed", "False", ended_reason(message), message)
    if result not in {"pass", "warning"}:
        return "Fail", Condition("Passed", "False", "Fail", f"{name} failed: {_missed(last)}")
    doubt = first_doubt(evidence)
    if doubt is not None:
        return "Inconclusive", Condition(
            "Passed", "Unknown", doubt.check, f"{name}: Keptn says {result}, but {doubt.message}"
        )
    score = as_text(last.get("score"))
    if result == "warning":
        message = f"{name} passed with a warning, score {score}: {_missed(last)}"
        return "Warning", Condition("Passed", "True", "Warning", message)
    return "Pass", Condition("Passed", "True", "Pass", f"{name} passed, score {score}")


def _missed(last: JSONObject) -> str:
    missed = [one for one in _record(last).objectives if one.status in {"Fail", "Warning"}]
    told = (
        f"{one.sli} is {one.value}, wanted {' and '.join(one.violated)}" if one.value else f"{one.sli} was not measured"
        for one in missed
    )
    return "; ".join(told) or as_text(last.get("message")) or "Keptn gives no reason"


def _name(version: str) -> str:
    return version or "the deployed version"


def _check(value: JSON) -> Check:
    return Check(as_text(child(value, "check")), _status(child(value, "status")), as_text(child(value, "message")))


def _status(value: JSON) -> ConditionStatus:
    match value:
        case "True" | "False":
            return value
        case _:
            return "Unknown"


def _record(last: JSONObject) -> EvaluationRecord:
    def text(name: str) -> str:
        return as_text(last.get(name))

    return EvaluationRecord(
        context=text("context"),
        event_id=text("eventID"),
        version=text("version"),
        image=text("image"),
        window_start=text("windowStart"),
        window_end=text("windowEnd"),
        result=text("result"),
        score=text("score"),
        message=text("message"),
        objectives=tuple(map(_objective, as_list(last.get("objectives")))),
    )


def _objective(value: JSON) -> Objective:
    weight = child(value, "weight")
    return Objective(
        sli=as_text(child(value, "sli")),
        display_name=as_text(child(value, "displayName")),
        status=_objective_status(child(value, "status")),
        value=as_text(child(value, "value")),
        compared=as_text(child(value, "compared")),
        key_sli=child(value, "keySLI") is True,
        weight=weight if isinstance(weight, int) else 1,
        pass_criteria=tuple(map(as_text, as_list(child(value, "pass")))),
        violated=tuple(map(as_text, as_list(child(value, "violated")))),
        message=as_text(child(value, "message")),
    )


def _objective_status(value: JSON) -> ObjectiveStatus:
    match value:
        case "Pass" | "Warning" | "Fail":
            return value
        case _:
            return "Info"
