"""The criterion grammar: `<600`, `<=+10%`, `>-5`."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Final

from prodeval.domain.go_numbers import parse_float

INVALID: Final = "invalid criteria string"
UNPARSABLE: Final = "could not parse criteria target value"

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    "<": operator.lt,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


class CriterionError(ValueError):
    """A criterion that Keptn cannot read; its text is Keptn's message."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion, parsed.

    Attributes:
        operator: one of `<=`, `<`, `=`, `>=`, `>`.
        value: the number behind the operator, its sign consumed if the criterion is relative.
        relative: whether the target follows from earlier evaluations.
        percent: whether the change is in percent of the compared value, not in its unit.
        increase: whether the change is added; false if absolute.
    """

    operator: str
    value: float
    relative: bool
    percent: bool
    increase: bool

    def target(self, compared: float | None) -> float:
        """What a value is held against; 0 if a relative criterion has nothing to compare with.

        The order of operations decides the last bit, and `=` is exact.
        """
        if not self.relative:
            return self.value
        if compared is None:
            return 0.0
        if self.percent:
            return (compared * (100.0 + self.value if self.increase else 100.0 - self.value)) / 100.0
        return compared + self.value if self.increase else compared - self.value

    def satisfied(self, value: float, compared: float | None) -> bool:
        """Whether the value meets the target; a relative criterion with nothing to compare with is satisfied."""
        if self.relative and compared is None:
            return True
        return _OPERATORS[self.operator](value, self.target(compared))


@lru_cache(maxsize=1024)
def parse_criterion(text: str) -> Criterion:
    """Parse one criterion.

    Only U+0020 is removed. A percentage is relative even without a sign, and a leading minus always means "compared
    value minus": an absolute negative threshold cannot be written.

    Raises:
        CriterionError: Keptn cannot read it, or the number is not finite, where Keptn sends an empty event.
    """
    rest = text.replace(" ", "")
    if not rest.startswith(("<", "=", ">", "|")):
        raise CriterionError(INVALID)
    symbol = next((symbol for symbol in _OPERATORS if rest.startswith(symbol)), "")
    rest = rest.removeprefix(symbol)
    percent = rest.endswith("%")
    rest = rest.removesuffix("%")
    signed = rest.startswith(("+", "-"))
    increase = (percent or signed) and not rest.startswith("-")
    value = _number(rest[1:] if signed else rest)
    return Criterion(symbol, value, relative=percent or signed, percent=percent, increase=increase)


def _number(text: str) -> float:
    try:
        value = parse_float(text)
    except ValueError as error:
        raise CriterionError(UNPARSABLE) from error
    if not isfinite(value):
        raise CriterionError(UNPARSABLE)
    return value
