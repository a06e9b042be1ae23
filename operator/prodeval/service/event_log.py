"""What is known of each project's events, and since when and until when it is all there is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prodeval.domain.event_fields import weigh
from prodeval.domain.events import (
    OVERLAP,
    Event,
    EventAnswer,
    SequenceExecution,
    merge_events,
    newest_contexts,
    slim,
)
from prodeval.domain.resource import Target
from prodeval.service.clock import Clock
from prodeval.service.ports import Keptn

_CONTEXTS = 20
"""How many runs of each service are remembered: a verdict needs the newest, and earlier ones if that is invalidated."""
_PROJECT_SIZE, _SMALLEST_SHARE = 16 * 1024 * 1024, 512 * 1024
"""About how many bytes of memory a project's events may take, and each of its services at least: whoever may send
events to a project must not fill the operator's memory."""
_EVENT_SIZE = 1000
"""Bytes of an event beside its data."""


@dataclass(frozen=True, slots=True)
class ServiceEvents:
    """What is known of one service.

    Attributes:
        events: oldest first.
        executions: the sequence executions of its project, as far as known.
        since, until: between these all events of the service are known; outside of it "there is none" is a guess.
    """

    events: tuple[Event, ...]
    executions: tuple[SequenceExecution, ...]
    since: datetime
    until: datetime


@dataclass(slots=True)
class _Service:
    """One service of a project.

    Attributes:
        since: from then on all events are known.
        asked: the earliest time that was ever asked for, which a cut answer may not have reached.
        older: events from before, that were asked for by name.
    """

    since: datetime
    asked: datetime
    events: tuple[Event, ...] = ()
    older: tuple[Event, ...] = ()
    completed: set[tuple[str, str]] = field(default_factory=set)


@dataclass(slots=True)
class _Project:
    """One project's services, and until when their events are known."""

    newest: datetime
    until: datetime
    services: dict[str, _Service] = field(default_factory=dict)
    executions: tuple[SequenceExecution, ...] = ()


class EventLog:
    """The events of all projects, of the services that somebody asks about.

    One thread at a time may write about one project; anybody may read. What asks Keptn raises KeptnUnavailableError
    and leaves the log as it was.
    """

    def __init__(self, keptn: Keptn, clock: Clock) -> None:
        self._keptn, self._clock = keptn, clock
        self._projects: dict[str, _Project] = {}

    def refresh(self, project: str, needs: Mapping[str, datetime], *, with_executions: bool) -> frozenset[str]:
        """Ask for what is new, and once for what a service needs from before; returns the services with news.

        `needs` says by service since when its events matter.
        """
        asked_at = self._clock.now()
        executions = self._keptn.sequence_executions(project) if with_executions else ()
        known = self._projects.get(project)
        start = min(needs.values()) if known is None else _ask_from(known, asked_at)
        answer = self._keptn.events(project, start)
        until = (answer.answered or asked_at) - OVERLAP
        reached = start if answer.complete else _oldest(answer, until)
        if known is None:
            services = {name: _joined(max(need, reached)) for name, need in needs.items()}
            known = self._projects[project] = _Project(newest=start, until=until, services=services)
        news = self._take_in(known, answer, gap=reached if reached > start else None)
        known.executions, known.until = executions, max(known.until, until)
        for name in known.services.keys() - needs.keys():
            del known.services[name]
        return news | self._join(project, known, needs)

    def service(self, project: str, service: str) -> ServiceEvents | None:
        """What is known of a service; None if nothing was asked yet."""
        known = self._projects.get(project)
        found = known.services.get(service) if known else None
        if known is None or found is None:
            return None
        events = merge_events(found.older, found.events) if found.older else found.events
        return ServiceEvents(events, known.executions, found.since, known.until)

    def complete(self, target: Target, after_task: str) -> None:
        """Ask once for the newest deployment of a target: it may be older than what is known."""
        known = self._projects.get(target.project)
        service = known.services.get(target.service) if known else None
        if known is None or service is None or (target.stage, after_task) in service.completed:
            return
        anchor = f"sh.keptn.event.{after_task}.finished"
        newest = self._keptn.newest_event(target.project, target.stage, target.service, anchor)
        if newest is not None:
            run = self._keptn.events_of_context(target.project, newest.context)
            service.older = _newest_within(_share(known), merge_events(service.older, map(slim, run)))
        service.completed.add((target.stage, after_task))

    def is_complete(self, target: Target, after_task: str) -> bool:
        """Whether the newest deployment of a target was asked for by name."""
        known = self._projects.get(target.project)
        service = known.services.get(target.service) if known else None
        return service is not None and (target.stage, after_task) in service.completed

    def fetch(self, project: str, event_ids: Iterable[str]) -> tuple[Event, ...]:
        """Ask for single events, which the log does not keep; those that Keptn does not have are left out."""
        found = [self._keptn.event(project, event_id) for event_id in event_ids]
        return tuple(event for event in found if event is not None)

    def drop(self, project: str) -> None:
        """Forget a project about which nobody asks any more."""
        self._projects.pop(project, None)

    def _take_in(self, known: _Project, answer: EventAnswer, *, gap: datetime | None) -> frozenset[str]:
        """Sort an answer into the services; behind the `gap` that a cut one leaves nothing counts as known or asked."""
        if gap is not None:
            for service in known.services.values():
                service.since, service.asked = max(service.since, gap), max(service.asked, gap)
        if answer.events:
            known.newest = max(known.newest, answer.events[-1].time)
        grouped = _by_service(answer.events)
        return frozenset(
            name
            for name, events in grouped.items()
            if name in known.services and _add(known.services[name], events, _share(known))
        )

    def _join(self, project: str, known: _Project, needs: Mapping[str, datetime]) -> frozenset[str]:
        """Ask for the past of each service that needs more of it than anybody has asked for."""
        joined = set()
        for name, need in needs.items():
            service = known.services.get(name)
            if service is not None and (service.since <= need or service.asked <= need):
                continue
            answer = self._keptn.service_events(project, name, need)
            since = need if answer.complete else _oldest(answer, known.until)
            if service is None:
                service = known.services[name] = _Service(since=since, asked=need)
            service.since, service.asked = min(service.since, since), need
            _add(service, answer.events, _share(known))
            joined.add(name)
        return frozenset(joined)


