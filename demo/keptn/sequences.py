"""The shipyard controller without clock and network: events in, events to send out.

One run per project, stage and service at a time, the others wait; tasks one after the other; a failed task ends the
run; what a shipyard chains to its end is triggered then.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from demo.keptn.events import CONTROLLER, Event, common_data, kind, new_event, sent_now, sequence_name, task_name
from demo.keptn.runs import ENDED, CurrentTask, Run
from demo.keptn.shipyard import Shipyard, ShipyardError, Task
from demo.keptn.timeframe import go_duration
from demo.keptn.views import LastEvents, SequenceStates
from prodeval.domain.json_values import JSON, JSONObject


@dataclass(frozen=True, slots=True)
class Send:
    """An event to send; `after`: seconds to wait first, then ask `Controller.due`."""

    event: Event
    after: float = 0


@dataclass(slots=True)
class Controller:
    """All runs, with the summaries that the API shows of them.

    Attributes:
        runs: oldest first.
        shipyards: by project, as last read: it decides what is chained.
    """

    states: SequenceStates = field(default_factory=SequenceStates)
    last_events: LastEvents = field(default_factory=LastEvents)
    runs: list[Run] = field(default_factory=list)
    shipyards: dict[str, Shipyard] = field(default_factory=dict)

    def trigger(self, event: Event, shipyard: Shipyard | ShipyardError, commit: str) -> list[Send]:
        """A sequence's trigger arrived; `shipyard` and `commit` as they were read just now."""
        self.states.triggered(event)
        if isinstance(shipyard, ShipyardError):
            return [self._failed_start(event, f"Unable to retrieve Shipyard file: {shipyard}")]
        self.shipyards[event.text("project")] = shipyard
        stage, name = sequence_name(event.type)
        try:
            sequence = shipyard.sequence(stage, name)
        except ShipyardError as error:
            return [self._failed_start(event, f"Unable to start sequence {name}: {error}")]
        self.runs.append(Run(name, sequence.tasks, event, commit))
        return list(self._dispatch(event.target))

    def answered(self, event: Event) -> list[Send]:
        """A task's started or finished event arrived; one that belongs to no run changes nothing."""
        run = self._run_of_task(event.triggered_id)
        if run is None:
            return []
        run.current.events.append(event)
        self._seen(event)
        if run.state in ENDED or not run.current.complete:
            return []
        run.previous.append(run.current.result())
        run.current = CurrentTask()
        return list(self._advance(run))

    def due(self, event: Event) -> list[Send]:
        """The delay of a held trigger is over."""
        run = self._run_of_task(event.id)
        if run is None or run.held is None:
            return []
        run.delayed = False
        return list(self._release(run))

    def expired(self, event: Event) -> list[Send]:
        """Nobody may answer this task any more: if nobody has, its run has timed out."""
        run = self._run_of_task(event.id)
        if run is None or run.state in ENDED or run.current.events:
            return []
        run.set_state("timedOut")
        missing = "to receive a correlating .started or .finished event"
        message = f"sequence timed out while waiting for task {event.type} {missing}"
        finished = self._finished(run.trigger, run.data(), status="errored", result="fail", message=message)
        self.states.set_state(event.context, "timedOut")
        return [Send(finished), *self._dispatch(run.trigger.target)]

    def abort(self, project: str, context: str, stage: str) -> list[Send]:
        """End all runs of a context, or of one of its stages, at once; tasks under way are not stopped."""
        runs = self._active(project, context, stage)
        for run in runs:
            run.set_state("finished")
            run.held = None
            self.states.set_state(context, "aborted")
        sends = [Send(self._finished(run.trigger, run.data(), status="aborted", message=None)) for run in runs]
        for run in runs:
            sends += self._dispatch(run.trigger.target)
        return sends

    def pause(self, project: str, context: str, stage: str) -> list[Send]:
        """Send no further trigger of a context until it is resumed; what waits behind it may run."""
        sends: list[Send] = []
        for run in self._active(project, context, stage):
            if run.state != "paused":
                run.state_before_pause, run.state = run.state, "paused"
            self.states.set_state(context, "paused")
            sends += self._dispatch(run.trigger.target)
        return sends

    def resume(self, project: str, context: str, stage: str) -> list[Send]:
        """Go on with what was paused."""
        sends: list[Send] = []
        for run in self._active(project, context, stage):
            if run.state == "paused":
                run.state, run.state_before_pause = run.state_before_pause, ""
                self.states.set_state(context, "started")
                sends += [*self._release(run), *self._dispatch(run.trigger.target)]
        return sends

    def _dispatch(self, target: tuple[str, str, str]) -> Iterator[Send]:
        """Start queued runs, oldest first, as long as none is running there."""
        for run in self.runs:
            if run.state != "triggered" or run.trigger.target != target:
                continue
            if self._is_busy(target):
                self.states.set_state(run.trigger.context, "waiting")
                continue
            run.set_state("started")
            self.states.set_state(run.trigger.context, "started")
            yield from self._advance(run)

    def _is_busy(self, target: tuple[str, str, str]) -> bool:
        """Runs that wait for approval, or are paused, block nobody."""
        return any(run.state == "started" and run.trigger.target == target for run in self.runs)

    def _advance(self, run: Run) -> Iterator[Send]:
        task = run.next_task
        if task is None:
            yield from self._finish(run)
            return
        event = new_event(f"{task.name}.triggered", CONTROLLER, run.trigger.context, run.data(task), commit=run.commit)
        run.current = CurrentTask(task.name, event.id)
        run.set_state("waitingForApproval" if task.name == "approval" else "started")
        run.held, run.delayed = event, bool(_delay(task))
        self._seen(event)
        if run.delayed:
            yield Send(event, _delay(task))
        else:
            yield from self._release(run)

    def _release(self, run: Run) -> Iterator[Send]:
        if run.held is not None and not run.delayed and run.state != "paused":
            event, run.held = sent_now(run.held), None
            yield Send(event)

    def _finish(self, run: Run) -> Iterator[Send]:
        run.set_state("finished")
        message = run.previous[-1].properties.get("message") or None
        yield Send(self._finished(run.trigger, run.data(), message=message))
        chained = self._chained(run)
        for event in chained:
            yield Send(event)
        if not chained:
            self.states.finished(run.trigger.context)
        yield from self._dispatch(run.trigger.target)

    def _chained(self, run: Run) -> list[Event]:
        project, stage, _ = run.trigger.target
        last = run.previous[-1]
        following = self.shipyards[project].chained(stage, run.name, last.result, last.name)
        return [
            new_event(f"{later}.{name}.triggered", CONTROLLER, run.trigger.context, {**run.data(), "stage": later})
            for later, name in following
        ]

    def _failed_start(self, trigger: Event, message: str) -> Send:
        finished = self._finished(trigger, trigger.data, status="errored", result="fail", message=message)
        self.states.finished(trigger.context)
        return Send(finished)

    def _finished(self, trigger: Event, data: JSONObject, **changes: JSON) -> Event:
        """The sequence's finished event, without details."""
        stage, name = sequence_name(trigger.type)
        target = dict(zip(("project", "stage", "service"), trigger.target, strict=True))
        common = common_data(data, **{**target, **changes})
        event = new_event(f"{stage}.{name}.finished", CONTROLLER, trigger.context, common, triggered_id=trigger.id)
        self.states.seen(event)
        return event

    def _seen(self, event: Event) -> None:
        self.states.seen(event)
        self.last_events.seen(event)

    def _active(self, project: str, context: str, stage: str) -> list[Run]:
        return [
            run
            for run in self.runs
            if run.trigger.context == context
            and run.trigger.text("project") == project
            and stage in ("", run.trigger.text("stage"))
            and run.state not in ENDED
        ]

    def _run_of_task(self, triggered_id: str) -> Run | None:
        runs: Iterable[Run] = (run for run in self.runs if triggered_id and run.current.triggered_id == triggered_id)
        return next(iter(runs), None)


def is_task_answer(event: Event) -> bool:
    """Whether the event answers a task, so that a run may wait for it."""
    return bool(task_name(event.type)) and kind(event.type) in ("started", "finished")


def _delay(task: Task) -> float:
    """Seconds; what is no duration delays nothing."""
    try:
        return go_duration(task.triggered_after)
    except ValueError:
        return 0
