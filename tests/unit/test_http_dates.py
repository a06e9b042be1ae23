from datetime import UTC, datetime, timedelta, timezone

import pytest

from prodeval.domain.http_dates import parse_http_date, parse_retry_after

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 10:49:37 +0200",
    ],
)
def test_all_forms_of_a_date_are_read(text):
    assert parse_http_date(text) == NOW
    assert parse_http_date(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +9999",
        "0 0 0 0 0",
        ",,,",
        "9" * 999,
    ],
)
def test_what_is_no_date_is_none(text):
    assert parse_http_date(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 7200 ", 7200.0),
        ("0", 0.0),
        ("Sun, 06 Nov 1994 09:49:37 GMT", 3600.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
        ("Sun, 06 Nov 2094 08:49:37 GMT", 86_400.0),
        ("99999999", 86_400.0),
        ("9" * 5000, 86_400.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_a_wait_is_read_in_seconds_and_as_a_date_and_is_a_day_at_most(text, seconds):
    assert parse_retry_after(text, NOW) == seconds


def test_a_date_is_compared_in_any_zone():
    now = NOW.astimezone(timezone(timedelta(hours=5)))
    assert parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now) == 60.0
