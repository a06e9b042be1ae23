"""Durations: as they stand in a resource (90s, 2m, 1h30m), and as Go reads them."""

import re
from datetime import timedelta

_PART = re.compile(r"([0-9]+)(h|m|s)")
_WHOLE = re.compile(r"([0-9]+(h|m|s))+")
_SECONDS = {"h": 3600, "m": 60, "s": 1}
_GO_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_GO_PART = re.compile(r"([0-9]{1,12}\.?[0-9]{0,12}|\.[0-9]{1,12})(ms|us|µs|ns|h|m|s)")


def parse_duration(text: str) -> timedelta:
    """Read a duration; raises ValueError if it is none."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a duration; write 90s, 2m or 1h30m")
    try:
        return timedelta(seconds=sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(text)))
    except (OverflowError, ValueError) as error:  # the second: int() refuses thousands of digits
        raise ValueError(f"{text[:40]!r} is longer than any duration can be") from error


def format_duration(duration: timedelta) -> str:
    """Whole seconds in the same spelling: 40m, 1h30m, 90s is 1m30s."""
    seconds = round(duration.total_seconds())
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def go_duration(text: str) -> float | None:
    """Seconds of a duration as Go's time.ParseDuration reads it; None if it is none."""
    parts = _GO_PART.findall(text.removeprefix("+"))
    if not parts or "".join(number + unit for number, unit in parts) != text.removeprefix("+"):
        return None
    return sum(float(number) * _GO_SECONDS[unit] for number, unit in parts)
