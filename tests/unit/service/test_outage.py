"""A server that is away: one asks again from time to time, all others are told what is known."""

import itertools
import traceback

import pytest

from prodeval.domain.errors import AccessDeniedError, KeptnUnavailableError
from prodeval.service.outage import Outage
from tests.support.world import MovedClock

AWAY = KeptnUnavailableError("no connection")


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def outage(clock):
    return Outage("Keptn", clock, lambda: 0.0)


def refuses(outage):
    """Whether a caller is told at once that the server is away."""
    try:
        outage.check()
    except KeptnUnavailableError:
        return True
    return False


def test_a_server_that_answers_may_be_asked(outage):
    outage.check()
    outage.answered()
    assert (outage.error, outage.seconds) == (None, 0.0)


def test_who_asks_during_an_outage_is_told_what_is_known(outage):
    outage.failed(AWAY)
    with pytest.raises(KeptnUnavailableError, match="no connection"):
        outage.check()
    assert outage.error is AWAY


def test_after_a_pause_one_caller_asks_and_all_others_wait_on(outage, clock):
    outage.failed(AWAY)
    clock.seconds += outage.seconds
    assert [refuses(outage) for _ in range(4)] == [False, True, True, True]


def test_a_caller_that_never_comes_back_holds_nobody_for_ever(outage, clock):
    outage.failed(AWAY)
    for _ in range(5):
        clock.seconds += outage.seconds
        assert not refuses(outage)


def pauses(outage, clock):
    """How long each next pause is, while the server stays away."""
    while True:
        yield outage.seconds
        clock.seconds += outage.seconds
        outage.check()
        outage.failed(AWAY)


def test_pauses_grow_to_a_minute(outage, clock):
    outage.failed(AWAY)
    seconds = list(itertools.islice(pauses(outage, clock), 30))
    assert seconds == sorted(seconds)
    assert (seconds[0], seconds[-1]) == (2.0, 60.0)


def test_many_that_fail_at_once_are_one_failure(outage, clock):
    """A server that is away for two seconds while sixteen turns ask it is not left alone for a minute."""
    for _ in range(16):
        outage.failed(AWAY)
    assert outage.seconds == 2.0


def test_who_began_to_ask_before_the_outage_does_not_shorten_a_pause(outage, clock):
    outage.failed(KeptnUnavailableError("slow down", retry_after=100.0))
    outage.failed(AWAY)
    assert outage.seconds == 100.0


def test_a_wait_that_the_server_asks_for_is_kept(outage, clock):
    outage.failed(KeptnUnavailableError("slow down", retry_after=500.0))
    assert outage.seconds == 500.0


def test_an_error_without_a_wait_has_the_usual_pause(outage):
    outage.failed(AccessDeniedError("credentials refused"))
    assert outage.seconds == 2.0


def test_an_answer_ends_the_outage_and_the_next_one_begins_anew(outage, clock):
    outage.failed(AWAY)
    list(itertools.islice(pauses(outage, clock), 10))
    outage.answered()
    assert not refuses(outage)
    outage.failed(AWAY)
    assert outage.seconds == 2.0


def test_it_is_said_once_when_it_begins_and_when_it_ends(outage, caplog):
    caplog.set_level("INFO")
    for _ in range(3):
        outage.failed(AWAY)
    for _ in range(3):
        outage.answered()
    assert [one.getMessage() for one in caplog.records] == [
        "Keptn is away; asking again from time to time: no connection",
        "Keptn answers again",
    ]


def test_an_error_that_is_told_again_and_again_does_not_grow(outage):
    """Each raise of one object adds to its traceback, and that holds all frames that it went through."""
    outage.failed(KeptnUnavailableError("no connection"))
    for _ in range(100):
        refuses(outage)
    assert len(traceback.extract_tb(outage.error.__traceback__)) <= 2
