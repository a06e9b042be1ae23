from datetime import timedelta

import pytest

from prodeval.domain.durations import format_duration, parse_duration


@pytest.mark.parametrize("text", ["40m", "1h30m", "1m30s", "48h", "1h1s", "0s"])
def test_a_duration_is_written_as_it_is_read(text):
    assert format_duration(parse_duration(text)) == text


def test_a_part_of_a_second_is_rounded():
    assert format_duration(timedelta(seconds=59.7)) == "1m"
