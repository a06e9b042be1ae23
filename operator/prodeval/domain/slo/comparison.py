"""Which earlier evaluations count, and what they say about an indicator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from prodeval.domain.slo.aggregates import aggregate
from prodeval.domain.slo.objectives import Comparison
from prodeval.domain.slo.values import SLIValue

MOST_RESULTS = 100
"""The event store gives at most so many; more, or less than one, is refused."""

RESULTS = {"pass": frozenset({"pass"}), "pass_or_warn": frozenset({"pass", "warning"})}
"""Overall results that count, by include_result_with_score; by any other word all of them do."""


@dataclass(frozen=True, slots=True)
class PreviousEvaluation:
    """An earlier evaluation of the same project, stage and service.

    Attributes:
        id: of its `evaluation.finished` event.
        time: of that event, aware.
        result: the overall result, `pass`, `warning` or `fail`.
        invalidated: whether somebody took it out of comparisons.
        values: what it measured; empty if there was no SLO file, no provider or an error.
    """

    id: str
    time: datetime
    result: str
    invalidated: bool
    values: tuple[SLIValue, ...]


def number_of_results(comparison: Comparison) -> int:
    """How many earlier evaluations are asked for; the store refuses less than 1 and more than MOST_RESULTS."""
    if comparison.compare_with == "single_result":
        return 1
    if comparison.compare_with == "several_results":
        return comparison.number_of_comparison_results
    return 3


def compared_evaluations(
    previous: Sequence[PreviousEvaluation], comparison: Comparison
) -> tuple[PreviousEvaluation, ...]:
    """The newest evaluations that count, newest first; one without values uses up its place too."""
    results = RESULTS.get(comparison.include_result_with_score.lower())
    counting = [one for one in previous if not one.invalidated and (results is None or one.result in results)]
    counting.sort(key=lambda one: one.time, reverse=True)
    return tuple(counting[: number_of_results(comparison)])


def compared_value(metric: str, compared: Sequence[PreviousEvaluation], function: str) -> float | None:
    """The aggregate of all measured values of an indicator; None if there is nothing to compare with."""
    values = [value.value for one in compared for value in one.values if value.metric == metric and value.success]
    return aggregate(values, function)
