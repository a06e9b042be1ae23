import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodeval.domain.backoff import Backoff

DAY = 24 * 3600


def seconds(failures, *, most=600.0, retry_after=None, jitter=0.0):
    return Backoff().seconds(failures, most=most, retry_after=retry_after, jitter=jitter)


def test_waits_grow_up_to_the_bound():
    assert [seconds(failures) for failures in (0, 1, 2, 3)] == [2, 2, 3, 4.5]
    assert [seconds(failures) for failures in (16, 1751, 10**9)] == [600, 600, 600]


def test_jitter_takes_away_a_quarter_at_most():
    assert seconds(1, jitter=1) == 1.5
    assert seconds(10**6, jitter=0.5) == 525


def test_what_the_other_side_asks_for_is_kept_in_full():
    assert seconds(1, retry_after=120) == 120
    assert seconds(1, most=60, retry_after=3600) == 3600
    assert seconds(1, most=60, retry_after=3600, jitter=1) == pytest.approx(3960)
    assert seconds(1, retry_after=10**9) == DAY


def test_a_small_wish_does_not_make_it_faster():
    assert seconds(10, retry_after=1) == seconds(10)


@pytest.mark.parametrize("retry_after", [0, -5, math.nan, -math.inf])
def test_a_wish_that_is_none_is_passed_over(retry_after):
    assert seconds(3, retry_after=retry_after) == 4.5


def test_a_bound_below_the_first_wait_counts():
    assert seconds(1, most=1) == 1


@given(
    failures=st.integers(-1, 10**400),
    most=st.floats(0, DAY),
    retry_after=st.none() | st.floats(),
    jitter=st.floats(0, 1),
)
def test_any_wait_is_a_number_of_seconds_within_a_day(failures, most, retry_after, jitter):
    wait = seconds(failures, most=most, retry_after=retry_after, jitter=jitter)
    assert 0 <= wait <= DAY
    assert retry_after is None or not retry_after > 0 or wait >= min(retry_after, DAY)
