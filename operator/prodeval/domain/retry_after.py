"""What a server means by `Retry-After`."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 24 * 3600.0
"""Seconds; who asks for more is asked again after a day."""

_MOST_DIGITS = 12


def parse_retry_after(text: str, now: datetime) -> float | None:
    """Seconds from now, of a header that holds seconds or a date (RFC 9110, 10.2.3); None if it says nothing.

    At least 0, at most a day.
    """
    asked = text.strip()
    if asked.isascii() and asked.isdecimal():
        return _bounded(float(asked[:_MOST_DIGITS]))
    date = _date(asked)
    return None if date is None else _bounded((date - now).total_seconds())


def parse_reset(text: str, now: datetime) -> float | None:
    """The same of a time in seconds since 1970, as GitHub sends it in `x-ratelimit-reset`."""
    asked = text.strip()
    if not (asked.isascii() and asked.isdecimal()):
        return None
    return _bounded(float(asked[:_MOST_DIGITS]) - now.timestamp())


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
