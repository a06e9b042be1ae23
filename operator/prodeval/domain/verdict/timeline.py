"""What Keptn's events say about one service in one stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prodeval.domain.events import Event, parse_time
from prodeval.domain.resource import Target
from prodeval.domain.verdict.artifacts import artifacts
from prodeval.domain.verdict.model import Artifact, Candidate, Deployment, Expectation
from prodeval.domain.verdict.runs import EVALUATION, LIGHTHOUSE, Run, group_runs

_PREFIX = "sh.keptn.event."


@dataclass(frozen=True, slots=True)
class Timeline:
    """One service's history, each list oldest first.

    Attributes:
        runs: of all stages.
        deployments: to the stage.
        candidates: not invalidated, and triggered after the first sync.
        invalidated: what would be candidates otherwise.
        artifacts: by context.
    """

    runs: tuple[Run, ...]
    deployments: tuple[Deployment, ...]
    candidates: tuple[Candidate, ...]
    invalidated: tuple[Candidate, ...]
    artifacts: Mapping[str, Artifact]

    def artifact(self, context: str) -> Artifact:
        """What a context delivers."""
        return self.artifacts.get(context, Artifact())


def read_timeline(expectation: Expectation, events: Sequence[Event]) -> Timeline:
    """Sort out one service's events; `events` are in order, those of other services are ignored."""
    target = expectation.target
    own = [event for event in events if _concerns(event, target)]
    runs = group_runs(own)
    owners = {task.trigger_id: run for run in runs for task in run.tasks}
    delivered = artifacts(own, target.stage)
    deployments = tuple(
        Deployment(event, delivered[event.context], owners.get(event.triggered_id))
        for event in own
        if _in_stage(event, target, f"{expectation.after_task}.finished")
    )
    invalid = {event.triggered_id for event in events if event.type == f"{_PREFIX}{EVALUATION}.invalidated"}
    results = [
        _candidate(finished, triggered, _running(deployments, triggered, delivered), owners.get(triggered.id))
        for triggered, finished in _results(own, expectation)
    ]
    return Timeline(
        runs=runs,
        deployments=deployments,
        candidates=tuple(one for one in results if one.triggered.id not in invalid),
        invalidated=tuple(one for one in results if one.triggered.id in invalid),
        artifacts=delivered,
    )


def _concerns(event: Event, target: Target) -> bool:
    return event.text("service") == target.service and event.text("project") in {target.project, ""}


def _in_stage(event: Event, target: Target, name: str) -> bool:
    return event.type == f"{_PREFIX}{name}" and event.text("stage") == target.stage


def _results(events: Sequence[Event], expectation: Expectation) -> list[tuple[Event, Event]]:
    """The evaluations triggered after the first sync, oldest first, each with lighthouse's newest result."""
    target, since = expectation.target, expectation.first_sync
    answers = {
        event.triggered_id: event
        for event in events
        if event.source == LIGHTHOUSE and _in_stage(event, target, f"{EVALUATION}.finished")
    }
    return [
        (event, answers[event.id])
        for event in events
        if since is not None
        and event.time > since
        and event.id in answers
        and _in_stage(event, target, f"{EVALUATION}.triggered")
    ]


def _running(deployments: Sequence[Deployment], triggered: Event, delivered: Mapping[str, Artifact]) -> Artifact:
    """What ran when an evaluation was triggered: the newest deployment, else what its own context says."""
    own = delivered[triggered.context]
    before = [deployment for deployment in deployments if deployment.event.time <= triggered.time]
    if not before:
        return own
    newest = before[-1].artifact
    return Artifact(newest.version or own.version, newest.image or own.image)


def _candidate(finished: Event, triggered: Event, artifact: Artifact, run: Run | None) -> Candidate:
    return Candidate(
        finished=finished,
        triggered=triggered,
        window_start=parse_time(finished.text("evaluation", "timeStart")),
        window_end=parse_time(finished.text("evaluation", "timeEnd")),
        artifact=artifact,
        run=run,
    )
