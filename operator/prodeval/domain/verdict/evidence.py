"""The evidence behind an evaluation: what Keptn did not check before it said pass."""

from collections.abc import Iterable
from datetime import UTC, datetime

from prodeval.domain.events import Event, format_time
from prodeval.domain.files import sha256
from prodeval.domain.slo import PreviousEvaluation, SLIValue, evaluate
from prodeval.domain.verdict.model import Candidate, Check, Deployment, Expectation, FileFacts, Found
from prodeval.domain.verdict.result import Result, read_result
from prodeval.domain.verdict.runs import EVALUATION

ALWAYS_POSSIBLE = frozenset({"ObjectivesEvaluated", "ResultConsistent", "Recomputed"})
"""Checks that need nothing but events: even Unknown they make a pass unproven."""

_NO_PROVIDER = "no SLI-provider configured"
_NO_SLO = "no SLO file configured"
_SHOWN = 3


def collect_evidence(expectation: Expectation, found: Found, result: Result, facts: FileFacts) -> tuple[Check, ...]:
    """All checks, in the order in which the first that fails names the reason."""
    candidate = found.candidate
    version = [] if expectation.version is None else [_version_matches(candidate, expectation.version)]
    return (
        _objectives_evaluated(result),
        _result_consistent(result),
        _slo_matches(result, facts.slo_sha256, found.commit),
        *version,
        _window_after_deployment(candidate, found.deployment),
        _files_unchanged(facts.changed),
        _gate_ran(candidate, expectation),
        _recomputed(result, found),
    )


def first_doubt(checks: Iterable[Check]) -> Check | None:
    """The first check that makes a pass unproven; None if it is proven."""
    return next((check for check in checks if _doubtful(check)), None)


def _doubtful(check: Check) -> bool:
    return check.status == "False" or (check.status == "Unknown" and check.check in ALWAYS_POSSIBLE)


def doubt_reason(check: Check, result: Result) -> str:
    """The reason of the condition that a doubtful check becomes."""
    if check.check != "ObjectivesEvaluated":
        return check.check
    return "NoSLIProvider" if _NO_PROVIDER in result.message else "NoObjectives"


def _objectives_evaluated(result: Result) -> Check:
    name = "ObjectivesEvaluated"
    if _NO_PROVIDER in result.message:
        return Check(
            name, "False", "nothing was measured: the project has no SLI provider; run keptn configure monitoring"
        )
    if _NO_SLO in result.message:
        return Check(name, "False", "nothing was compared: Keptn found no slo.yaml of the service in this stage")
    if not result.indicators:
        return Check(name, "False", "nothing was compared: the event has no indicator results")
    if not any(indicator.scored for indicator in result.indicators):
        return Check(name, "False", "nothing was compared: no objective in slo.yaml has pass criteria")
    return Check(name, "True")


def _result_consistent(result: Result) -> Check:
    if result.outer == result.inner:
        return Check("ResultConsistent", "True")
    return Check(
        "ResultConsistent",
        "False",
        f"the event says {result.outer or 'nothing'}, its score {result.inner or 'nothing'}",
    )


def _slo_matches(result: Result, expected: str | None, commit: str) -> Check:
    tip = f"the stage's tip ({commit[:7]}) when the sequence was triggered" if commit else "the stage's tip"
    if expected is None:
        return Check("SLOMatches", "Unknown", f"slo.yaml at {tip} is not known")
    if result.slo is not None and (sha256(result.slo) if result.slo else "") == expected:
        return Check("SLOMatches", "True")
    return Check("SLOMatches", "False", f"Keptn scored another slo.yaml than the one at {tip}")


def _version_matches(candidate: Candidate, version: str) -> Check:
    if candidate.artifact.version == version:
        return Check("VersionMatches", "True")
    return Check("VersionMatches", "False", f"measured was {candidate.artifact.version or 'an unknown version'}")


def _window_after_deployment(candidate: Candidate, deployment: Deployment | None) -> Check:
    name = "WindowAfterDeployment"
    if deployment is None:
        return Check(name, "Unknown", "no deployment of the service to this stage is known")
    if candidate.window_start is None:
        return Check(name, "Unknown", "Keptn gave no window")
    if candidate.speaks_after(deployment):
        return Check(name, "True")
    start, end = format_time(candidate.window_start), format_time(deployment.event.time)
    remedy = "let the load test run longer than the timeframe, or wait and evaluate again"
    return Check(name, "False", f"the window starts at {start}, before the deployment ended at {end}; {remedy}")


def _files_unchanged(changed: tuple[str, ...] | None) -> Check:
    if changed is None:
        return Check("FilesUnchanged", "Unknown", "what changed in Git until the verdict is not known")
    if not changed:
        return Check("FilesUnchanged", "True")
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return Check("FilesUnchanged", "False", f"somebody changed {', '.join(changed[:_SHOWN])}{more} before the verdict")


def _gate_ran(candidate: Candidate, expectation: Expectation) -> Check:
    name, anchor, test = "GateRan", expectation.after_task, expectation.test_task
    if candidate.run is None:
        return Check(name, "Unknown", "the sequence of the evaluation is not known")
    before = [task.name for task in candidate.run.tasks if task.trigger_id != candidate.triggered.id]
    if anchor not in before:
        return Check(name, "Unknown", f"a stand-alone evaluation: its sequence has no {anchor}")
    if test is None or test in before[before.index(anchor) :]:
        return Check(name, "True")
    return Check(name, "False", f"{test} did not run between {anchor} and {EVALUATION}")


def _recomputed(result: Result, found: Found) -> Check:
    name = "Recomputed"
    if result.slo is None or not result.indicators:
        return Check(name, "Unknown", "the event holds no slo.yaml and values to compute from")
    values = [indicator.value for indicator in result.indicators if indicator.value is not None]
    ours = evaluate(result.slo.decode(errors="replace"), values, _previous(found, result))
    if ours.result != result.outer:
        return Check(name, "False", f"Keptn says {result.outer}, its slo.yaml and values give {ours.result}")
    trusted = "earlier evaluations are not known: their mean is taken from Keptn" if found.missing else ""
    return Check(name, "True", trusted)


def _previous(found: Found, result: Result) -> list[PreviousEvaluation]:
    """What was compared; where an evaluation is not known, Keptn's own aggregates stand for all of them."""
    if not found.missing:
        return [_evaluation(event) for event in found.compared]
    values = [
        SLIValue(indicator.value.metric, indicator.compared, success=True)
        for indicator in result.indicators
        if indicator.value is not None
    ]
    return [PreviousEvaluation("", datetime.min.replace(tzinfo=UTC), "pass", invalidated=False, values=tuple(values))]


def _evaluation(event: Event) -> PreviousEvaluation:
    result = read_result(event)
    values = tuple(indicator.value for indicator in result.indicators if indicator.value is not None)
    return PreviousEvaluation(event.id, event.time, result.outer, invalidated=False, values=values)
