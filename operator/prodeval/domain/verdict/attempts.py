"""What one context did for the service so far, in all stages, and what it waits for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from prodeval.domain.events import SequenceExecution
from prodeval.domain.verdict.model import Artifact, Expectation
from prodeval.domain.verdict.runs import Run, succeeded
from prodeval.domain.verdict.timeline import Timeline

Waiting: TypeAlias = Literal["Paused", "AwaitingApproval", "Queued"]

_APPROVAL = "approval"
_HAND_OVER = timedelta(seconds=30)  # Keptn dispatches every 10 s, and stores an event seconds after its time


@dataclass(frozen=True, slots=True)
class Attempt:
    """One context's runs of the sequence.

    Attributes:
        earlier: in other stages, oldest first.
        reached: the newest one in the stage; None if the context did not come so far.
        handing_over: an earlier stage has just passed, and the next one is not triggered yet.
    """

    context: str
    earlier: tuple[Run, ...]
    reached: Run | None
    handing_over: bool
    artifact: Artifact

    @property
    def open(self) -> bool:
        """Whether a result may still come of it."""
        if self.reached is not None:
            return self.reached.open
        return self.handing_over or any(run.finished is None for run in self.earlier)

    @property
    def current(self) -> Run:
        """The run that it has come to."""
        return self.reached or self.earlier[-1]

    def ended_before(self, task: str) -> Run | None:
        """The run that it ended in before the task began in the stage; None if it did not."""
        if self.open:
            return None
        if self.reached is not None:
            return self.reached if self.reached.failed and self.reached.began(task) is None else None
        failed = (run for run in self.earlier if run.finished is not None and not succeeded(run.finished))
        return next(failed, None)


def find_attempts(expectation: Expectation, timeline: Timeline, now: datetime) -> tuple[Attempt, ...]:
    """Each context that ran the sequence in some stage, the one triggered first first."""
    grouped: dict[str, list[Run]] = {}
    for run in timeline.runs:
        if run.sequence == expectation.sequence:
            grouped.setdefault(run.context, []).append(run)
    return tuple(
        _attempt(runs, expectation.target.stage, timeline.artifact(context), now) for context, runs in grouped.items()
    )


def _attempt(runs: Sequence[Run], stage: str, artifact: Artifact, now: datetime) -> Attempt:
    here = [run for run in runs if run.stage == stage]
    last = runs[-1].finished
    return Attempt(
        context=runs[0].context,
        earlier=tuple(run for run in runs if run.stage != stage),
        reached=here[-1] if here else None,
        handing_over=last is not None and succeeded(last) and now < last.time + _HAND_OVER,
        artifact=artifact,
    )


def waits_for(attempt: Attempt, executions: Iterable[SequenceExecution]) -> Waiting | None:
    """What keeps an open attempt from going on; None if it runs.

    Only Keptn's sequence executions show a pause or a queue; an open approval shows in events too, which are
    sometimes seconds ahead.
    """
    run = attempt.current
    scope = (run.context, run.stage, run.sequence)
    states = {one.state for one in executions if (one.context, one.stage, one.sequence) == scope}
    if "paused" in states:
        return "Paused"
    if "waitingForApproval" in states or any(task.name == _APPROVAL and not task.finished for task in run.tasks):
        return "AwaitingApproval"
    return "Queued" if not run.tasks and states & {"triggered", "waiting"} else None
