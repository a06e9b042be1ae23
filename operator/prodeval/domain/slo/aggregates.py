"""One value out of those of earlier evaluations."""

from collections.abc import Sequence
from math import floor

from prodeval.domain.go_numbers import total

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95}


def aggregate(values: Sequence[float], function: str) -> float | None:
    """The aggregate by Keptn's name of the function; None if there are no values, 0 if the name is unknown."""
    if not values:
        return None
    if function == "avg":
        return total(values) / len(values)
    if function in PERCENTILES:
        return _percentile(sorted(values), PERCENTILES[function])
    return 0.0


def _percentile(ascending: Sequence[float], share: float) -> float:
    """Interpolated between neighbours; with a share of at least a half the position is never below the first."""
    position = share * (len(ascending) + 1)
    if position >= len(ascending):
        return ascending[-1]
    index = floor(position)
    below, above = ascending[index - 1], ascending[index]
    return below + (position - index) * (above - below)
