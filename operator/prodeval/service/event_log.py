"""What is known of each project's events: asked for once, then only what is new."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from prodeval.domain.events import Event, SequenceExecution, ask_from, merge_events, newest_contexts
from prodeval.domain.resource import Target
from prodeval.service.ports import Keptn

_CONTEXTS = 20
"""How many runs of each service are remembered: a verdict needs the newest, and earlier ones if that is invalidated."""


@dataclass(slots=True)
class _Known:
    """The newest runs since `since`, and some older events that were asked for by name; oldest first.

    Attributes:
        completed: targets whose deployment from before `since` was asked for.
    """

    since: datetime | None = None
    events: tuple[Event, ...] = ()
    executions: tuple[SequenceExecution, ...] = ()
    completed: set[Target] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


class EventLog:
    """The events of all projects. Safe to use from many threads; what asks Keptn raises KeptnUnavailableError."""

    def __init__(self, keptn: Keptn, clock: Callable[[], datetime]) -> None:
        self._keptn, self._clock = keptn, clock
        self._projects: dict[str, _Known] = {}

    def refresh(self, project: str, since: datetime, *, with_executions: bool) -> bool:
        """Ask for what is new, for everything if `since` is earlier than what is known; tells if there is any."""
        known = self._of(project)
        with known.lock:
            before = {event.id for event in known.events}
            if known.since is None or since < known.since:
                known.since = since
                start = since
            else:
                start = ask_from(known.events, known.since, self._clock())
            found = self._keptn.events(project, start).events
            known.events = newest_contexts(merge_events(known.events, found), _CONTEXTS)
            if with_executions:
                known.executions = self._keptn.sequence_executions(project)
            return any(event.id not in before for event in known.events)

    def complete(self, target: Target, after_task: str) -> None:
        """Ask once for the newest deployment of a target if none is known: it may be older than what was asked for."""
        known, anchor = self._of(target.project), f"sh.keptn.event.{after_task}.finished"
        with known.lock:
            if target in known.completed or any(_is_of(event, anchor, target) for event in known.events):
                return
            newest = self._keptn.newest_event(target.project, target.stage, target.service, anchor)
            if newest is not None:
                run = self._keptn.events_of_context(target.project, newest.context)
                known.events = merge_events(known.events, run)
            known.completed.add(target)

    def fetch(self, project: str, event_ids: Iterable[str]) -> None:
        """Ask for single events; one that Keptn does not have stays unknown."""
        known = self._of(project)
        with known.lock:
            found = [self._keptn.event(project, event_id) for event_id in event_ids]
            known.events = merge_events(known.events, [event for event in found if event is not None])

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


def _is_of(event: Event, event_type: str, target: Target) -> bool:
    return event.type == event_type and (event.text("stage"), event.text("service")) == (target.stage, target.service)
