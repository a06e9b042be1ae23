import io
import logging

import pytest

from prodeval.cli.log_filter import LogFilter
from prodeval.domain.masking import Mask

TOKEN = "t0ken-of-the-tests"


@pytest.fixture
def log():
    """A logger of a library, and what a handler with the filter writes of it."""
    mask = Mask()
    mask.learn(TOKEN)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(LogFilter(mask))
    logger = logging.getLogger("a.library")
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, stream.getvalue
    logger.removeHandler(handler)
    logger.propagate = True


def test_controls_and_secrets_are_taken_out_of_messages_and_arguments(log):
    logger, written = log
    logger.warning("\x1b[2JKeptn says %s", f"\u202eno\nto {TOKEN}\x00")
    assert written() == "Keptn says no to ***\n"


def test_a_traceback_keeps_its_lines_and_loses_its_secrets(log):
    logger, written = log
    try:
        int(f"\x1b]0;title\x07bad {TOKEN}", base=99)
    except ValueError as error:
        error.add_note(f"\x1b]0;title\x07bad {TOKEN}")
        logger.exception("it failed", stack_info=True)
    text = written()
    assert text.startswith("it failed\nTraceback (most recent call last):\n")
    assert "\nbad ***\n" in text
    assert "\nStack (most recent call last):\n" in text
    assert "\x1b" not in text
    assert TOKEN not in text


def test_arguments_that_do_not_fit_lose_no_line(log):
    logger, written = log
    logger.warning("%d", f"no number {TOKEN}")
    assert written() == "%d ('no number ***',)\n"
