"""One turn of the sync lane: all due resources of a project in one plan and one push, and a status for each."""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from prodeval.domain.backoff import Backoff
from prodeval.domain.conditions import NOT_SYNCED, Condition, read_condition
from prodeval.domain.diffs import changed_lines, planned_change
from prodeval.domain.durations import format_duration
from prodeval.domain.errors import (
    AccessDeniedError,
    ClusterUnavailableError,
    DuplicateTargetError,
    GitOperationFailedError,
    PermanentError,
    ProdevalError,
    PushRejectedError,
    RetryableError,
    SupersededError,
)
from prodeval.domain.paths import SHIPYARD
from prodeval.domain.report import Report, SyncFacts
from prodeval.domain.resource import Resource
from prodeval.domain.steady_text import steady
from prodeval.domain.verdict import Judgement
from prodeval.service.judging import Judge, first_sync
from prodeval.service.notes import Notes
from prodeval.service.outage import Outage
from prodeval.service.refreshing import Refresher
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter
from prodeval.service.syncing import Outcome, Synced, Syncer
from prodeval.service.turns import Again, TurnEnd

logger = logging.getLogger(__name__)

_JITTER = 0.1


class SyncTurns:
    """Runs turns; for many projects at once, one at a time for each."""

    def __init__(
        self,
        registry: Registry,
        syncer: Syncer,
        judge: Judge,
        refresher: Refresher,
        reporter: Reporter,
        cluster_outage: Outage,
    ) -> None:
        self._registry, self._syncer, self._judge = registry, syncer, judge
        self._refresher, self._reporter, self._cluster_outage = refresher, reporter, cluster_outage
        self._failures: Notes[int] = Notes(registry)
        self._is_ending = False

    def turn(self, project: str, uids: Sequence[str]) -> TurnEnd:
        """Sync what is due of one project and report it; says when each is due again."""
        resources = [found for uid in uids if (found := self._registry.get(uid)) is not None]
        if self._cluster_outage.seconds:  # without the API there is nobody to report to
            return self._postponed(resources)
        try:
            outcomes = self._outcomes(project, resources)
        except ClusterUnavailableError:
            return self._postponed(resources)
        return self._reported(resources, outcomes)

    def stop(self) -> None:
        """The operator ends: what fails from now on fails because connections are closed, which is nobody's news."""
        self._is_ending = True

    def _outcomes(self, project: str, resources: Sequence[Resource]) -> dict[str, Outcome | None]:
        """By uid; None: nothing was done, and the status only says that it is suspended."""
        outcomes: dict[str, Outcome | None] = {one.uid: None for one in resources}
        for resource in resources:
            entry = self._registry.entry(resource.uid)
            if entry is not None and entry.problem is not None:
                outcomes[resource.uid] = entry.problem
        wanted = [one for one in resources if outcomes[one.uid] is None and not one.suspend]
        siblings = self._registry.project(project)
        return outcomes | dict(self._syncer.sync(project, wanted, siblings))

    def _reported(self, resources: Sequence[Resource], outcomes: Mapping[str, Outcome | None]) -> TurnEnd:
        again: dict[str, Again] = {}
        for number, resource in enumerate(resources):
            outcome = outcomes[resource.uid]
            if isinstance(outcome, SupersededError):
                continue  # whoever made it so made it due again
            if self._is_ending and isinstance(outcome, Exception):
                continue
            try:
                is_written = self._report(resource, outcome)
            except ClusterUnavailableError:
                rest = self._postponed(resources[number:])
                return replace(rest, again=again | dict(rest.again))
            again[resource.uid] = self._again(resource, outcome, is_written=is_written)
        hold = max((_retry_after(outcome) for outcome in outcomes.values()), default=0.0)
        project = resources[0].target.project if resources else ""
        is_news = any(map(self._judge.is_unread, resources)) or not self._refresher.is_settled(project)
        return TurnEnd(again, hold, news=is_news)

    def _report(self, resource: Resource, outcome: Outcome | None) -> bool:
        """Raises ClusterUnavailableError."""

        def make(newest: Resource) -> Report | None:
            if newest.generation != resource.generation:
                return None
            # A request that came during the turn is answered by the next one.
            return self._judged(replace(newest, reconcile_requested=resource.reconcile_requested), _report_of(outcome))

        _log(resource, outcome)
        return self._reporter.report(resource.uid, make)

    def _judged(self, newest: Resource, report: Report) -> Report:
        """Add the verdict as far as it is known, so that one write tells both."""
        after = replace(newest, status=self._reporter.preview(newest, report))
        if newest.suspend or _is_judged_unsynced(after):
            return report
        if first_sync(after) is None:
            return replace(report, judgement=_not_synced(after))
        if not newest.target.project or _has_no_say(report):
            return report
        try:
            judgement = self._judge.judge(after, newest)
        except Exception:
            logger.exception("Judging %s failed; the sync is reported without it", newest.key)
            return report
        return replace(report, judgement=judgement)

    def _again(self, resource: Resource, outcome: Outcome | None, *, is_written: bool) -> Again:
        interval = resource.interval.total_seconds()
        spread = random.random()  # noqa: S311 - spreads load
        is_at_rest = outcome is None or isinstance(outcome, Synced | PermanentError)
        if is_at_rest and is_written:
            self._failures.pop(resource.uid)
            return Again(interval * (1 - _JITTER * spread), slack=interval / 2)
        failures = (self._failures.get(resource.uid) or 0) + 1
        self._failures.put(resource.uid, failures)
        asked = outcome.retry_after if isinstance(outcome, RetryableError) else None
        return Again(Backoff().seconds(failures, most=interval, retry_after=asked, jitter=spread))

    def _postponed(self, resources: Sequence[Resource]) -> TurnEnd:
        """Later, when the API server was asked again."""
        wait = Again(max(self._cluster_outage.seconds, 1.0))
        return TurnEnd({one.uid: wait for one in resources})


