"""One turn of the observe lane: one question to Keptn for a project, an answer for each of its resources."""

import logging
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from prodeval.domain.backoff import Backoff
from prodeval.domain.conditions import Condition, read_condition
from prodeval.domain.errors import ClusterUnavailableError, KeptnUnavailableError, ProdevalError, RetryableError
from prodeval.domain.json_values import as_text, child
from prodeval.domain.report import Report, read_pending
from prodeval.domain.resource import Resource
from prodeval.domain.steady_text import steady
from prodeval.domain.tenancy import Tenancy
from prodeval.domain.verdict import Judgement, remember
from prodeval.service.clock import Clock
from prodeval.service.inquiry import Inquiry
from prodeval.service.judging import Judge, expectation, first_sync
from prodeval.service.notes import Notes
from prodeval.service.outage import Outage
from prodeval.service.registry import Registry
from prodeval.service.reporting import Make, Reporter
from prodeval.service.turns import Again, TurnEnd

logger = logging.getLogger(__name__)

IDLE_SECONDS, PENDING_SECONDS = 15.0, 5.0
"""Between two questions about a project: when nothing is awaited in it, and when something is."""

_BEFORE_VERDICT = timedelta(hours=1)
"""How far behind a known verdict events are asked for: the run that is under way may have begun before it."""
_LONGEST_PAUSE, _LONGEST_FAULT = 60.0, 600.0
_NEVER = datetime.max.replace(tzinfo=UTC)

_FAULT = "an error of prodeval itself; its log has the details; will be tried again"

_Mark = tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Fault:
    """An error of ours in judging one resource: how often in a row, when to try again, what was judged."""

    failures: int
    until: float
    mark: _Mark


