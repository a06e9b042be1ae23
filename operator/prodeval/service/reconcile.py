"""One resource from its spec to its status: sync the upstream, judge what is known, report both in one write."""

import logging
import random
from dataclasses import dataclass, replace

from prodeval.domain.conditions import Condition, read_condition
from prodeval.domain.diffs import changed_lines, planned_change
from prodeval.domain.durations import format_duration
from prodeval.domain.errors import ProdevalError, PushRejectedError, RetryableError
from prodeval.domain.json_values import child
from prodeval.domain.paths import SHIPYARD
from prodeval.domain.report import Report, SyncFacts, build_status
from prodeval.domain.resource import Resource, ResourceKey
from prodeval.domain.steady_text import steady
from prodeval.service.observe import Observer
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter
from prodeval.service.syncing import Synced, Syncer

logger = logging.getLogger(__name__)

_FIRST_RETRY, _GROWTH = 2.0, 1.5
_MOST_FAILURES = 50
"""That count: the wait is then longer than any interval, and after two weeks of failures it would overflow."""
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Again:
    """When to reconcile next: in so many seconds; `interval` is the usual distance."""

    project: str
    seconds: float
    interval: float


class Reconciler:
    """Reconciles resources; safe to use from many threads, for one resource at a time."""

    def __init__(self, registry: Registry, syncer: Syncer, observer: Observer, reporter: Reporter) -> None:
        self._registry, self._syncer, self._observer, self._reporter = registry, syncer, observer, reporter
        self._failures: dict[ResourceKey, int] = {}

    def reconcile(self, key: ResourceKey) -> Again | None:
        """Bring the upstream to the newest spec and the status to what came of it; None if the resource is gone.

        Raises ClusterUnavailableError if the status cannot be written.
        """
        resource = self._registry.get(key)
        if resource is None:
            return None
        if resource.suspend:
            self._reporter.report(resource, Report())
            return self._after(resource, None)
        error: ProdevalError | None = None
        try:
            report = _succeeded(self._syncer.sync(resource, self._registry.resources()))
        except ProdevalError as failure:
            error, report = failure, _failed(failure)
            logger.warning("%s is not synced: %s: %s", key, failure.reason, failure)
        self._reporter.report(resource, self._judged(resource, report))
        return self._after(resource, error)

    def forget(self, key: ResourceKey) -> tuple[ResourceKey, ...]:
        """Drop a resource that is gone; returns those that may now take its place."""
        self._registry.drop(key)
        self._reporter.forget(key)
        self._failures.pop(key, None)
        return tuple(heir.key for heir in self._registry.resources() if _waits_for_another(heir))

    def _judged(self, resource: Resource, report: Report) -> Report:
        """Add the verdict, so that one write tells both; a sync that failed leaves it as it was."""
        if report.facts is None:
            return report
        observed = {"observedGeneration": resource.status.get("observedGeneration")}  # of the last verdict
        synced = replace(resource, status={**build_status(resource, report, self._reporter.now()), **observed})
        is_first = child(resource.status, "sync", "firstSyncTime") is None
        return replace(report, judgement=self._observer.judge_now(synced, is_first=is_first))

    def _after(self, resource: Resource, error: ProdevalError | None) -> Again:
        interval = resource.interval.total_seconds()
        if not isinstance(error, RetryableError):
            self._failures.pop(resource.key, None)
            return Again(resource.target.project, interval * random.uniform(1 - _JITTER, 1), interval)  # noqa: S311 - spreads load
        failures = self._failures[resource.key] = self._failures.get(resource.key, 0) + 1
        growth = _GROWTH ** min(failures, _MOST_FAILURES)
        wait = error.retry_after or _FIRST_RETRY * growth * random.uniform(1 - _JITTER, 1)  # noqa: S311 - spreads load
        return Again(resource.target.project, min(wait, interval), interval)


def _waits_for_another(resource: Resource) -> bool:
    synced = read_condition(resource.status, "Synced")
    return synced is not None and synced.reason in {"DuplicateTarget", "ShipyardConflict"}


def _failed(error: ProdevalError) -> Report:
    """What a server said may differ from try to try; what is wrong with the spec or a file is quoted as it is."""
    is_foreign = isinstance(error, RetryableError | PushRejectedError)
    return Report(synced=Condition("Synced", "False", error.reason, steady(str(error)) if is_foreign else str(error)))


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
