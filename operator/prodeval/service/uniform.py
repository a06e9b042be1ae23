"""Who is registered in Keptn's uniform, as the poller read it last."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from prodeval.domain.errors import ProdevalError
from prodeval.domain.events import Subscription
from prodeval.domain.resource import Target
from prodeval.service.ports import Keptn

logger = logging.getLogger(__name__)

_READ_EVERY = timedelta(minutes=10)


class Uniform:
    """The subscriptions of Keptn's integrations; they only feed a doubt, so an answer may be old or missing."""

    def __init__(self, keptn: Keptn, clock: Callable[[], datetime]) -> None:
        self._keptn, self._clock = keptn, clock
        self._read_at: datetime | None = None
        self._known: tuple[Subscription, ...] | None = None

    def refresh(self) -> None:
        """Ask again if the last answer is old."""
        now = self._clock()
        if self._read_at is not None and now - self._read_at < _READ_EVERY:
            return
        self._read_at = now
        try:
            self._known = self._keptn.registrations()
        except ProdevalError as error:
            logger.info("Who is registered in Keptn is unknown: %s", error)

    def event_types(self, target: Target) -> frozenset[str] | None:
        """The events of a target that somebody listens to; None if that is not known."""
        if self._known is None:
            return None
        place = (target.project, target.stage, target.service)
        return frozenset(one.event for one in self._known if one.covers(*place))