class ObserveTurns:
    """Runs turns; for many projects at once, one at a time for each."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a turn is made of
        self,
        registry: Registry,
        tenancy: Tenancy,
        inquiry: Inquiry,
        judge: Judge,
        reporter: Reporter,
        cluster_outage: Outage,
        clock: Clock,
    ) -> None:
        self._registry, self._tenancy, self._inquiry = registry, tenancy, inquiry
        self._judge, self._reporter, self._cluster_outage, self._clock = judge, reporter, cluster_outage, clock
        self._marks: Notes[_Mark] = Notes(registry)
        self._faults: Notes[_Fault] = Notes(registry)
        self._failures: dict[str, int] = {}
        self._silent: set[str] = set()
        self._is_ending = False

    def turn(self, project: str) -> TurnEnd:
        """Ask for what is new in a project and report what changed, then let Keptn read what was pushed.

        Says when to ask again.
        """
        end = self._turn(project)
        if self._inquiry.let_read(project) or end.again:
            return end
        return self._next(project, PENDING_SECONDS)

    def _turn(self, project: str) -> TurnEnd:
        resources = [one for one in self._registry.project(project) if self._is_judged(one)]
        if not resources:
            self._forget(project)
            return TurnEnd()
        try:
            if not self._cluster_outage.seconds:  # else there is nobody to report to
                return self._observed(project, resources)
        except ClusterUnavailableError:
            pass  # said once by the outage; what was not written is judged again
        return self._next(project, max(self._cluster_outage.seconds, 1.0))

    def _forget(self, project: str) -> None:
        """Nobody asks about it: what is known of it grows old, and who asks again begins anew."""
        self._inquiry.drop(project)
        self._judge.hear(project)
        self._failures.pop(project, None)
        self._silent.discard(project)

    def stop(self) -> None:
        """The operator ends: what nobody answers from now on is not said to be outstanding."""
        self._is_ending = True

    def _is_judged(self, resource: Resource) -> bool:
        """Whether somebody may and wants to know: revoked access ends questions and verdicts alike."""
        return not resource.suspend and first_sync(resource) is not None and self._tenancy.allows(resource)

    def _observed(self, project: str, resources: Sequence[Resource]) -> TurnEnd:
        """Raises ClusterUnavailableError."""
        try:
            news = self._news(project, resources)
        except ProdevalError as error:
            return self._unanswered(project, resources, error)
        if project in self._silent:
            self._silent.discard(project)
            logger.info("Keptn answers about project %s again", project)
        self._judge.hear(project)
        self._failures.pop(project, None)
        for resource in resources:
            if self._is_due(resource, news):
                self._judge_one(resource)
        return self._next(project)

    def _news(self, project: str, resources: Sequence[Resource]) -> frozenset[str]:
        needs: dict[str, datetime] = {}
        for resource in resources:
            service, need = resource.target.service, _needs_since(resource)
            needs[service] = min(need, needs.get(service, need))
        return self._inquiry.news(project, needs, with_executions=any(map(_is_pending, resources)))

    def _is_due(self, resource: Resource, news: frozenset[str]) -> bool:
        fault = self._faults.get(resource.uid)
        if fault is not None and fault.mark == _mark(resource):
            return self._clock.monotonic() >= fault.until
        if resource.target.service in news or _is_pending(resource):
            return True
        return self._marks.get(resource.uid) != _mark(resource)

    def _judge_one(self, resource: Resource) -> None:
        """Ask what is to be asked, then report; a fault in one resource leaves the others alone.

        Raises ClusterUnavailableError.
        """
        self._marks.pop(resource.uid)
        try:
            is_asked = self._inquiry.evidence(resource)
            if self._is_ending and not is_asked:
                return
            is_written = self._reporter.report(resource.uid, self._make)
        except ClusterUnavailableError:
            raise
        except Exception:
            logger.exception("Judging %s failed; will be tried again", resource.key)
            self._postpone(resource)
            self._tell(resource, partial(_say, reason="InternalError", message=_FAULT))
            return
        self._faults.pop(resource.uid)
        if is_asked and is_written:
            self._marks.put(resource.uid, _mark(resource))

    def _postpone(self, resource: Resource) -> None:
        """What ended in an error of ours is tried again more and more rarely, or once the spec is another."""
        before = self._faults.get(resource.uid)
        failures = before.failures + 1 if before else 1
        jitter = random.random()  # noqa: S311 - spreads load
        wait = Backoff(first=IDLE_SECONDS).seconds(failures, most=_LONGEST_FAULT, retry_after=None, jitter=jitter)
        self._faults.put(resource.uid, _Fault(failures, self._clock.monotonic() + wait, _mark(resource)))

    def _make(self, newest: Resource) -> Report | None:
        judgement = self._judge.judge(newest) if self._is_judged(newest) else None
        return None if judgement is None else Report(judgement=judgement)

    def _unanswered(self, project: str, resources: Iterable[Resource], error: ProdevalError) -> TurnEnd:
        """Keptn does not answer: a verdict stays, and who has none is told why. Raises ClusterUnavailableError."""
        if self._is_ending:
            return TurnEnd()
        if project not in self._silent and self._inquiry.outage.error is None:
            logger.warning("Keptn does not answer about project %s: %s", project, error)
        if self._inquiry.outage.error is None:
            self._silent.add(project)
        self._judge.miss(project)

        message = f"{steady(str(error))}; will be tried again"
        for resource in resources:
            self._marks.pop(resource.uid)
            self._tell(resource, partial(_say, reason=KeptnUnavailableError.reason, message=message))
        return self._next(project, self._pause(project, error))

    def _tell(self, resource: Resource, make: Make) -> None:
        """Tell why nothing new is known, as well as that can be done. Raises ClusterUnavailableError."""
        try:
            self._reporter.report(resource.uid, lambda newest: make(newest) if self._is_judged(newest) else None)
        except ClusterUnavailableError:
            raise
        except Exception:
            logger.exception("Telling %s why nothing new is known failed", resource.key)

    def _pause(self, project: str, error: ProdevalError) -> float:
        """How long to leave Keptn alone: as long as all do, or longer and longer about this project alone."""
        if self._inquiry.outage.error is not None:
            return max(self._inquiry.outage.seconds, 1.0)
        failures = self._failures[project] = self._failures.get(project, 0) + 1
        asked = error.retry_after if isinstance(error, RetryableError) else None
        jitter = random.random()  # noqa: S311 - spreads load
        return max(PENDING_SECONDS, Backoff().seconds(failures, most=_LONGEST_PAUSE, retry_after=asked, jitter=jitter))

    def _next(self, project: str, seconds: float | None = None) -> TurnEnd:
        """When to ask again: soon if something is awaited in this very project, or was not written or answered."""
        if seconds is None:
            resources = [one for one in self._registry.project(project) if self._is_judged(one)]
            well = [one for one in resources if self._faults.get(one.uid) is None]
            is_awaited = any(_is_pending(one) or self._marks.get(one.uid) is None for one in well)
            seconds = PENDING_SECONDS if is_awaited else IDLE_SECONDS
        return TurnEnd({project: Again(seconds)})


def _mark(resource: Resource) -> _Mark:
    """What a judgement depends on beside events."""
    return resource.generation, as_text(child(resource.status, "sync", "firstSyncTime"))


def _needs_since(resource: Resource) -> datetime:
    """Since when events matter: since a little before the verdict that is known, else since the first sync."""
    expected = expectation(resource)
    first, known = expected.first_sync or _NEVER, remember(resource.status, expected)
    return first if known is None else max(first, known.time - _BEFORE_VERDICT)


def _is_pending(resource: Resource) -> bool:
    return child(resource.status, "pending") is not None


def _say(newest: Resource, *, reason: str, message: str) -> Report | None:
    """Tell who has no verdict yet why there is nothing new; a verdict stays as it is."""
    if newest.status.get("verdict", "Pending") != "Pending":
        return None
    passed = read_condition(newest.status, "Passed")
    if passed is not None and passed.reason == reason:
        return None  # said once: the cause may be put differently from try to try
    condition = Condition("Passed", "Unknown", reason, message)
    return Report(judgement=Judgement("Pending", condition, pending=read_pending(newest.status)))
