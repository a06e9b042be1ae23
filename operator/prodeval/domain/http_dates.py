"""Times in the headers of HTTP: `Date` and `Retry-After` (RFC 9110, 5.6.7 and 10.2.3), and GitHub's own."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_RETRY_AFTER = 86_400.0
"""Seconds; who asks for more than a day is misconfigured, and would silence a resource for good."""

_MOST_DIGITS = 18


def parse_http_date(text: str) -> datetime | None:
    """Read `Sun, 06 Nov 1994 08:49:37 GMT`, and the obsolete forms; None if it is none."""
    try:
        time = parsedate_to_datetime(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):  # the last two from some malformed texts
        return None


def parse_retry_after(text: str, now: datetime) -> float | None:
    """Read how many seconds to wait, a day at most; None if it says nothing.

    Args:
        text: seconds, or the date until when.
        now: by the clock of who sent it, where that is known.
    """
    asked = text.strip()
    if asked.isascii() and asked.isdigit():
        return LONGEST_RETRY_AFTER if len(asked) > _MOST_DIGITS else min(float(asked), LONGEST_RETRY_AFTER)
    until = parse_http_date(asked)
    return None if until is None else min(max((until - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER)


def parse_reset(text: str, now: datetime) -> float | None:
    """The same of a time in seconds since 1970, as GitHub sends it in `x-ratelimit-reset`."""
    asked = text.strip()
    if not (asked.isascii() and asked.isdigit() and len(asked) <= _MOST_DIGITS):
        return None
    return min(max(float(asked) - now.timestamp(), 0.0), LONGEST_RETRY_AFTER)
