"""One server that is away as a whole: who asks again, when, and what the log says of it."""

import logging
import random
import threading
from collections.abc import Callable

from prodeval.domain.backoff import Backoff
from prodeval.domain.errors import ProdevalError, RetryableError
from prodeval.service.clock import Clock

logger = logging.getLogger(__name__)

_LONGEST_PAUSE = 60.0


class Outage:
    """Keeps a server that is known to be away from being asked by everybody; safe to use from many threads.

    The first failure begins the outage; until its pause is over `check` raises it to all, and then to all but one.
    """

    def __init__(self, server: str, clock: Clock, jitter: Callable[[], float] = random.random) -> None:
        self._server, self._clock, self._jitter = server, clock, jitter
        self._error: ProdevalError | None = None
        self._failures = 0
        self._next = 0.0
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise what is known to be wrong, unless it is time that somebody asks again: the caller is that one."""
        with self._lock:
            if self._error is None:
                return
            now = self._clock.monotonic()
            if now < self._next:
                raise self._error.with_traceback(None)  # else it would grow with each raise
            self._failures += 1
            self._next = now + self._pause(self._error)

    @property
    def seconds(self) -> float:
        """How long to wait before `check` lets somebody through; 0 if the server is not away."""
        with self._lock:
            return 0.0 if self._error is None else max(0.0, self._next - self._clock.monotonic())

    @property
    def error(self) -> ProdevalError | None:
        """What is wrong; None if the server is not away."""
        return self._error

    def failed(self, error: ProdevalError) -> None:
        """The server as a whole did not answer."""
        with self._lock:
            begins, self._error = self._error is None, error
            if begins:  # all who fail at once, or were asking when it began, are one failure
                self._failures = 1
            self._next = max(self._next, self._clock.monotonic() + self._pause(error))
        if begins:
            logger.warning("%s is away; asking again from time to time: %s", self._server, error)

    def answered(self) -> None:
        """The server answered, whatever it said."""
        with self._lock:
            ends, self._error, self._failures, self._next = self._error is not None, None, 0, 0.0
        if ends:
            logger.info("%s answers again", self._server)

    def _pause(self, error: ProdevalError) -> float:
        asked = error.retry_after if isinstance(error, RetryableError) else None
        return Backoff().seconds(self._failures, most=_LONGEST_PAUSE, retry_after=asked, jitter=self._jitter())
