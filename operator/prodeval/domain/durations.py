"""Durations as they stand in a resource: 90s, 2m, 1h30m."""

import re
from datetime import timedelta

_PART = re.compile(r"([0-9]+)(h|m|s)")
_WHOLE = re.compile(r"([0-9]+(h|m|s))+")
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def parse_duration(text: str) -> timedelta:
    """Read a duration; raises ValueError if it is none."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a duration; write 90s, 2m or 1h30m")
    try:
        return timedelta(seconds=sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(text)))
    except (OverflowError, ValueError) as error:  # the second: int() refuses thousands of digits
        raise ValueError(f"{text[:40]!r} is longer than any duration can be") from error
