"""Events grouped into runs: one sequence of one stage, from its trigger to its end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from prodeval.domain.events import Event

LIGHTHOUSE = "lighthouse-service"
EVALUATION = "evaluation"
_NO_TASK = "get-sli"  # lighthouse asks its SLI provider by events that look like a task's
_TASK_PARTS = 2
_SEQUENCE_PARTS = 3


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a run.

    Attributes:
        trigger_id: of its `.triggered` event, which may be unknown itself.
        events: that one and what answered it, oldest first, at least one.
    """

    name: str
    trigger_id: str
    events: tuple[Event, ...]

    @property
    def began(self) -> datetime:
        """When it was triggered."""
        return self.events[0].time

    @property
    def finished(self) -> tuple[Event, ...]:
        """Its `.finished` events: one for each executor that answered."""
        return tuple(event for event in self.events if event.kind == "finished")

    @property
    def failed(self) -> bool:
        """Whether an executor said anything but success."""
        return not all(succeeded(event) for event in self.finished)

    @property
    def evaluated(self) -> bool:
        """Whether lighthouse gave a result."""
        return self.name == EVALUATION and any(event.source == LIGHTHOUSE for event in self.finished)


@dataclass(frozen=True, slots=True)
class Run:
    """One sequence of one stage.

    Attributes:
        trigger: its `<stage>.<sequence>.triggered` event.
        finished: its `<stage>.<sequence>.finished` event; None while it is under way.
        tasks: oldest first.
    """

    context: str
    stage: str
    sequence: str
    trigger: Event
    finished: Event | None
    tasks: tuple[Task, ...] = ()

    @property
    def evaluated(self) -> bool:
        """Whether lighthouse gave a result in it, whatever became of it later."""
        return any(task.evaluated for task in self.tasks)

    @property
    def open(self) -> bool:
        """Whether its result is still to come."""
        return self.finished is None and not self.evaluated

    @property
    def failed(self) -> bool:
        """Whether it ended, without a result of lighthouse, as anything but a success."""
        return self.finished is not None and not self.evaluated and not succeeded(self.finished)

    def began(self, task: str) -> datetime | None:
        """When a task of that name was first triggered; None if it was not."""
        return next((found.began for found in self.tasks if found.name == task), None)


def succeeded(finished: Event) -> bool:
    """Whether Keptn goes on after this `.finished` event; its status counts as much as its result."""
    return finished.text("status") == "succeeded" and finished.text("result") in {"pass", "warning"}


def group_runs(events: Sequence[Event]) -> tuple[Run, ...]:
    """The runs of one service in all stages, oldest trigger first; `events` are that service's, in order."""
    ends = _first_ends(events)
    runs = [
        Run(event.context, event.parts[0], event.parts[1], event, ends.get(event.id))
        for event in events
        if _is_sequence(event, "triggered")
    ]
    places: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        places.setdefault((run.context, run.stage), []).append(run)
    tasks: dict[str, list[Task]] = {}
    for task in _group_tasks(events):
        owner = _owner(task, places.get((task.events[0].context, task.events[0].text("stage")), ()))
        if owner is not None:
            tasks.setdefault(owner.trigger.id, []).append(task)
    return tuple(replace(run, tasks=tuple(tasks.get(run.trigger.id, ()))) for run in runs)


def _first_ends(events: Iterable[Event]) -> dict[str, Event]:
    """How each run ended, by its trigger's id; an abort of the context says it again of runs that had ended before."""
    ends: dict[str, Event] = {}
    for event in events:
        if _is_sequence(event, "finished"):
            ends.setdefault(event.triggered_id, event)
    return ends


def _is_sequence(event: Event, kind: str) -> bool:
    return len(event.parts) == _SEQUENCE_PARTS and event.kind == kind


def _group_tasks(events: Iterable[Event]) -> list[Task]:
    grouped: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        if len(event.parts) == _TASK_PARTS and event.parts[0] != _NO_TASK:
            answered = event.id if event.kind == "triggered" else event.triggered_id
            grouped.setdefault((event.parts[0], answered), []).append(event)
    tasks = [Task(name, answered, tuple(group)) for (name, answered), group in grouped.items()]
    return sorted(tasks, key=lambda task: task.events[0].order)


def _owner(task: Task, runs: Sequence[Run]) -> Run | None:
    """The run that a task belongs to, among those of its context and stage; its events do not name it.

    Keptn runs one sequence of a service and stage at a time, the oldest first: so the oldest that was not over.
    """
    begun = [run for run in runs if run.trigger.time <= task.began]
    going = [run for run in begun if run.finished is None or run.finished.time >= task.began]
    return next(iter(going or begun[::-1] or runs), None)
