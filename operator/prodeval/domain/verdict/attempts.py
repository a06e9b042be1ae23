"""What one context did for the service so far, in all stages, and what it waits for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from prodeval.domain.events import SequenceExecution
from prodeval.domain.verdict.model import Artifact, Expectation
from prodeval.domain.verdict.runs import Run, succeeded
from prodeval.domain.verdict.timeline import Timeline

Waiting: TypeAlias = Literal["Paused", "AwaitingApproval", "Queued"]

_APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One context's runs of the sequence.

    Attributes:
        earlier: in other stages, oldest first.
        reached: the newest one in the stage; None if the context did not come so far.
    """

    context: str
    earlier: tuple[Run, ...]
    reached: Run | None
    artifact: Artifact

    @property
    def open(self) -> bool:
        """Whether a result may still come of it."""
        if self.reached is not None:
            return self.reached.open
        return any(run.finished is None for run in self.earlier)

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


def find_attempts(expectation: Expectation, timeline: Timeline) -> tuple[Attempt, ...]:
    """Each context that ran the sequence in some stage, the one triggered first first."""
    grouped: dict[str, list[Run]] = {}
    for run in timeline.runs:
        if run.sequence == expectation.sequence:
            grouped.setdefault(run.context, []).append(run)
    return tuple(
        _attempt(context, runs, expectation.target.stage, timeline.artifact(context))
        for context, runs in grouped.items()
    )


def _attempt(context: str, runs: Sequence[Run], stage: str, artifact: Artifact) -> Attempt:
    here = [run for run in runs if run.stage == stage]
    earlier = tuple(run for run in runs if run.stage != stage)
    return Attempt(context, earlier, here[-1] if here else None, artifact)


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
