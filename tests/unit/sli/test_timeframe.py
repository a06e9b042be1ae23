"""The window that an evaluation looks at."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodeval.domain.sli import AskedTimeframe, TimeframeError, resolve_timeframe

NOW = datetime(2022, 4, 6, 15, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "window"),
    [
        (AskedTimeframe(timeframe="2m"), ("2022-04-06T14:58:00.123Z", "2022-04-06T15:00:00.123Z")),
        (AskedTimeframe(timeframe="1m0s"), ("2022-04-06T14:59:00.123Z", "2022-04-06T15:00:00.123Z")),
        (AskedTimeframe(timeframe="+1.5h"), ("2022-04-06T13:30:00.123Z", "2022-04-06T15:00:00.123Z")),
        (AskedTimeframe(timeframe="60000ms.5m"), ("2022-04-06T14:58:30.123Z", "2022-04-06T15:00:00.123Z")),
        (
            AskedTimeframe(timeframe="90s", start="2022-04-06T10:00:00Z"),
            ("2022-04-06T10:00:00.000Z", "2022-04-06T10:01:30.000Z"),
        ),
        (
            AskedTimeframe(start="2022-04-06T10:00:00", end="2022-04-06T10:01:00.5Z"),
            ("2022-04-06T10:00:00.000Z", "2022-04-06T10:01:00.500Z"),
        ),
        (
            AskedTimeframe(start="2022-04-06T12:00:00+02:00", end="2022-04-06T10:02:00.123456789Z"),
            ("2022-04-06T10:00:00.000Z", "2022-04-06T10:02:00.123Z"),
        ),
        (AskedTimeframe(test_start="whatever", test_end="it says"), ("whatever", "it says")),
        (AskedTimeframe(start="2022-04-06T10:00:00Z", test_start="a", test_end="b"), ("a", "b")),
    ],
)
def test_which_window_is_meant(asked: AskedTimeframe, window: tuple[str, str]) -> None:
    assert resolve_timeframe(asked, NOW) == window


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (AskedTimeframe(), "evaluation.triggered event does not contain evaluation timeframe"),
        (
            AskedTimeframe(start="2022-04-06T10:00:00Z"),
            "evaluation.triggered event does not contain evaluation timeframe",
        ),
        (AskedTimeframe(end="2022-04-06T10:00:00Z", timeframe="2m"), "'end' and 'timeframe' are mutually exclusive"),
        (AskedTimeframe(timeframe="59s"), "end date must be at least 1 minute after start date"),
        (AskedTimeframe(timeframe="-2m"), "end date must be at least 1 minute after start date"),
        (AskedTimeframe(timeframe="0"), "end date must be at least 1 minute after start date"),
        (
            AskedTimeframe(start="2022-04-06T10:02:00Z", end="2022-04-06T10:00:00Z"),
            "end date must be at least 1 minute after start date",
        ),
        (AskedTimeframe(timeframe="1d"), 'could not parse provided timeframe: time: unknown unit "d" in duration "1d"'),
        (
            AskedTimeframe(timeframe="2 m"),
            'could not parse provided timeframe: time: unknown unit " m" in duration "2 m"',
        ),
        (AskedTimeframe(timeframe="5"), 'could not parse provided timeframe: time: missing unit in duration "5"'),
        (AskedTimeframe(timeframe="-"), 'could not parse provided timeframe: time: invalid duration "-"'),
        (AskedTimeframe(timeframe="x2m"), 'could not parse provided timeframe: time: invalid duration "x2m"'),
        (AskedTimeframe(timeframe=".s"), 'could not parse provided timeframe: time: invalid duration ".s"'),
        (AskedTimeframe(timeframe="2562048h"), 'could not parse provided timeframe: time: invalid duration "2562048h"'),
        (
            AskedTimeframe(start="9999-01-01T00:00:00Z", timeframe="20000h"),
            "the timeframe leads beyond the years that have four digits",
        ),
        (
            AskedTimeframe(start="2022-04-06", end="2022-04-06T10:00:00Z"),
            "'2022-04-06' is no timestamp; write it as 2022-04-06T14:35:03.762Z",
        ),
        (
            AskedTimeframe(start="2022-02-30T00:00:00Z", end="2022-04-06T10:00:00Z"),
            "'2022-02-30T00:00:00Z' is no timestamp; write it as 2022-04-06T14:35:03.762Z",
        ),
    ],
)
def test_which_window_cannot_be_meant(asked: AskedTimeframe, message: str) -> None:
    with pytest.raises(TimeframeError) as caught:
        resolve_timeframe(asked, NOW)
    assert str(caught.value) == message


texts = st.text(st.sampled_from("0123456789.-+:TZhmsµ ,"), max_size=25)


@settings(deadline=None)
@given(st.builds(AskedTimeframe, texts, texts, texts))
def test_nothing_but_its_own_error_leaves_it(asked: AskedTimeframe) -> None:
    try:
        start, end = resolve_timeframe(asked, NOW)
    except TimeframeError:
        return
    assert start < end
