"""The write loop: list, plan, commit, push; again from the start if somebody was faster."""

import copy
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prodeval.adapters.git.commits import Author
from prodeval.adapters.git.failures import LostAnswerError, StaleReadError, located
from prodeval.adapters.git.objects import Kept, Objects
from prodeval.adapters.git.push import ReceivePack, Report, Update
from prodeval.adapters.git.snapshot import GitSnapshot
from prodeval.adapters.git.transport import Transport
from prodeval.adapters.git.upload import UploadPack
from prodeval.adapters.git.verdicts import Refusal, meaning
from prodeval.domain.errors import (
    ConfigError,
    DependencyNotReadyError,
    GitOperationFailedError,
    ProdevalError,
    PushRejectedError,
)
from prodeval.domain.upstream import Change, Planner, Pushed, PushListener

_log = logging.getLogger(__name__)
_MOST_REMEMBERED = 64
_USUAL_DEFAULTS = ("main", "master")
_TRIES, _FIRST_DELAY, _GROWTH, _LONGEST_DELAY = 10, 1.0, 1.5, 30.0
_Place = tuple[str, str]


@dataclass(slots=True)
class Job:
    """One caller's write, on its way.

    Attributes:
        planned: what the push under way carries for it.
        doubtful: what a push carried whose answer was lost.
        written: what is known to be upstream.
    """

    branches: frozenset[str]
    plan: Planner
    planned: tuple[Change, ...] = ()
    doubtful: tuple[Change, ...] = ()
    written: dict[_Place, Change] = field(default_factory=dict)
    result: Pushed | None = None
    error: Exception | None = None

    @property
    def done(self) -> bool:
        """Whether the caller can have its answer."""
        return self.result is not None or self.error is not None

    def landed(self, branches: frozenset[str]) -> None:
        """What was planned for these branches is upstream now."""
        self.written |= {(one.branch, one.path): one for one in self.planned if one.branch in branches}

    def settle_doubt(self) -> frozenset[str]:
        """What the fresh plan no longer wants had arrived after all; returns the branches where it did."""
        wanted = {(one.branch, one.path) for one in self.planned}
        doubtful = {(one.branch, one.path): one for one in self.doubtful}
        arrived = {place: one for place, one in doubtful.items() if place not in wanted}
        self.written |= arrived
        self.doubtful = ()
        return frozenset(branch for branch, _ in arrived)

    def finish(self, snapshot: GitSnapshot) -> None:
        """Give the answer."""
        wanted = self.branches | {snapshot.default_branch}
        tips = {name: tip for name, tip in snapshot.tips.items() if name in wanted}
        self.result = Pushed(tips, snapshot.default_branch, tuple(self.written.values()))


class _RefusedError(Exception):
    """Some branches did not move; `old` are the tips that were read."""

    def __init__(self, message: str, refusal: Refusal, old: Mapping[str, str]) -> None:
        super().__init__(message)
        self.refusal, self.old = refusal, old


def backoff() -> Iterator[float]:
    """Seconds before each try: none, then growing ones with full jitter, so that rivals part."""
    yield 0.0
    for number in range(_TRIES - 1):
        yield secrets.SystemRandom().uniform(0, min(_LONGEST_DELAY, _FIRST_DELAY * _GROWTH**number))


def nobody(project: str, branches: frozenset[str], default_branch: str) -> None:
    """The listener where nobody needs to hear of a push."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How to write.

    Attributes:
        timeout: seconds for one try, from the listing to the answer of the push.
        delays: seconds before each try; as many as there are tries.
        listener: hears of each push.
    """

    author: Author
    timeout: float
    delays: Callable[[], Iterator[float]] = backoff
    listener: PushListener = nobody