def _joined(since: datetime) -> _Service:
    return _Service(since=since, asked=since)


def _ask_from(known: _Project, now: datetime) -> datetime:
    """From when to ask for what is new; an event from the future, by a skewed clock, hides nothing."""
    return min(known.newest, now, known.until + OVERLAP) - OVERLAP


def _oldest(answer: EventAnswer, otherwise: datetime) -> datetime:
    """From when on a cut answer is whole: events of one moment may be on both sides of the cut."""
    return answer.events[0].time + timedelta(microseconds=1) if answer.events else otherwise


def _by_service(events: Iterable[Event]) -> dict[str, list[Event]]:
    grouped: dict[str, list[Event]] = {}
    for event in events:
        grouped.setdefault(event.text("service"), []).append(event)
    return grouped


def _share(project: _Project) -> int:
    """How many bytes the events of one service may take."""
    return max(_PROJECT_SIZE // len(project.services), _SMALLEST_SHARE)


def _newest_within(size: int, events: Sequence[Event]) -> tuple[Event, ...]:
    """The newest events, as many as fit."""
    for number, event in enumerate(reversed(events)):
        size -= _EVENT_SIZE + weigh(event.data)
        if size < 0:
            return tuple(events[len(events) - number :])
    return tuple(events)


def _add(service: _Service, events: Sequence[Event], size: int) -> bool:
    """Add events; tells if any is new. Of runs that are too old to matter nothing is kept, nor claimed to be known.

    An answer may reach further back than anybody asked about this service, depending on when the operator was started
    and on who else asked. What it tells from then is left out: a status must not depend on such accidents.
    """
    known = {event.id for event in service.events}
    new = [slim(event) for event in events if event.id not in known and event.time >= service.asked]
    if not new:
        return False
    merged = merge_events(service.events, new)
    service.events = _newest_within(size, newest_contexts(merged, _CONTEXTS))
    kept = {event.id for event in service.events}
    dropped = [event.time for event in merged if event.id not in kept]
    if dropped:
        service.since = max(service.since, max(dropped) + timedelta(microseconds=1))
    return any(event.id in kept for event in new)
