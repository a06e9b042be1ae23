"""What an slo.yaml says, with Keptn's defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Criteria: TypeAlias = tuple[tuple[str, ...], ...]
"""Criteria as written: any one of the outer list must hold, and in it every one of the inner list."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What one indicator should be.

    Attributes:
        sli: name of the indicator.
        display_name: empty if there is none.
        pass_criteria: empty: the objective only informs and is not scored.
        warning_criteria: earn half the weight when the pass criteria do not hold.
        weight: share of the total score; can be negative.
        key_sli: whether its failure fails the evaluation.
    """

    sli: str
    display_name: str
    pass_criteria: Criteria
    warning_criteria: Criteria
    weight: int
    key_sli: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which earlier evaluations relative criteria are compared with.

    Attributes:
        compare_with: `single_result` or `several_results`; Keptn takes anything else as the last three.
        include_result_with_score: `all`, `pass_or_warn` or `pass`, of the earlier overall result.
        number_of_comparison_results: for `several_results`.
        aggregate_function: `avg`, `p50`, `p90` or `p95`; Keptn aggregates to 0 by any other name.
    """

    compare_with: str = "single_result"
    include_result_with_score: str = "all"
    number_of_comparison_results: int = 1
    aggregate_function: str = "avg"


@dataclass(frozen=True, slots=True)
class TotalScore:
    """The scores that pass or warn, as written, such as `90%`; empty if absent."""

    pass_target: str = ""
    warning_target: str = ""


@dataclass(frozen=True, slots=True)
class ServiceLevelObjectives:
    """A decoded slo.yaml.

    Attributes:
        spec_version: as written; Keptn never looks at it.
        filter: becomes placeholders and label matchers of the provider's queries.
        hints: places that decode to something other than their author is likely to mean.
    """

    spec_version: str
    filter: Mapping[str, str]
    comparison: Comparison
    objectives: tuple[Objective, ...]
    total_score: TotalScore
    hints: tuple[str, ...] = ()
