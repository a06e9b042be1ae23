"""What `/sequence/<project>` and the project pages show: summaries that Keptn updates as events pass by.

They are reproduced with their surprises: the stage of a chained sequence reads `succeeded` before it starts, and
`triggered` again if a task answers after an abort.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from demo.keptn.events import LIGHTHOUSE, Event, kind, milliseconds, sequence_name, task_name, timestamp
from prodeval.domain.json_values import JSONObject, child


@dataclass(slots=True)
class StageState:
    """One stage of a context."""

    name: str
    state: str = ""
    evaluation: JSONObject | None = None
    latest: JSONObject | None = None
    latest_failed: JSONObject | None = None

    def to_json(self) -> JSONObject:
        """As the API shows it; what is not there yet is left out."""
        optional = {
            "latestEvaluation": self.evaluation,
            "latestEvent": self.latest,
            "latestFailedEvent": self.latest_failed,
        }
        return {"name": self.name, "state": self.state, **{name: value for name, value in optional.items() if value}}


@dataclass(slots=True)
class SequenceState:
    """All stages of one context."""

    name: str
    trigger: Event
    state: str = "triggered"
    time: str = field(default_factory=lambda: milliseconds(timestamp()))
    stages: list[StageState] = field(default_factory=list)

    def stage(self, name: str) -> StageState:
        """The stage's state, added at the end if it is new."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        self.stages.append(StageState(name))
        return self.stages[-1]

    def to_json(self) -> JSONObject:
        """As the API shows it."""
        project, _, service = self.trigger.target
        return {
            "name": self.name,
            "service": service,
            "project": project,
            "time": self.time,
            "shkeptncontext": self.trigger.context,
            "state": self.state,
            "stages": [stage.to_json() for stage in self.stages],
        }


@dataclass(slots=True)
class SequenceStates:
    """The summaries of all contexts, oldest first."""

    _states: dict[str, SequenceState] = field(default_factory=dict)

    def triggered(self, event: Event) -> None:
        """A sequence was triggered: a new context, or a chained stage."""
        if event.context in self._states:
            self.seen(event)
            return
        stage, name = sequence_name(event.type)
        self._states[event.context] = SequenceState(name, event, stages=[StageState(stage)])

    def seen(self, event: Event) -> None:
        """An event of a sequence or of one of its tasks passed by."""
        state = self._states[event.context]
        stage = state.stage(event.text("stage"))
        stage.latest = {"type": event.type, "id": event.id, "time": milliseconds(timestamp())}
        if event.text("result") == "fail" or event.text("status") == "errored":
            stage.latest_failed = stage.latest
        stage.state = "triggered" if task_name(event.type) else event.text("status")
        if _is_verdict(event):
            score = child(event.data, "evaluation", "score")
            stage.evaluation = {"result": event.text("result"), "score": score}

    def set_state(self, context: str, state: str) -> None:
        """Change the overall state."""
        self._states[context].state = state

    def finished(self, context: str) -> None:
        """Nothing was chained; the context is finished unless another stage still runs."""
        state = self._states[context]
        if all(stage.state != "triggered" for stage in state.stages):
            state.state = "finished"

    def find(self, query: "StateQuery") -> list[JSONObject]:
        """Newest first."""
        return [state.to_json() for state in reversed(list(self._states.values())) if query.matches(state)]


@dataclass(frozen=True, slots=True)
class StateQuery:
    """Which summaries; an empty field asks for any; times are exclusive and compared as text."""

    project: str
    contexts: Sequence[str] = ()
    name: str = ""
    state: str = ""
    from_time: str = ""
    before_time: str = ""

    def matches(self, state: SequenceState) -> bool:
        """Whether the summary is wanted."""
        return (
            state.trigger.text("project") == self.project
            and (not self.contexts or state.trigger.context in self.contexts)
            and self.name in ("", state.name)
            and self.state in ("", state.state)
            and state.time > self.from_time
            and (not self.before_time or state.time < self.before_time)
        )


@dataclass(slots=True)
class LastEvents:
    """The newest event of each type per project, stage and service, as project pages show it."""

    _events: dict[tuple[str, str, str], dict[str, JSONObject]] = field(default_factory=dict)

    def seen(self, event: Event) -> None:
        """A task event that belongs to a run passed by."""
        last = {"eventId": event.id, "keptnContext": event.context, "time": str(time.time_ns())}
        self._events.setdefault(event.target, {})[event.type] = last

    def of(self, project: str, stage: str, service: str) -> JSONObject:
        """Event type to id, context and time in nanoseconds; empty if nothing ran."""
        return dict(sorted(self._events.get((project, stage, service), {}).items()))


def _is_verdict(event: Event) -> bool:
    is_finished = task_name(event.type) == "evaluation" and kind(event.type) == "finished"
    return is_finished and event.source == LIGHTHOUSE
