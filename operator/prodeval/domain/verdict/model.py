"""What goes into a verdict, and what comes out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from prodeval.domain.conditions import Condition, ConditionStatus
from prodeval.domain.events import Event
from prodeval.domain.json_values import as_list, as_text, child
from prodeval.domain.resource import Target
from prodeval.domain.verdict.runs import Run

Verdict: TypeAlias = Literal["Pending", "Pass", "Warning", "Fail", "Inconclusive"]
ObjectiveStatus: TypeAlias = Literal["Pass", "Warning", "Fail", "Info"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a resource waits for.

    Attributes:
        sequence: that deploys to the stage.
        after_task: the anchor, which deploys.
        test_task: that generates load behind the anchor; None if live traffic does.
        version: the only one that counts; None: any.
        first_sync: only what was triggered later counts; None: nothing yet.
        files_pushed: when the operator last changed the stage's files; None: unknown.
        tasks: sequence, anchor and test task as the spec names them: another one is another expectation.
    """

    target: Target
    sequence: str
    after_task: str
    test_task: str | None
    version: str | None
    first_sync: datetime | None
    result_timeout: timedelta
    files_pushed: datetime | None = None
    tasks: tuple[str, str, str] = ("", "", "")


@dataclass(frozen=True, slots=True)
class Artifact:
    """What was delivered; empty where unknown."""

    version: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A verdict that is awaited.

    Attributes:
        version: the wanted one, else that of the run under way; empty if unknown.
        context: of the run under way; empty if nothing was triggered yet.
        deadline: after it the result has timed out; moved on by each pause.
        paused_since: while the clock stands still.
    """

    version: str
    context: str
    deadline: datetime
    paused_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A `finished` of the anchor task; `run` is None if its trigger is not known."""

    event: Event
    artifact: Artifact
    run: Run | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A result of lighthouse that could be the verdict.

    Attributes:
        artifact: what ran while it was measured.
        run: that it was a task of; None if its trigger is not known.
    """

    finished: Event
    triggered: Event
    window_start: datetime | None
    window_end: datetime | None
    artifact: Artifact
    run: Run | None

    @property
    def event_id(self) -> str:
        """The id of the result."""
        return self.finished.id

    @property
    def time(self) -> datetime:
        """When it was triggered, which decides which one is newer."""
        return self.triggered.time

    def follows(self, deployment: Deployment | None) -> bool:
        """Whether it was triggered after a deployment; True if there was none."""
        return deployment is None or self.time >= deployment.event.time

    def speaks_after(self, deployment: Deployment | None) -> bool:
        """Whether its window lies behind a deployment; True if there was none."""
        if deployment is None:
            return True
        return self.window_start is not None and self.window_start >= deployment.event.time


@dataclass(frozen=True, slots=True)
class Remembered:
    """The verdict that a status holds: a fact, whether or not Keptn still tells of the event that decided it.

    Attributes:
        time: when the evaluation was triggered, or the run ended.
        window_start: None if it was no evaluation, or Keptn gave no window.
        judgement: with nothing awaited.
    """

    time: datetime
    window_start: datetime | None
    judgement: "Judgement"

    @property
    def event_id(self) -> str:
        """The id of the event that decided."""
        return self.judgement.event_id

    @property
    def artifact(self) -> Artifact:
        """What was judged."""
        record = self.judgement.evaluation
        return Artifact(self.judgement.version, record.image if record else "")

    def follows(self, deployment: Deployment | None) -> bool:
        """Whether it is later than a deployment, or about the run that deployed."""
        if deployment is None or self.time >= deployment.event.time:
            return True
        return deployment.event.context == self.judgement.context

    def speaks_after(self, deployment: Deployment | None) -> bool:
        """Whether it says something about what a deployment left behind."""
        if deployment is None:
            return True
        if self.judgement.evaluation is None:
            return self.follows(deployment)
        return self.window_start is not None and self.window_start >= deployment.event.time


@dataclass(frozen=True, slots=True)
class Found:
    """The evaluation that counts, still to be proven.

    Attributes:
        deployment: the newest one that it has to speak about; None if none is known.
        compared: the earlier evaluations that Keptn compared it with and that are known.
        pending: a newer run is awaited, under which this verdict stays.
    """

    candidate: Candidate
    deployment: Deployment | None
    compared: tuple[Event, ...]
    pending: Pending | None = None

    @property
    def event_id(self) -> str:
        """The evaluation's id."""
        return self.candidate.event_id

    @property
    def commit(self) -> str:
        """The tip of the stage when its sequence was triggered: 40 hex digits, or empty if Keptn did not say."""
        return self.candidate.triggered.git_commit

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of compared evaluations that are not known; `Recomputed` needs them."""
        known = {event.id for event in self.compared}
        return tuple(name for name in compared_ids(self.candidate.finished) if name not in known)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What Git says about the files behind one evaluation.

    Attributes:
        slo_sha256: of the service's slo.yaml at the found commit; empty if it has none, None if unknown.
        changed: managed files that somebody else changed between our revision and the tip at verdict time;
            None if unknown.
    """

    slo_sha256: str | None = None
    changed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One piece of evidence."""

    check: str
    status: ConditionStatus
    message: str = ""


@dataclass(frozen=True, slots=True)
class Objective:
    """One indicator's result; numbers are rounded for people.

    Attributes:
        compared: the mean or percentile of earlier results; empty if there was none.
        pass_criteria: as the SLO has them.
        violated: those of them that did not hold.
    """

    sli: str
    display_name: str
    status: ObjectiveStatus
    value: str
    compared: str
    key_sli: bool
    weight: int
    pass_criteria: tuple[str, ...]
    violated: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """The evaluation as `status.lastEvaluation` shows it.

    Attributes:
        window_start, window_end: RFC 3339; empty if Keptn had no window.
        result: pass, warning or fail, as Keptn said it.
        score: the number exactly as Keptn sent it; empty if it sent none.
    """

    context: str
    event_id: str
    version: str
    image: str
    window_start: str
    window_end: str
    result: str
    score: str
    message: str
    objectives: tuple[Objective, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict.

    Attributes:
        passed: the condition `Passed`.
        event_id: of the event that decided, which tells one verdict from the next; empty while Pending.
        context: of the run that decided; empty while Pending.
        version: that was judged; while Pending the one that is awaited; empty if unknown.
        ended: when the deciding event happened.
        triggered: when what decided was triggered, which tells what is newer; None while Pending.
        evaluation: None if there was none: Pending, or a run that ended without.
        pending: a verdict that is awaited, perhaps a newer one than this.
        recalled: the status holds this verdict already; its record and its place in the history stay as they are.
    """

    verdict: Verdict
    passed: Condition
    event_id: str = ""
    context: str = ""
    version: str = ""
    ended: datetime | None = None
    triggered: datetime | None = None
    evaluation: EvaluationRecord | None = None
    evidence: tuple[Check, ...] = ()
    pending: Pending | None = None
    recalled: bool = False


def compared_ids(finished: Event) -> tuple[str, ...]:
    """Ids of the evaluations that Keptn compared an evaluation with."""
    return tuple(as_text(name) for name in as_list(child(finished.data, "evaluation", "comparedEvents")))
