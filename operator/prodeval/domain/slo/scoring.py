"""The total score and what it means: pass, warning or fail."""

from collections.abc import Sequence
from dataclasses import dataclass

from prodeval.domain.go_numbers import format_float, parse_float, total
from prodeval.domain.slo.indicators import IndicatorResult
from prodeval.domain.slo.objectives import Objective, TotalScore

NO_OBJECTIVES_MAXIMUM = 100.0
"""Without objectives Keptn counts 0 of 100."""


class TotalScoreError(ValueError):
    """The total_score of an slo.yaml cannot be used; its text is Keptn's message."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The scores that pass or warn."""

    pass_score: float
    warning_score: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """A total score with its meaning; the message is empty for a pass."""

    value: float
    result: str
    message: str = ""


def thresholds(total_score: TotalScore) -> Thresholds:
    """Read the thresholds; one trailing percent sign is allowed, more than 100 or less than 0 too.

    Raises:
        TotalScoreError: the pass target is missing, or one of the two is no number.
    """
    if not total_score.pass_target:
        raise TotalScoreError("no target score defined")
    pass_score = _percentage(total_score.pass_target, "pass")
    if not total_score.warning_target:
        return Thresholds(pass_score, None)
    return Thresholds(pass_score, _percentage(total_score.warning_target, "warning"))


def _percentage(text: str, name: str) -> float:
    try:
        return parse_float(text.removesuffix("%"))
    except ValueError as error:
        raise TotalScoreError(f"could not parse {name} target percentage") from error


def score(objectives: Sequence[Objective], results: Sequence[IndicatorResult], limits: Thresholds) -> Score:
    """Sum up the objectives and hold the sum against the thresholds; a failed key SLI fails whatever the sum."""
    maximum = _maximum(objectives)
    if maximum == 0:
        return Score(100.0, "pass")
    value = 100.0 * (total(one.score for one in results if one.pass_targets) / maximum)
    return Score(value, *_meaning(value, limits, _key_failure(objectives, results)))


def _maximum(objectives: Sequence[Objective]) -> float:
    if not objectives:
        return NO_OBJECTIVES_MAXIMUM
    return total(float(one.weight) for one in objectives if one.pass_criteria)


def _key_failure(objectives: Sequence[Objective], results: Sequence[IndicatorResult]) -> str:
    """Keptn's message about the last key SLI that failed; empty if none did."""
    failed = [
        (objective, result.value)
        for objective, result in zip(objectives, results, strict=True)
        if objective.key_sli and result.status == "fail"
    ]
    if not failed:
        return ""
    objective, value = failed[-1]
    reason = value.message if value and not value.success else "failed evaluation with score 0.000000"
    return f"Evaluation failed due to key_sli objective '{objective.display_name}': {reason}"


def _meaning(value: float, limits: Thresholds, key_failure: str) -> tuple[str, str]:
    """Result and message."""
    if key_failure:
        return "fail", key_failure
    if value >= limits.pass_score:
        return "pass", ""
    shown = format_float(value)
    if limits.warning_score is None:
        target = format_float(limits.pass_score)
        return "fail", f"Evaluation failed since the calculated score of {shown} is below the target value of {target}"
    target = format_float(limits.warning_score)
    if value >= limits.warning_score:
        return "warning", (
            f"Evaluation returned a warning: the calculated score of {shown} "
            f"is close to the warning target value of {target}"
        )
    return "fail", f"Evaluation failed since the calculated score of {shown} is below the warning value of {target}"