def _log(resource: Resource, outcome: Outcome | None) -> None:
    """Say what went wrong; what the status says already is not said again with each try."""
    if isinstance(outcome, Exception) and not isinstance(outcome, ProdevalError):
        logger.error("Syncing %s failed", resource.key, exc_info=outcome)
    elif isinstance(outcome, ProdevalError):
        known = read_condition(resource.status, "Synced")
        is_known = known is not None and (known.status, known.reason) == ("False", outcome.reason)
        logger.log(logging.DEBUG if is_known else logging.WARNING, "%s is not synced: %s", resource.key, outcome)


def _retry_after(outcome: Outcome | None) -> float:
    """For how long the Git server asked to be left alone."""
    return (outcome.retry_after or 0.0) if isinstance(outcome, GitOperationFailedError) else 0.0


def _is_judged_unsynced(resource: Resource) -> bool:
    """Whether there is a verdict although the time of the first sync was lost: it stays."""
    return first_sync(resource) is None and resource.status.get("verdict", "Pending") != "Pending"


def _not_synced(resource: Resource) -> Judgement:
    synced = read_condition(resource.status, "Synced") or NOT_SYNCED
    message = f"nothing is judged before it is synced: {synced.reason}"
    return Judgement("Pending", Condition("Passed", "Unknown", "NotSynced", message))


_REFUSED = frozenset({AccessDeniedError.reason, DuplicateTargetError.reason})


def _has_no_say(report: Report) -> bool:
    """Whether the resource may not speak about its target."""
    return report.synced is not None and report.synced.status == "False" and report.synced.reason in _REFUSED


def _report_of(outcome: Outcome | None) -> Report:
    match outcome:
        case None:
            return Report()
        case Synced():
            return _succeeded(outcome)
        case RetryableError() | PushRejectedError():  # a server's words, which may differ from try to try
            return Report(synced=Condition("Synced", "False", outcome.reason, steady(str(outcome))))
        case ProdevalError():
            return Report(synced=Condition("Synced", "False", outcome.reason, str(outcome)))
        case _:
            message = (
                f"an error of prodeval itself ({type(outcome).__name__}); its log has the details; will be tried again"
            )
            return Report(synced=Condition("Synced", "False", "InternalError", message))


def _succeeded(synced: Synced) -> Report:
    plan, pushed = synced.plan, synced.pushed
    stage, default = plan.where.branch, pushed.default_branch
    facts = SyncFacts(
        upstream=synced.upstream,
        branch=default,
        layout=plan.layout.value,
        load=plan.load,
        timeframe=plan.timeframe,
        result_timeout=format_duration(plan.result_timeout),
        stage_revision=f"{stage}@sha1:{pushed.tips[stage]}",
        shipyard_revision=f"{default}@sha1:{pushed.tips[default]}",
        files=plan.files,
        pushed=bool(pushed.written),
        planned=tuple(planned_change(change.path, plan.shipyard, change.content.decode()) for change in plan.withheld),
    )
    return Report(synced=_synced_condition(synced), facts=facts)


def _synced_condition(synced: Synced) -> Condition:
    plan = synced.plan
    if plan.withheld:
        _, added = changed_lines(plan.shipyard, plan.withheld[0].content.decode())
        lines = "\n".join(added)
        return Condition(
            "Synced",
            "False",
            "ShipyardIncomplete",
            f"policy is Verify, and {SHIPYARD} on branch {synced.pushed.default_branch!r} lacks these lines; "
            f"`prodeval plan` prints the patch for a pull request:\n{lines}",
        )
    if plan.doubts:
        return Condition("Synced", "True", "Synced", "in place, with doubts: " + "; ".join(plan.doubts))
    return Condition("Synced", "True", "Synced", "files and tasks are in place")
