"""Whether a warning can ever apply: not if every value that meets it passes already."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import inf

from prodeval.domain.slo import Criterion, CriterionError, parse_criterion


@dataclass(frozen=True, slots=True)
class _Range:
    """Values between two bounds; a bound's second part says whether it lies outside (1) or inside (0)."""

    low: tuple[float, int] = (-inf, 0)
    high: tuple[float, int] = (inf, 0)

    def contains(self, other: "_Range") -> bool:
        """Whether every value of the other lies in this one."""
        return self.low <= other.low and (other.high[0], -other.high[1]) <= (self.high[0], -self.high[1])

    def narrowed(self, other: "_Range") -> "_Range":
        """The values that lie in both."""
        return _Range(max(self.low, other.low), min(self.high, other.high, key=lambda high: (high[0], -high[1])))


def warning_never_applies(passing: Sequence[Sequence[str]], warning: Sequence[Sequence[str]]) -> bool:
    """Whether each set of warning criteria lies within one set of pass criteria.

    False where that cannot be told: criteria of different kinds, or ones that Keptn cannot read.
    """
    try:
        passes = [_read(criteria) for criteria in passing]
        warnings = [_read(criteria) for criteria in warning]
    except CriterionError:
        return False
    kinds = {(each.relative, each.percent) for criteria in passes + warnings for each in criteria}
    if len(kinds) != 1:
        return False
    outer = [_range(criteria) for criteria in passes]
    return all(any(each.contains(_range(criteria)) for each in outer) for criteria in warnings)


def _read(criteria: Sequence[str]) -> list[Criterion]:
    return [parse_criterion(text) for text in criteria]


def _range(criteria: Sequence[Criterion]) -> _Range:
    return reduce(_Range.narrowed, map(_one, criteria), _Range())


def _one(criterion: Criterion) -> _Range:
    value = -criterion.value if criterion.relative and not criterion.increase else criterion.value
    match criterion.operator:
        case "<":
            return _Range(high=(value, 1))
        case "<=":
            return _Range(high=(value, 0))
        case ">":
            return _Range(low=(value, 1))
        case ">=":
            return _Range(low=(value, 0))
        case _:
            return _Range((value, 0), (value, 0))
