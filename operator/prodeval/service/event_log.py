"""What is known of each project's events: asked for once, then only what is new."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from prodeval.domain.events import Event, SequenceExecution, ask_from, merge_events
from prodeval.service.ports import Keptn


@dataclass(slots=True)
class _Known:
    """All events since `since`, oldest first."""

    since: datetime | None = None
    events: tuple[Event, ...] = ()
    executions: tuple[SequenceExecution, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)


class EventLog:
    """The events of all projects. Safe to use from many threads."""

    def __init__(self, keptn: Keptn, clock: Callable[[], datetime]) -> None:
        self._keptn, self._clock = keptn, clock
        self._projects: dict[str, _Known] = {}

    def refresh(self, project: str, since: datetime, *, with_executions: bool) -> None:
        """Ask for what is new; for everything if `since` is earlier than all that is known.

        Raises KeptnUnavailableError.
        """
        known = self._of(project)
        with known.lock:
            if known.since is None or since < known.since:
                known.events, known.since = (), since
            start = ask_from(known.events, known.since, self._clock())
            known.events = merge_events(known.events, self._keptn.events(project, start))
            if with_executions:
                known.executions = self._keptn.sequence_executions(project)

    def covers(self, project: str, since: datetime) -> bool:
        """Whether everything since then was asked for once."""
        known = self._of(project)
        return known.since is not None and known.since <= since

    def events(self, project: str) -> tuple[Event, ...]:
        """The known events of a project, oldest first."""
        return self._of(project).events

    def executions(self, project: str) -> tuple[SequenceExecution, ...]:
        """The sequence executions of a project when they were last asked for."""
        return self._of(project).executions

    def _of(self, project: str) -> _Known:
        return self._projects.setdefault(project, _Known())
