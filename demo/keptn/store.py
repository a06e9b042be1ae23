"""Stored events, as mongodb-datastore keeps and finds them: one list per project, times compared as text."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from demo.keptn.events import Event


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events of a project; an empty field asks for any.

    Attributes:
        from_time, before_time: exclusive, compared as text.
        root: only the first event of each context.
    """

    project: str = ""
    stage: str = ""
    service: str = ""
    context: str = ""
    type: str = ""
    source: str = ""
    id: str = ""
    from_time: str = ""
    before_time: str = ""
    root: bool = False

    def matches(self, event: Event) -> bool:
        """Whether the event is wanted, `root` aside."""
        wanted = (
            (self.stage, event.text("stage")),
            (self.service, event.text("service")),
            (self.context, event.context),
            (self.type, event.type),
            (self.source, event.source),
            (self.id, event.id),
        )
        if any(value and value != found for value, found in wanted):
            return False
        return event.time > self.from_time and (not self.before_time or event.time < self.before_time)


class EventStore:
    """All events since the start of the process; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._projects: dict[str, list[Event]] = defaultdict(list)

    def add(self, event: Event) -> None:
        """Store an event; one without a project goes to the unmapped ones, whose project is empty."""
        with self._lock:
            self._projects[event.text("project")].append(event)

    def find(self, query: EventQuery) -> list[Event]:
        """The events that match, newest first by the text of their time."""
        with self._lock:
            project = query.project or self._project_of(query.context)
            events = list(self._projects.get(project, ()))
        if query.root:
            events = _first_of_each_context(events)
        return newest_first(event for event in events if query.matches(event))

    def invalidated(self, project: str) -> frozenset[str]:
        """The `triggeredid` of all that some `*.invalidated` event of the project takes back."""
        with self._lock:
            events = list(self._projects.get(project, ()))
        return frozenset(event.triggered_id for event in events if event.type.endswith(".invalidated"))

    def _project_of(self, context: str) -> str:
        contexts = ((name, event.context) for name, events in self._projects.items() for event in events)
        return next((name for name, found in contexts if context and found == context), "")


def newest_first(events: Iterable[Event]) -> list[Event]:
    """By time, later stored first where times are equal."""
    return sorted(events, key=lambda event: event.time)[::-1]


def _first_of_each_context(events: Iterable[Event]) -> list[Event]:
    first: dict[str, Event] = {}
    for event in events:
        first.setdefault(event.context, event)
    return list(first.values())
