"""Runs that ended without an evaluation."""

import re
from dataclasses import dataclass
from datetime import datetime

from prodeval.domain.events import Event
from prodeval.domain.verdict.model import Artifact, Deployment, Expectation
from prodeval.domain.verdict.runs import Run
from prodeval.domain.verdict.timeline import Timeline
from prodeval.domain.verdict.words import one_line

_ABORTED = re.compile(r"(\S+: )?\S+ was aborted( during \S+)?")


@dataclass(frozen=True, slots=True)
class Ending:
    """A run that ended without an evaluation, and not as a success.

    Attributes:
        event: its `<stage>.<sequence>.finished`.
        reason: TaskFailed or SequenceAborted.
        message: which task, and what it said.
    """

    event: Event
    reason: str
    message: str
    artifact: Artifact

    @property
    def event_id(self) -> str:
        """The id of the event that ended it."""
        return self.event.id

    @property
    def time(self) -> datetime:
        """When it ended, which decides what is newer."""
        return self.event.time

    def follows(self, deployment: Deployment | None) -> bool:
        """Whether it is later than a deployment, or the end of its run; an aborted one can finish afterwards."""
        if deployment is None or self.time >= deployment.event.time:
            return True
        return deployment.run is not None and deployment.run.finished == self.event

    def speaks_after(self, deployment: Deployment | None) -> bool:
        """Whether it says something about what a deployment left behind."""
        return self.follows(deployment)


def find_endings(expectation: Expectation, timeline: Timeline) -> tuple[Ending, ...]:
    """How runs of the sequence in the stage ended after their anchor began, so that production may be broken."""
    since, place = expectation.first_sync, (expectation.target.stage, expectation.sequence)
    return tuple(
        ending_of(run, run.finished, timeline.artifact(run.context))
        for run in timeline.runs
        if run.failed and run.finished is not None and (run.stage, run.sequence) == place
        if run.began(expectation.after_task) and since is not None and run.trigger.time > since
    )


def ending_of(run: Run, finished: Event, artifact: Artifact) -> Ending:
    """How a run ended with a `finished` event."""
    if finished.text("status") == "aborted":
        return Ending(finished, "SequenceAborted", _aborted(run, finished), artifact)
    return Ending(finished, "TaskFailed", _failed(run, finished), artifact)


def ended_reason(message: str) -> str:
    """The reason that belongs to the message of an ended run: a status keeps the message alone."""
    return "SequenceAborted" if _ABORTED.fullmatch(message) else "TaskFailed"


def _aborted(run: Run, finished: Event) -> str:
    ongoing = [task.name for task in run.tasks if all(event.time > finished.time for event in task.finished)]
    during = f" during {ongoing[-1]}" if ongoing else ""
    return f"{run.stage}.{run.sequence} was aborted{during}"


def _failed(run: Run, finished: Event) -> str:
    failed = [task for task in run.tasks if task.failed]
    if not failed:
        return _said(f"{run.stage}.{run.sequence} failed", finished)
    task = failed[-1]
    if task.name == "approval":
        return _said(f"approval in stage {run.stage} was declined", task.finished[-1])
    return _said(f"{task.name} in stage {run.stage} failed", task.finished[-1])


def _said(what: str, event: Event) -> str:
    message = one_line(event.text("message"))
    return f"{what}: {message}" if message else what
