"""One run of a stage's sequence: its state, its tasks' results, and the data that the next task gets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain

from demo.keptn.events import Event, kind, milliseconds, new_id, timestamp
from demo.keptn.shipyard import Task
from prodeval.domain.json_values import JSON, JSONObject, as_text

ENDED = ("finished", "timedOut")
"""States of a run that nothing leads out of; an aborted run is `finished` too."""

_STATUSES = ("succeeded", "errored", "aborted", "unknown")
_RESULTS = ("fail", "warning", "pass")


@dataclass(frozen=True, slots=True)
class TaskResult:
    """A finished task; `properties` is the data of its finished events, merged."""

    name: str
    triggered_id: str
    result: str
    status: str
    properties: JSONObject

    @property
    def failed(self) -> bool:
        """Whether the sequence ends here."""
        return self.result == "fail"

    def to_json(self) -> JSONObject:
        """As the API shows it."""
        return {
            "name": self.name,
            "triggeredID": self.triggered_id,
            "result": self.result,
            "status": self.status,
            "properties": self.properties,
        }


@dataclass(slots=True)
class CurrentTask:
    """The task that was triggered last, and the started and finished events that answer it."""

    name: str = ""
    triggered_id: str = ""
    events: list[Event] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all who started have finished."""
        finished = sum(kind(event.type) == "finished" for event in self.events)
        return finished > 0 and finished >= len(self.events) - finished

    def result(self) -> TaskResult:
        """The worst of all answers."""
        finished = [event for event in self.events if kind(event.type) == "finished"]
        outcomes = [_outcome(event.data) for event in finished]
        result, status = min(outcomes, key=lambda outcome: _RESULTS.index(outcome[0]))
        return TaskResult(self.name, self.triggered_id, result, status, merge(event.data for event in finished))

    def to_json(self) -> JSONObject:
        """As the API shows it; `name` and `triggeredID` are empty between two tasks."""
        events = [_event_json(event) for event in self.events]
        return {"name": self.name, "triggeredID": self.triggered_id, "events": events}


@dataclass(slots=True)
class Run:
    """One run.

    Attributes:
        trigger: the `<stage>.<sequence>.triggered` event.
        commit: tip of the stage branch when it was triggered.
        state: triggered (queued), started, waitingForApproval, paused, finished, timedOut.
        held: a task's trigger that is not sent yet, because the run is paused or the task delayed.
        delayed: whether `held` has to wait for its `triggeredAfter`.
    """

    name: str
    tasks: Sequence[Task]
    trigger: Event
    commit: str
    id: str = field(default_factory=new_id)
    triggered_at: str = field(default_factory=lambda: milliseconds(timestamp()))
    state: str = "triggered"
    state_before_pause: str = ""
    previous: list[TaskResult] = field(default_factory=list)
    current: CurrentTask = field(default_factory=CurrentTask)
    held: Event | None = None
    delayed: bool = False

    @property
    def next_task(self) -> Task | None:
        """The task behind the finished ones; None if the run is over."""
        if self.previous and self.previous[-1].failed:
            return None
        return self.tasks[len(self.previous)] if len(self.previous) < len(self.tasks) else None

    def set_state(self, state: str) -> None:
        """Change the state; of a paused run, the one that it resumes with."""
        if self.state == "paused" and state not in ENDED:
            self.state_before_pause = state
        else:
            self.state, self.state_before_pause = state, ""

    def data(self, task: Task | None = None) -> JSONObject:
        """The trigger's data, all results in order, the last one's result and status, and the task's properties."""
        merged = dict(merge(chain([self.trigger.data], (done.properties for done in self.previous))))
        if self.previous:
            merged |= {"result": self.previous[-1].result, "status": self.previous[-1].status}
        if "message" in merged:
            merged["message"] = ""
        if task is not None and task.properties is not None:
            merged[task.name] = _merged(merged.get(task.name), task.properties)
        return merged

    def to_json(self) -> JSONObject:
        """As an entry of `sequence-execution`."""
        project, stage, service = self.trigger.target
        inherited = {
            name: self.trigger.data[name] for name in ("labels", "status", "result") if name in self.trigger.data
        }
        return {
            "_id": self.id,
            "schemaVersion": "1",
            "sequence": {"name": self.name, "tasks": [task.to_json() for task in self.tasks]},
            "status": {
                "state": self.state,
                "stateBeforePause": self.state_before_pause,
                "previousTasks": [done.to_json() for done in self.previous],
                "currentTask": self.current.to_json(),
            },
            "scope": {
                "project": project,
                "stage": stage,
                "service": service,
                **inherited,
                "keptnContext": self.trigger.context,
                "triggeredId": self.trigger.id,
                "gitcommitid": self.commit,
                "eventType": self.trigger.type,
            },
            "inputProperties": self.trigger.data,
            "triggeredAt": self.triggered_at,
        }


def merge(values: Iterable[JSONObject]) -> JSONObject:
    """Deep merge: later values win, lists are joined."""
    return reduce(_joined, values, {})


def _joined(left: JSONObject, right: JSONObject) -> JSONObject:
    return {**left, **{name: _merged(left.get(name), value) for name, value in right.items()}}


def _merged(left: JSON, right: JSON) -> JSON:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return _joined(left, right)
    if isinstance(left, list) and isinstance(right, list):
        return [*left, *right]
    return right


def _outcome(data: JSONObject) -> tuple[str, str]:
    """Result and status of a finished event; what Keptn does not know is a failure."""
    status, result = as_text(data.get("status")), as_text(data.get("result"))
    if status not in _STATUSES:
        return "fail", "unknown"
    return (result if result in _RESULTS and status != "errored" else "fail"), status


def _event_json(event: Event) -> JSONObject:
    return {
        "eventType": event.type,
        "source": event.source,
        "result": event.text("result"),
        "status": event.text("status"),
        "time": milliseconds(event.time),
        "properties": event.data if kind(event.type) == "finished" else None,
    }