class Writer:
    """Serves jobs on one upstream, one batch at a time."""

    def __init__(self, transport: Transport, project: str, branch: str | None, manner: Manner) -> None:
        self._transport, self._project, self._branch, self._manner = transport, project, branch, manner
        self._reads, self._writes, self._kept = UploadPack(transport), ReceivePack(transport), Kept()
        self._also = {branch} if branch else set(_USUAL_DEFAULTS)

    def look(self, branches: frozenset[str], at: Callable[[GitSnapshot], None]) -> None:
        """List, and hand out the snapshot."""
        with self._transport.guard.within(self._manner.timeout):
            try:
                with located(self._transport, "read"):
                    at(self._snapshot(branches))
            finally:
                self._transport.release()

    def serve(self, jobs: list[Job]) -> None:
        """Finish every job with a result or an error of its own; a server's rule that stops one stops no other."""
        try:
            self._settle(jobs)
        except PushRejectedError as error:
            waiting = [job for job in jobs if not job.done]
            if len(waiting) == 1:
                waiting[0].error = error
                return
            for job in waiting:
                self.serve([job])
        except ProdevalError as error:
            for job in jobs:
                if not job.done:
                    job.error = copy.copy(error)  # one for each thread that raises it
                    job.error.__cause__ = error

    def _settle(self, jobs: list[Job]) -> None:
        """Repeat until the push lands. Raises PushRejectedError, GitOperationFailedError and what listing raises."""
        failure: Exception | None = None
        lost = 0
        for delay in self._manner.delays():
            self._transport.guard.pause(delay)
            try:
                return self._attempt(jobs, failure)
            except (StaleReadError, _RefusedError) as error:
                failure = error
            except LostAnswerError as error:
                failure, lost = error, lost + 1
                if lost > 1 or error.retry_after:
                    raise
            _log.info("Project %s: trying again, since %s", self._project, failure)
        raise GitOperationFailedError(f"others were always faster, gave up for now: {failure}") from failure

    def _attempt(self, jobs: list[Job], before: Exception | None) -> None:
        with self._transport.guard.within(self._manner.timeout):
            try:
                self._pushed([job for job in jobs if not job.done], before)
            finally:
                self._transport.release()

    def _pushed(self, jobs: list[Job], before: Exception | None) -> None:
        snapshot = self._snapshot(frozenset().union(*(job.branches for job in jobs)))
        if isinstance(before, _RefusedError):
            _check_moved(before, snapshot)
        for job in jobs:
            self._plan(job, snapshot)
        going = [job for job in jobs if not job.done]
        if snapshot.updates:
            self._push(snapshot, going)
        for job in going:
            job.finish(snapshot)

    def _plan(self, job: Job, snapshot: GitSnapshot) -> None:
        """Ask one planner; if it gives up, only its own job ends."""
        try:
            with located(self._transport, "read"):
                job.planned = snapshot.add(job.plan(snapshot), self._manner.author)
        except (LostAnswerError, StaleReadError):
            raise
        except Exception as error:  # noqa: BLE001  # a planner is not ours; its caller gets whatever it raises
            job.error = error
        else:
            # Told when the answer was lost, but the push may have landed only after that.
            self._tell(job.settle_doubt(), snapshot)

    def _push(self, snapshot: GitSnapshot, jobs: list[Job]) -> None:
        for updates in self._portions(snapshot):
            try:
                report = self._writes.push(updates, snapshot.made)
            except LostAnswerError:
                self._tell(frozenset(one.branch for one in updates), snapshot)
                for job in jobs:
                    job.doubtful = job.planned
                raise
            self._tell(report.accepted, snapshot)
            for job in jobs:
                job.landed(report.accepted)
            if report.refused:
                raise _refused(report, updates, self._transport.credentials.host)
        snapshot.keep()

    def _tell(self, branches: frozenset[str], snapshot: GitSnapshot) -> None:
        if branches:
            self._manner.listener(self._project, branches, snapshot.default_branch)

    def _portions(self, snapshot: GitSnapshot) -> Iterator[tuple[Update, ...]]:
        """All at once if the server does all or nothing; else stages first: a task without its files gates nothing."""
        updates = snapshot.updates
        stages = tuple(one for one in updates if one.branch != snapshot.default_branch)
        if not stages or len(updates) == len(stages) or self._writes.is_atomic():
            return iter((updates,))
        return iter((stages, tuple(one for one in updates if one not in stages)))

    def _snapshot(self, branches: frozenset[str]) -> GitSnapshot:
        asked = branches | self._also
        refs = self._reads.refs(asked)
        default = self._branch or refs.head
        if default and default not in refs.branches and default not in asked:
            refs = self._reads.refs(asked | {default})
            self._also.add(default)
        if default not in refs.branches:
            raise self._no_default(default)
        objects = Objects(self._reads, self._kept, tuple(refs.branches.values()))
        return GitSnapshot(default, dict.fromkeys(asked) | dict(refs.branches), objects, self._look_up)

    def _look_up(self, branch: str) -> str | None:
        """A branch that a planner came upon; from now on it is listed with the others."""
        if len(self._also) < _MOST_REMEMBERED:
            self._also.add(branch)
        return self._reads.refs((branch,)).branches.get(branch)

    def _no_default(self, default: str) -> ProdevalError:
        if not self._reads.all_branches().branches:
            return DependencyNotReadyError(
                f"the upstream of project {self._project!r} is empty; `keptn create project` fills it"
            )
        problem = f"branch {default!r} does not exist there" if default else "its HEAD names no branch"
        return ConfigError(
            f"the upstream of project {self._project!r} has branches, but {problem}; "
            f"set projects.{self._project}.branch in the operator's config"
        )


def _refused(report: Report, updates: tuple[Update, ...], host: str) -> Exception:
    """The worst of the reasons decides; the words of a hook come with it."""
    meanings = {branch: meaning(reason) for branch, reason in report.refused.items()}
    kinds = set(meanings.values())
    worst = next(kind for kind in (Refusal.FORBIDDEN, Refusal.UNCLEAR, Refusal.RACE) if kind in kinds)
    reasons = "; ".join(f"{name}: {report.refused[name]}" for name, kind in meanings.items() if kind is worst)
    message = f"{host} refuses the push: {reasons}" + (f" ({report.words})" if report.words else "")
    if worst is Refusal.FORBIDDEN:
        return PushRejectedError(message)
    old = {one.branch: one.old for one in updates if meanings.get(one.branch) is worst}
    return _RefusedError(message, worst, old)


def _check_moved(before: _RefusedError, snapshot: GitSnapshot) -> None:
    """Nobody was faster, and the server refused nevertheless: it will again. Raises PushRejectedError."""
    if before.refusal is Refusal.UNCLEAR and all(snapshot.tips.get(name) == old for name, old in before.old.items()):
        raise PushRejectedError(str(before))
