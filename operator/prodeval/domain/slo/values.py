"""Measured values, as the SLI provider delivers them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite


@dataclass(frozen=True, slots=True)
class SLIValue:
    """One value of one indicator.

    Attributes:
        metric: name of the indicator.
        value: 0 if it could not be measured.
        success: whether it could be measured.
        message: why not.
    """

    metric: str
    value: float
    success: bool
    message: str = ""


NOT_A_NUMBER = "query did not return valid values"
"""What prometheus-service says of NaN."""


def checked(value: SLIValue) -> SLIValue:
    """The value, failed if it is no finite number: Keptn has no JSON for infinities and never answers."""
    if isfinite(value.value):
        return value
    return replace(value, value=0.0, success=False, message=NOT_A_NUMBER if value.success else value.message)


NO_METRICS = "unable to retrieve metrics"
"""What prometheus-service says when every value failed."""


def provider_result(values: Sequence[SLIValue]) -> str:
    """How prometheus-service finishes: `pass`, `warning` if some values failed, `fail` if all of at least one did."""
    failed = sum(not value.success for value in values)
    if not failed:
        return "pass"
    return "fail" if failed == len(values) else "warning"
