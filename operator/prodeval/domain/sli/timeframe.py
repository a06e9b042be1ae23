"""The window that an evaluation looks at."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SHORTEST = timedelta(minutes=1)

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([^0-9.]*)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST = 2**63 / 1e9
"""Seconds; Go counts nanoseconds in 64 bits."""


class TimeframeError(ValueError):
    """There is no window that Keptn would evaluate; the text is Keptn's message."""


@dataclass(frozen=True, slots=True)
class AskedTimeframe:
    """What an `evaluation.triggered` event says of the window, as text; empty where it says nothing.

    Attributes:
        start: `data.evaluation.start`.
        end: `data.evaluation.end`.
        timeframe: `data.evaluation.timeframe`, a duration such as `2m`.
        test_start: `data.test.start`, which counts if the others do not suffice.
        test_end: `data.test.end`.
    """

    start: str = ""
    end: str = ""
    timeframe: str = ""
    test_start: str = ""
    test_end: str = ""


def resolve_timeframe(asked: AskedTimeframe, now: datetime) -> tuple[str, str]:
    """Start and end as texts for the SLI provider; those of a test are handed on unread.

    Offsets are converted to UTC; Keptn keeps the digits and calls them UTC.

    Raises:
        TimeframeError: nothing says which window, or it is shorter than a minute, or unreadable.
    """
    if asked.timeframe or (asked.start and asked.end):
        start, end = _window(asked, now)
        if end - start < SHORTEST:
            raise TimeframeError("end date must be at least 1 minute after start date")
        return format_instant(start), format_instant(end)
    if asked.test_start and asked.test_end:
        return asked.test_start, asked.test_end
    raise TimeframeError("evaluation.triggered event does not contain evaluation timeframe")


def _window(asked: AskedTimeframe, now: datetime) -> tuple[datetime, datetime]:
    if asked.end and asked.timeframe:
        raise TimeframeError("'end' and 'timeframe' are mutually exclusive")
    if asked.end:
        return parse_instant(asked.start), parse_instant(asked.end)
    duration = _duration(asked.timeframe)
    try:
        if asked.start:
            start = parse_instant(asked.start)
            return start, start + duration
        return now - duration, now
    except OverflowError as error:
        raise TimeframeError("the timeframe leads beyond the years that have four digits") from error


def parse_instant(text: str) -> datetime:
    """Read a timestamp as Keptn does: RFC 3339 with seconds; without an offset it means UTC.

    Raises:
        TimeframeError: it is none.
    """
    parsed = parse_rfc3339(text) or parse_rfc3339(f"{text}Z")
    if parsed is None:
        raise TimeframeError(f"{text!r} is no timestamp; write it as 2022-04-06T14:35:03.762Z")
    return parsed


def parse_rfc3339(text: str) -> datetime | None:
    """Read a timestamp with an offset, as UTC; None if it is none."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_instant(instant: datetime) -> str:
    """Print a timestamp as Keptn does: UTC, in milliseconds, cut off."""
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _duration(text: str) -> timedelta:
    """A Go duration: 90s, 2m, 1h30m, 1.5h; no days."""
    unsigned = text[1:] if text.startswith(("+", "-")) else text
    if unsigned == "0":
        return timedelta()
    seconds = _seconds(unsigned, text)
    return timedelta(seconds=-seconds if text.startswith("-") else seconds)


def _seconds(unsigned: str, text: str) -> float:
    seconds, position = 0.0, 0
    while position < len(unsigned) or not unsigned:
        part = _PART.match(unsigned, position)
        if not part:
            raise _bad_duration("invalid duration", text)
        number, unit = part.groups()
        if unit not in _SECONDS:
            problem = f'unknown unit "{unit}" in duration' if unit else "missing unit in duration"
            raise _bad_duration(problem, text)
        seconds, position = seconds + float(number) * _SECONDS[unit], part.end()
    if seconds >= _LONGEST:
        raise _bad_duration("invalid duration", text)
    return seconds


def _bad_duration(problem: str, text: str) -> TimeframeError:
    return TimeframeError(f'could not parse provided timeframe: time: {problem} "{text}"')
