"""Keptn's events and sequence executions, read without trusting their shape."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from prodeval.domain.json_values import JSON, JSONObject, as_list, as_object, as_text, child

OVERLAP = timedelta(minutes=1)
"""How far behind the newest known event to ask again: Keptn can store an event seconds after its `time`."""

_FIRST_YEAR, _LAST_YEAR = 1970, 9000
_PREFIX = "sh.keptn.event."
EVALUATION_FINISHED = f"{_PREFIX}evaluation.finished"
_HEAVY = frozenset({"indicatorResults", "sloFileContent", "comparedEvents"})
_CARRIED = frozenset({"evaluation", "get-sli", "temporaryData"})


@dataclass(frozen=True, slots=True)
class Event:
    """One stored event.

    Attributes:
        type: as Keptn writes it, `sh.keptn.event.` included.
        time: aware; Keptn's nanoseconds are cut to microseconds.
        context: joins all stages of one delivery.
        triggered_id: the id of the `.triggered` event that this one answers; empty on a `.triggered` event.
        git_commit: of the stage's configuration; reliable only on a task's `.triggered` event.
        data: the payload, as Keptn sent it.
    """

    id: str
    type: str
    time: datetime
    context: str
    source: str
    triggered_id: str
    git_commit: str
    data: JSONObject

    @property
    def parts(self) -> tuple[str, ...]:
        """(task, kind) of a task event, (stage, sequence, kind) of a sequence event, () of anything else."""
        return tuple(self.type.removeprefix(_PREFIX).split(".")) if self.type.startswith(_PREFIX) else ()

    @property
    def kind(self) -> str:
        """`triggered`, `started`, `finished`, `invalidated` and others."""
        return self.type.rpartition(".")[2]

    def text(self, *keys: str) -> str:
        """The text at a place of the payload; empty if there is none."""
        return as_text(child(self.data, *keys))

    @property
    def order(self) -> tuple[datetime, str]:
        """Sorts events by time, those of one microsecond by id."""
        return self.time, self.id


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """What Keptn answered to one question: events oldest first.

    Attributes:
        complete: False if it was cut off (pages, bytes, time): then only what is newer than the oldest event is known
            whole.
        answered: when Keptn answered, by Keptn's own clock (the `Date` header of the first page); None without one.
    """

    events: tuple[Event, ...]
    complete: bool
    answered: datetime | None


@dataclass(frozen=True, slots=True)
class SequenceExecution:
    """How Keptn's shipyard-controller sees one sequence of one stage.

    Attributes:
        state: triggered, waiting, started, waitingForApproval, paused, finished, timedOut or aborted.
    """

    context: str
    stage: str
    service: str
    sequence: str
    state: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one integration of Keptn's uniform listens to; an empty filter means everything."""

    integration: str
    event: str
    projects: frozenset[str]
    stages: frozenset[str]
    services: frozenset[str]

    def covers(self, project: str, stage: str, service: str) -> bool:
        """Whether the filters let events of a service through."""
        filters = ((self.projects, project), (self.stages, stage), (self.services, service))
        return all(not allowed or name in allowed for allowed, name in filters)


def parse_time(text: str) -> datetime | None:
    """Read a time of Keptn's, UTC if it names no zone; None if it is none, or so far off that sums would overflow."""
    try:
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return time if _FIRST_YEAR <= time.year <= _LAST_YEAR else None


def format_time(time: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as Keptn writes it."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_event(value: JSON) -> Event | None:
    """Read one event; None if it lacks what makes it one: id, type, context and time."""
    body = as_object(value)
    time = parse_time(as_text(body.get("time")))
    event_id, event_type, context = (as_text(body.get(key)) for key in ("id", "type", "shkeptncontext"))
    if time is None or not (event_id and event_type and context):
        return None
    return Event(
        id=event_id,
        type=event_type,
        time=time,
        context=context,
        source=as_text(body.get("source")),
        triggered_id=as_text(body.get("triggeredid")),
        git_commit=as_text(body.get("gitcommitid")),
        data=as_object(body.get("data")),
    )


def parse_events(values: JSON) -> tuple[Event, ...]:
    """Read a list of events; what is none is left out."""
    return tuple(event for event in map(parse_event, as_list(values)) if event is not None)


def merge_events(*lists: Iterable[Event]) -> tuple[Event, ...]:
    """All events once, oldest first."""
    known = {event.id: event for events in lists for event in events}
    return tuple(sorted(known.values(), key=lambda event: event.order))


def slim(event: Event) -> Event:
    """The event without what only one kind of event needs and all later ones of a run carry along.

    Keptn merges the results of each task into all that follows: without this they would be kept in memory many times.
    """
    if event.type == EVALUATION_FINISHED:
        return event
    evaluation = {key: value for key, value in as_object(event.data.get("evaluation")).items() if key not in _HEAVY}
    data = {key: value for key, value in event.data.items() if key not in _CARRIED}
    return replace(event, data={**data, "evaluation": evaluation} if evaluation else data)


def newest_contexts(events: Sequence[Event], most: int) -> tuple[Event, ...]:
    """The events, oldest first, of so many newest contexts of each service.

    The newest `finished` of each type, stage and service keeps its context too: it may be the last deployment.
    """
    kept: set[str] = set()
    counts: dict[str, set[str]] = {}
    finished: set[tuple[str, str, str]] = set()
    for event in reversed(events):
        service, stage = event.text("service"), event.text("stage")
        contexts = counts.setdefault(service, set())
        if len(contexts) < most:
            contexts.add(event.context)
        is_newest = event.kind == "finished" and (event.type, stage, service) not in finished
        if is_newest:
            finished.add((event.type, stage, service))
        if is_newest or event.context in contexts:
            kept.add(event.context)
    return tuple(event for event in events if event.context in kept)


def parse_executions(values: JSON) -> tuple[SequenceExecution, ...]:
    """Read a list of sequence executions; what lacks its scope is left out."""
    executions = (_execution(value) for value in as_list(values))
    return tuple(execution for execution in executions if execution.context and execution.stage)


def _execution(value: JSON) -> SequenceExecution:
    def read(*keys: str) -> str:
        return as_text(child(value, *keys))

    return SequenceExecution(
        context=read("scope", "keptnContext"),
        stage=read("scope", "stage"),
        service=read("scope", "service"),
        sequence=read("sequence", "name"),
        state=read("status", "state"),
    )


def parse_registrations(values: JSON) -> tuple[Subscription, ...]:
    """Read the uniform's registrations into their subscriptions."""
    return tuple(
        _subscription(as_text(child(integration, "name")), as_object(subscription))
        for integration in as_list(values)
        for subscription in as_list(child(integration, "subscriptions"))
    )


def _subscription(integration: str, body: JSONObject) -> Subscription:
    def allowed(key: str) -> frozenset[str]:
        return frozenset(as_text(name) for name in as_list(child(body, "filter", key)))

    return Subscription(
        integration, as_text(body.get("event")), allowed("projects"), allowed("stages"), allowed("services")
    )
