"""The outcome of each objective: its status, its score and how its value stands to every criterion."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prodeval.domain.slo.comparison import PreviousEvaluation, compared_value
from prodeval.domain.slo.criteria import Criterion, CriterionError, parse_criterion
from prodeval.domain.slo.objectives import Criteria, Objective
from prodeval.domain.slo.values import SLIValue

NO_VALUE = "no value received from SLI provider"

_SHARES = {"pass": 1.0, "warning": 0.5, "fail": 0.0}
"""Of the weight, by status."""


class ObjectiveError(ValueError):
    """A pass criterion cannot be read although there is a value; its text is Keptn's message."""


@dataclass(frozen=True, slots=True)
class Target:
    """One criterion as it was applied."""

    criteria: str
    target_value: float
    violated: bool


@dataclass(frozen=True, slots=True)
class IndicatorResult:
    """The outcome of one objective.

    Attributes:
        score: the weight, half of it, or 0.
        value: None only for an objective that informs and got no value.
        compared_value: aggregate of earlier evaluations; 0 if there is none or no criterion was applied.
        pass_targets: None where Keptn says null instead of an empty list.
        warning_targets: as pass_targets.
        key_sli: true only if the value could be held against the criteria.
        status: `pass`, `warning`, `fail` or `info`.
    """

    score: float
    value: SLIValue | None
    compared_value: float
    display_name: str
    pass_targets: tuple[Target, ...] | None
    warning_targets: tuple[Target, ...] | None
    key_sli: bool
    status: str


def evaluate_objective(
    objective: Objective, value: SLIValue | None, compared: Sequence[PreviousEvaluation], function: str
) -> IndicatorResult:
    """Hold a value against an objective, and against earlier evaluations by the aggregate function.

    Raises:
        ObjectiveError: Keptn ends the whole evaluation here.
    """
    reference = compared_value(objective.sli, compared, function)
    if not objective.pass_criteria:
        return _not_applied(objective, value, reference, "info")
    if value is None:
        value = SLIValue(objective.sli, 0.0, success=False, message=NO_VALUE)
    if not value.success:
        return _not_applied(objective, value, reference, "fail")
    try:
        return _applied(objective, value, reference)
    except CriterionError as error:
        raise ObjectiveError(f"error with {objective.display_name or objective.sli}: {error}") from error


def _not_applied(objective: Objective, value: SLIValue | None, reference: float | None, status: str) -> IndicatorResult:
    """Nothing is compared: every criterion counts as violated."""
    return IndicatorResult(
        score=0.0,
        value=value,
        compared_value=0.0,
        display_name=objective.display_name,
        pass_targets=tuple(_violated(objective.pass_criteria, reference)),
        warning_targets=tuple(_violated(objective.warning_criteria, reference)),
        key_sli=False,
        status=status,
    )


def _violated(criteria: Criteria, reference: float | None) -> Iterator[Target]:
    """Keptn shows the compared value itself for a relative criterion, and leaves out what it cannot read."""
    for text in _texts(criteria):
        criterion = _readable(text)
        if criterion:
            yield Target(text, (reference or 0.0) if criterion.relative else criterion.value, violated=True)


def _applied(objective: Objective, value: SLIValue, reference: float | None) -> IndicatorResult:
    passed, pass_targets = _apply(objective.pass_criteria, value.value, reference)
    warned, warning_targets = _apply_warning(objective.warning_criteria, value.value, reference)
    status = "pass" if passed else "warning" if warned else "fail"
    return IndicatorResult(
        score=_SHARES[status] * objective.weight,
        value=value,
        compared_value=(reference or 0.0) if _any_applied(objective) else 0.0,
        display_name=objective.display_name,
        pass_targets=pass_targets,
        warning_targets=warning_targets,
        key_sli=objective.key_sli,
        status=status,
    )


def _apply_warning(criteria: Criteria, value: float, reference: float | None) -> tuple[bool, tuple[Target, ...] | None]:
    """One unreadable warning criterion, and the objective has no warning; Keptn says nothing of it."""
    try:
        return _apply(criteria, value, reference)
    except CriterionError:
        return False, ()


def _apply(criteria: Criteria, value: float, reference: float | None) -> tuple[bool, tuple[Target, ...] | None]:
    """Whether any set of criteria holds whole, and every target; an empty set holds."""
    sets = [[_target(text, value, reference) for text in texts] for texts in criteria]
    satisfied = any(not any(target.violated for target in targets) for targets in sets)
    return satisfied, tuple(target for targets in sets for target in targets) or None


def _target(text: str, value: float, reference: float | None) -> Target:
    criterion = parse_criterion(text)
    return Target(text, criterion.target(reference), violated=not criterion.satisfied(value, reference))


def _any_applied(objective: Objective) -> bool:
    """Keptn stops at the first criterion that it cannot read, so the first one tells whether any was applied."""
    first = next(_texts(objective.pass_criteria + objective.warning_criteria), None)
    return first is not None and _readable(first) is not None


def _texts(criteria: Criteria) -> Iterator[str]:
    return (text for texts in criteria for text in texts)


def _readable(text: str) -> Criterion | None:
    try:
        return parse_criterion(text)
    except CriterionError:
        return None
