from datetime import UTC, datetime

import pytest

from demo.keptn.timeframe import go_duration, requested_window
from prodeval.domain.sli import TimeframeError

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1h30m", 5400), ("1.5m", 90), ("500ms", 0.5)])
def test_durations(text: str, seconds: float):
    assert go_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "1d", "2 m", "m"])
def test_no_durations(text: str):
    with pytest.raises(ValueError, match="no duration"):
        go_duration(text)


@pytest.mark.parametrize(
    ("body", "window"),
    [
        ({}, ("2026-01-01T11:55:00.000Z", "2026-01-01T12:00:00.000Z")),
        ({"timeframe": "1m"}, ("2026-01-01T11:59:00.000Z", "2026-01-01T12:00:00.000Z")),
        (
            {"start": "2026-01-01T10:00:00Z", "timeframe": "2m"},
            ("2026-01-01T10:00:00.000Z", "2026-01-01T10:02:00.000Z"),
        ),
        (
            {"start": "2026-01-01T10:00:00Z", "end": "2026-01-01T10:01:00Z"},
            ("2026-01-01T10:00:00.000Z", "2026-01-01T10:01:00.000Z"),
        ),
    ],
)
def test_the_window_of_a_request(body: dict[str, str], window: tuple[str, str]):
    assert requested_window(body, NOW) == window


@pytest.mark.parametrize("body", [{"timeframe": "59s"}, {"timeframe": "x"}])
def test_windows_that_cannot_be(body: dict[str, str]):
    with pytest.raises(TimeframeError):
        requested_window(body, NOW)


@pytest.mark.parametrize("body", [{"start": "a"}, {"end": "a"}, {"end": "a", "timeframe": "1m"}])
def test_fields_that_exclude_or_need_each_other(body: dict[str, str]):
    with pytest.raises(ValueError, match="time"):
        requested_window(body, NOW)
