"""Keptn's verdict, from an slo.yaml, measured values and earlier evaluations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import dropwhile
from math import isfinite

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.slo.comparison import (
    MOST_RESULTS,
    PreviousEvaluation,
    compared_evaluations,
    number_of_results,
)
from prodeval.domain.slo.decode import decode_slo
from prodeval.domain.slo.indicators import IndicatorResult, ObjectiveError, evaluate_objective
from prodeval.domain.slo.notes import notes
from prodeval.domain.slo.objectives import ServiceLevelObjectives
from prodeval.domain.slo.scoring import TotalScoreError, score, thresholds
from prodeval.domain.slo.values import NO_METRICS, SLIValue, checked, provider_result


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The verdict.

    Attributes:
        status: `succeeded` or `errored`.
        result: `pass`, `warning` or `fail`; decides the sequence, and what later evaluations compare with.
        message: Keptn's own words; empty for a plain pass.
        evaluation_result: what the score alone says.
        score: percent of the weights, unrounded.
        compared_events: ids of the earlier evaluations, newest first, whether or not they held a value.
        indicator_results: in the order of the objectives; None if nothing was evaluated.
        notes: oddities of the slo.yaml that Keptn does not mention.
    """

    status: str
    result: str
    message: str
    evaluation_result: str
    score: float = 0.0
    compared_events: tuple[str, ...] = ()
    indicator_results: tuple[IndicatorResult, ...] | None = None
    notes: tuple[str, ...] = ()


def evaluate(
    slo_text: str,
    values: Sequence[SLIValue],
    previous: Sequence[PreviousEvaluation],
    *,
    project: str = "",
    stage: str = "",
    service: str = "",
) -> Evaluation:
    """The verdict of Keptn 1.4.5; never raises.

    Args:
        slo_text: the file as it stands in Git; empty if there is none.
        values: in the order of the provider.
        previous: earlier evaluations of the same project, stage and service, in any order.
        project: named in messages only, as are stage and service.
        stage: see project.
        service: see project.
    """
    delivered = [checked(value) for value in values]
    if not slo_text:
        return unperformed(f"no SLO file configured for project {project}")
    try:
        slo = _decoded(slo_text)
    except InvalidFileError as error:
        place = f"service {service} in stage {stage} in project {project}"
        return errored(f"error retrieving SLO file: Could not parse SLO file for {place}", (str(error),))
    return _evaluated(slo, delivered, previous)


def provider_errored(message: str) -> Evaluation:
    """The failure when the SLI provider finished as errored; Keptn leaves the inner result at pass."""
    text = f"evaluation performed by lighthouse received an unexpected error: {message}"
    return Evaluation("errored", "fail", text, evaluation_result="pass")


_decoded = lru_cache(maxsize=16)(decode_slo)
"""Decoding costs more than all the rest, and the same few texts are evaluated again and again."""


def unperformed(reason: str) -> Evaluation:
    """The pass that Keptn gives when it has nothing to evaluate: no SLO file, no SLI provider."""
    message = f"no evaluation performed by lighthouse because {reason}"
    return Evaluation("succeeded", "pass", message, evaluation_result="pass")


def errored(message: str, found: tuple[str, ...] = ()) -> Evaluation:
    """The failure without any result."""
    return Evaluation("errored", "fail", message, evaluation_result="fail", notes=found)


def _evaluated(
    slo: ServiceLevelObjectives, values: Sequence[SLIValue], previous: Sequence[PreviousEvaluation]
) -> Evaluation:
    found = notes(slo)
    if not 1 <= number_of_results(slo.comparison) <= MOST_RESULTS:
        return errored("could not retrieve previous evaluation.finished events", found)
    compared = compared_evaluations(previous, slo.comparison)
    ids = tuple(one.id for one in compared)
    try:
        results, left_over = _indicator_results(slo, values, compared)
        limits = thresholds(slo.total_score)
    except ObjectiveError as error:
        return Evaluation("succeeded", "fail", str(error), evaluation_result="fail", compared_events=ids, notes=found)
    except TotalScoreError as error:
        return errored(str(error), found)
    if not all(_sendable(one) for one in results):
        return errored("a compared value or target is beyond the range of numbers, Keptn cannot send it", found)
    total = score(slo.objectives, results, limits)
    failure = _failure(slo, values)
    return Evaluation(
        status="succeeded",
        result="fail" if failure else total.result,
        message=failure or total.message or _about_left_over(left_over),
        evaluation_result=total.result,
        score=total.value,
        compared_events=ids,
        indicator_results=results or None,
        notes=found,
    )


def _indicator_results(
    slo: ServiceLevelObjectives, values: Sequence[SLIValue], compared: Sequence[PreviousEvaluation]
) -> tuple[tuple[IndicatorResult, ...], list[SLIValue]]:
    """One result for each objective, and the values that no objective asked for."""
    left = list(values)
    function = slo.comparison.aggregate_function
    results = [evaluate_objective(one, _take(left, one.sli), compared, function) for one in slo.objectives]
    return tuple(results), left


def _take(values: list[SLIValue], metric: str) -> SLIValue | None:
    """Take the first value of the metric out of the list; the last one moves into its place, as in Keptn."""
    for index, value in enumerate(values):
        if value.metric == metric:
            values[index] = values[-1]
            values.pop()
            return value
    return None


def _about_left_over(values: Sequence[SLIValue]) -> str:
    names = ", ".join(dropwhile(lambda name: not name, (value.metric for value in values)))
    if not names:
        return ""
    return (
        f"Lighthouse received additional SLIs, which are not specified as SLO: {names} . "
        "Please consider using them as an SLO."
    )


def _sendable(result: IndicatorResult) -> bool:
    """JSON has no infinities: Keptn would send an empty event."""
    targets = (*(result.pass_targets or ()), *(result.warning_targets or ()))
    return isfinite(result.compared_value) and all(isfinite(target.target_value) for target in targets)


def _failure(slo: ServiceLevelObjectives, values: Sequence[SLIValue]) -> str:
    """Why the evaluation fails whatever its score says: nothing was asked, or nothing could be measured."""
    if not slo.objectives:
        return "lighthouse failed because no SLO objective was provided"
    if provider_result(values) == "fail":
        return f"lighthouse failed because SLI failed with message {NO_METRICS}"
    return ""
