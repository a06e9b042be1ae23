"""Go durations, and the window that a stand-alone evaluation asks for."""

import re
from collections.abc import Mapping
from datetime import datetime

from prodeval.domain.json_values import JSONObject
from prodeval.domain.sli import AskedTimeframe, resolve_timeframe

_UNITS: Mapping[str, float] = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def go_duration(text: str) -> float:
    """Seconds of a Go duration such as `1h30m` or `1.5m`; raises ValueError if it is none."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is no duration")
    return sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(text))


def requested_window(body: JSONObject, now: datetime) -> tuple[str, str]:
    """Start and end of a stand-alone evaluation: the last five minutes if its request names none.

    Raises:
        TimeframeError: a window that cannot be.
        ValueError: fields that exclude or need each other.
    """
    start, end, timeframe = (str(body.get(name) or "") for name in ("start", "end", "timeframe"))
    if timeframe and end:
        raise ValueError("timeframe and end time specifications cannot be set together")
    if start and not (end or timeframe):
        raise ValueError("timeframe or end time specifications need to be specified when using start parameter")
    if end and not start:
        raise ValueError("start time specification needs to be set when using end parameter")
    asked = AskedTimeframe(start=start, end=end, timeframe=timeframe or ("" if end else "5m"))
    return resolve_timeframe(asked, now)
