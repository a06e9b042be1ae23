"""The verdict about one evaluation, with its evidence."""

from prodeval.domain.conditions import Condition
from prodeval.domain.events import format_time
from prodeval.domain.verdict.evidence import collect_evidence, doubt_reason, first_doubt
from prodeval.domain.verdict.model import (
    Check,
    EvaluationRecord,
    Expectation,
    FileFacts,
    Found,
    Judgement,
    Verdict,
)
from prodeval.domain.verdict.objectives import describe_failures, describe_objectives
from prodeval.domain.verdict.result import Result, read_result
from prodeval.domain.verdict.runs import succeeded
from prodeval.domain.verdict.words import one_line

EARLIER_FILES = "; judged with earlier files"
"""How the message of a verdict ends once the operator has pushed other files."""


def prove(expectation: Expectation, found: Found, facts: FileFacts) -> Judgement:
    """Judge the evaluation that was found; a pass counts only if no check speaks against it."""
    finished = found.candidate.finished
    result = read_result(finished)
    checks = collect_evidence(expectation, found, result, facts)
    verdict, passed = _conclude(expectation, found, result, checks)
    record = _record(found, result)
    return Judgement(
        verdict=verdict,
        passed=passed,
        event_id=record.event_id,
        context=record.context,
        version=record.version,
        ended=finished.time,
        triggered=found.candidate.time,
        evaluation=record,
        evidence=checks,
        pending=found.pending,
    )


def _conclude(
    expectation: Expectation, found: Found, result: Result, checks: tuple[Check, ...]
) -> tuple[Verdict, Condition]:
    version = found.candidate.artifact.version or "the deployed version"
    remark = EARLIER_FILES if _files_are_newer(expectation, found) else ""
    if not succeeded(found.candidate.finished):
        message = f"{version} failed: {describe_failures(result)}{remark}"
        return "Fail", Condition("Passed", "False", "Fail", message)
    doubt = first_doubt(checks)
    if doubt is not None:
        message = f"{version}: Keptn says {result.outer}, but {doubt.message}{remark}"
        return "Inconclusive", Condition("Passed", "Unknown", doubt_reason(doubt, result), message)
    if result.outer == "warning":
        message = f"{version} passed with a warning, score {result.score}: {describe_failures(result)}{remark}"
        return "Warning", Condition("Passed", "True", "Warning", message)
    return "Pass", Condition("Passed", "True", "Pass", f"{version} passed, score {result.score}{remark}")


def _files_are_newer(expectation: Expectation, found: Found) -> bool:
    """Whether the operator changed the stage's files after the evaluation's sequence was triggered."""
    candidate, pushed = found.candidate, expectation.files_pushed
    trigger = candidate.run.trigger if candidate.run else candidate.triggered
    return pushed is not None and pushed > trigger.time


def _record(found: Found, result: Result) -> EvaluationRecord:
    candidate = found.candidate
    return EvaluationRecord(
        context=candidate.finished.context,
        event_id=candidate.event_id,
        version=candidate.artifact.version,
        image=candidate.artifact.image,
        window_start=format_time(candidate.window_start) if candidate.window_start else "",
        window_end=format_time(candidate.window_end) if candidate.window_end else "",
        result=result.outer,
        score=result.score,
        message=one_line(result.message),
        objectives=describe_objectives(result),
    )
