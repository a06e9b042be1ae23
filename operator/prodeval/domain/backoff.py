"""How long to wait before the next try."""

import math
from dataclasses import dataclass

_DAY = 24 * 3600.0
_ASKED_SPREAD = 0.1


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow from failure to failure.

    Attributes:
        first: seconds after the first failure.
        growth: the factor from one failure to the next.
        spread: the part of a wait that jitter may take away, so that what failed together is not tried together.
    """

    first: float = 2.0
    growth: float = 1.5
    spread: float = 0.25

    def seconds(self, failures: int, *, most: float, retry_after: float | None, jitter: float) -> float:
        """Seconds until the next try.

        Args:
            failures: in a row, from 1.
            most: bounds what grows, in seconds.
            retry_after: seconds that the other side asked for; kept in full, also beyond `most`, up to a day.
            jitter: random, from 0 to 1.
        """
        grown = self._grown(failures, most) * (1 - self.spread * jitter)
        asked = retry_after or 0.0
        if not asked > 0:  # not a number is no wish
            return grown
        # Never earlier than asked: jitter only adds here.
        return min(max(asked * (1 + _ASKED_SPREAD * jitter), grown), _DAY)

    def _grown(self, failures: int, most: float) -> float:
        """The power is taken only where it stays below the bound: 1.5 ** 1751 is no float any more."""
        exponent = max(failures - 1, 0)
        if self.first >= most or exponent >= math.log(most / self.first, self.growth):
            return most
        return self.first * self.growth**exponent
