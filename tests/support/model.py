"""What a status should say once everything is at rest: the rules in short, written from the documentation alone.

It knows nothing of the package. Times are seconds since the start of the world; what happened is given as runs.
"""

from dataclasses import dataclass, field

NO_VERDICT = {"ResultTimedOut", "EvidenceOutstanding"}


@dataclass
class Run:
    """One context in Keptn: a delivery through qa and production, or an evaluation alone.

    Attributes:
        began: when it was triggered; alone: it evaluates and delivers nothing.
        reached, deploying, deployed: when its sequence in production was triggered, and its deployment there was
            triggered and finished; None: it did not come so far.
        finished: when it was over; ended: likewise if it was aborted before it was evaluated.
        evaluation, ending: the id of its result, and of the end of an aborted one; None: none.
        triggered, window, passed: of the evaluation.
        slo: what Keptn scored with.
        lost: Keptn does not have its events any more.
    """

    context: str
    began: float
    version: str = ""
    reached: float | None = None
    deploying: float | None = None
    deployed: float | None = None
    ended: float | None = None
    finished: float | None = None
    evaluation: str | None = None
    triggered: float = 0.0
    window: float = 0.0
    passed: bool = True
    slo: bytes = field(default=b"", repr=False)
    invalidated: bool = False
    lost: bool = False
    ending: str | None = None
    alone: bool = False

    @property
    def hangs(self):
        return self.evaluation is None and self.finished is None

    @property
    def outcome(self):
        """The id of the event that decided."""
        return self.evaluation or self.ending


@dataclass(frozen=True)
class Outcome:
    """Something that could be the verdict: `start` is that of the window, None for a run that was aborted."""

    run: Run
    time: float
    start: float | None
    version: str

    def speaks_after(self, deployment):
        """Whether it says something about what a deployment left."""
        return deployment is None or (self.time if self.start is None else self.start) >= deployment.deployed

    def follows(self, deployment):
        return deployment is None or self.time >= deployment.deployed


@dataclass
class Seen:
    """What one resource may know: its first sync, its service's runs, and the verdict it had when events were lost."""

    version: str | None
    first_sync: float
    runs: list[Run]
    kept: Run | None = None
    stained: object = field(default=lambda run: False)

    def verdicts(self):
        """The pairs of verdict and reason that are right; more than one where it depends on when somebody looked."""
        runs = [run for run in self.runs if not run.lost]
        deployments = sorted((run for run in runs if run.deployed is not None), key=lambda run: run.deployed)
        outcomes = self._outcomes(runs, deployments)
        if self.version is None:
            return self._any(runs, deployments, outcomes)
        return self._wanted(runs, deployments, [one for one in outcomes if one.version == self.version])

    def _outcomes(self, runs, deployments):
        known = runs + [run for run in [self.kept] if run and run.lost]
        found = []
        for run in known:
            if run.evaluation and not run.invalidated and run.triggered > self.first_sync:
                before = [one for one in deployments if one.deployed <= run.triggered]
                version = before[-1].version if before and not run.lost else run.version
                found.append(Outcome(run, run.triggered, run.window, version))
            elif run.ending and (run is self.kept or (run.deploying is not None and run.reached > self.first_sync)):
                found.append(Outcome(run, run.ended, None, run.version))
        return sorted(found, key=lambda one: one.time)

    def _any(self, runs, deployments, outcomes):
        """The newest outcome about what runs now; else about what a run left that is over; else the newest."""
        about = deployments[-1] if deployments else None
        chosen = newest(one for one in outcomes if one.speaks_after(about))
        if chosen is None:
            over = [run for run in deployments if not run.hangs]
            about = over[-1] if over else None
            chosen = newest(one for one in outcomes if one.speaks_after(about)) or newest(outcomes)
        hanging = [run for run in runs if run.hangs and run.deploying is not None]
        told = {("Pending", "Invalidated" if self._is_invalidated(runs) else "AwaitingDelivery")}
        if chosen is not None:
            told = self._report(chosen, about)
        if hanging and (chosen is None or chosen.time < hanging[-1].deploying):
            late = {("Inconclusive", "ResultTimedOut")}
            return late if hanging[-1].began > self.first_sync else late | told
        return told

    def _wanted(self, runs, deployments, outcomes):
        """An outcome about the wanted version and about what runs now; a run that hangs is waited for."""
        about = deployments[-1] if deployments else None
        tried = [run for run in runs if run.version == self.version and not run.alone]
        attempt = tried[-1] if tried else None
        outcomes = [
            one for one in outcomes if one.follows(about) or (one.run.lost and one.run.context == about.context)
        ]
        chosen = newest(one for one in outcomes if one.speaks_after(about))
        if chosen is None and not (attempt and attempt.hangs):
            chosen = newest(outcomes)
        if chosen and chosen.start is None and attempt and attempt.hangs and attempt.began > chosen.time:
            chosen = None
        if chosen is not None:
            return self._report(chosen, about)
        late = {("Inconclusive", "ResultTimedOut")}
        if attempt and attempt.ended and attempt.deploying is None and attempt.ended > self.first_sync:
            early = {("Fail", "SequenceAborted")}
            return early if attempt.began > self.first_sync else early | late
        return late

    def _report(self, chosen, about):
        if chosen.start is None:
            return {("Fail", "SequenceAborted")}
        if not chosen.run.passed:
            return {("Fail", "Fail")}
        good = {("Pass", "Pass")} if chosen.speaks_after(about) else {("Inconclusive", "WindowAfterDeployment")}
        if self.stained(chosen.run):
            return good | {("Inconclusive", "SLOMatches"), ("Inconclusive", "FilesUnchanged")}
        return good

    def _is_invalidated(self, runs):
        return any(run.invalidated and run.triggered > self.first_sync for run in runs)


def newest(outcomes):
    return max(outcomes, key=lambda one: one.time, default=None)


def synced(body, others, *, granted, services):
    """The reason of Synced of a resource that is not suspended.

    `others` are all objects, `granted` the projects that may be named, `services` what Keptn has by (project, service).
    """
    spec = body["spec"]
    if not is_readable(body):
        return "InvalidSpec"
    if spec["project"] not in granted:
        return "AccessDenied"
    rivals = [one for one in others if is_readable(one) and one["spec"]["project"] == spec["project"]]
    if owner(one for one in rivals if one["spec"]["service"] == spec["service"]) != body:
        return "DuplicateTarget"
    if owner(rivals)["spec"]["shipyard"] != spec["shipyard"]:
        return "ShipyardConflict"
    return "Synced" if (spec["project"], spec["service"]) in services else "DependencyNotReady"


def owner(bodies):
    """Oldest first, then the lowest uid."""
    return min(bodies, key=lambda body: (body["metadata"]["creationTimestamp"], body["metadata"]["uid"]))


def is_readable(body):
    return body["spec"].get("interval") != "banana"


def attribute_versions(runs):
    """Write down what each stand-alone evaluation was about, before the deployments that tell it are lost."""
    deployments = sorted((run for run in runs if run.deployed is not None), key=lambda run: run.deployed)
    for run in runs:
        before = [one for one in deployments if run.alone and one.deployed <= run.triggered]
        if before and not run.lost:
            run.version = before[-1].version
