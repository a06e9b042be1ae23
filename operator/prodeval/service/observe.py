"""From Keptn's events to verdicts: one question for each project, an answer for each resource."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

from prodeval.domain.conditions import Condition, read_condition
from prodeval.domain.errors import ClusterUnavailableError, KeptnUnavailableError, ProdevalError
from prodeval.domain.events import parse_time
from prodeval.domain.json_values import as_list, as_text, child
from prodeval.domain.report import Report, read_pending
from prodeval.domain.resource import Resource, ResourceKey
from prodeval.domain.verdict import Expectation, Found, Judgement, Pending, Verdict, prove, select
from prodeval.service.event_log import EventLog
from prodeval.service.evidence_files import FileReader
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter
from prodeval.service.uniform import Uniform

logger = logging.getLogger(__name__)

IDLE_SECONDS, PENDING_SECONDS = 15.0, 5.0
"""Between two turns: when nothing is awaited, and when something is."""


class Observer:
    """Finds, proves and reports verdicts. Safe to use from many threads."""

    def __init__(
        self,
        registry: Registry,
        reporter: Reporter,
        log: EventLog,
        uniform: Uniform,
        files: FileReader,
        clock: Callable[[], datetime],
    ) -> None:
        self._registry, self._reporter, self._log = registry, reporter, log
        self._files, self._uniform, self._clock = files, uniform, clock
        self._to_prove_again: set[ResourceKey] = set()
        self._look_again: set[ResourceKey] = set()

    def turn(self) -> float:
        """Ask for what is new in each project and report what changed; returns the seconds until the next turn."""
        self._uniform.refresh()
        projects: defaultdict[str, list[Resource]] = defaultdict(list)
        for resource in self._registry.resources():
            if not resource.suspend and _first_sync(resource) is not None:
                projects[resource.target.project].append(resource)
        for project, resources in projects.items():
            self._turn_project(project, resources)
        return PENDING_SECONDS if any(map(_is_pending, self._registry.resources())) else IDLE_SECONDS

    def judge_now(self, resource: Resource, *, is_first: bool) -> Judgement | None:
        """The verdict as far as events are known, for a caller that must not wait for Keptn; None: as before.

        `is_first`: the first sync was just now, so that no event can count yet.
        """
        since = _first_sync(resource)
        if since is None or not (is_first or self._log.covers(resource.target.project, since)):
            self._look_again.add(resource.key)
            return _unread(resource)
        return self._judge_or_tell(resource)

    def has_unread(self, key: ResourceKey) -> bool:
        """Whether a resource waits for the next turn."""
        return key in self._look_again

    def _judge_or_tell(self, resource: Resource) -> Judgement | None:
        try:
            return self._judge(resource)
        except ProdevalError as error:
            self._look_again.add(resource.key)
            return _unanswered(resource, error)

    def _turn_project(self, project: str, resources: Iterable[Resource]) -> None:
        unanswered: ProdevalError | None = None
        has_news = False
        try:
            has_news = self._refresh(project, resources)
        except ProdevalError as error:
            logger.warning("Results of project %s are unknown: %s", project, error)
            unanswered = error
        for resource in resources:
            if unanswered is not None:
                self._look_again.add(resource.key)
                self._report(resource, _unanswered(resource, unanswered))
            elif has_news or resource.key in self._look_again or _is_pending(resource):
                self._look_again.discard(resource.key)
                self._report(resource, self._judge_or_tell(resource))

    def _report(self, resource: Resource, judgement: Judgement | None) -> None:
        if judgement is None:
            return
        try:
            self._reporter.report(resource, Report(judgement=judgement))
        except ClusterUnavailableError as error:
            logger.warning("The verdict of %s is not written yet: %s", resource.key, error)
            self._look_again.add(resource.key)

    def _refresh(self, project: str, resources: Iterable[Resource]) -> bool:
        mine = [resource for resource in resources if resource.target.project == project]
        since = min(filter(None, map(_first_sync, mine)))
        return self._log.refresh(project, since, with_executions=any(map(_is_pending, mine)))

    def _judge(self, resource: Resource) -> Judgement:
        """Raises KeptnUnavailableError if an older event is needed and Keptn does not give it."""
        expectation = _expectation(resource)
        found = self._select(resource, expectation)
        if isinstance(found, Found) and found.deployment is None:
            self._log.complete(resource.target, resource.shipyard.after_task)
            found = self._select(resource, expectation)
        if isinstance(found, Judgement):
            return found
        if resource.key not in self._to_prove_again and _is_settled(resource, found):
            return _settled(resource, found.pending)
        if found.missing:
            self._log.fetch(resource.target.project, found.missing)
            again = self._select(resource, expectation)
            found = again if isinstance(again, Found) else found
        return self._prove(resource, expectation, found)

    def _select(self, resource: Resource, expectation: Expectation) -> Found | Judgement:
        project = resource.target.project
        events, executions = self._log.events(project), self._log.executions(project)
        return select(expectation, events, executions, read_pending(resource.status), self._clock())

    def _prove(self, resource: Resource, expectation: Expectation, found: Found) -> Judgement:
        looked = self._files.look(resource, found)
        if looked.complete:
            self._to_prove_again.discard(resource.key)
        else:
            self._to_prove_again.add(resource.key)
            self._look_again.add(resource.key)
        return prove(expectation, found, looked.facts)


def _first_sync(resource: Resource) -> datetime | None:
    return parse_time(as_text(child(resource.status, "sync", "firstSyncTime")))


def _is_pending(resource: Resource) -> bool:
    return child(resource.status, "pending") is not None


def _expectation(resource: Resource) -> Expectation:
    shipyard = resource.shipyard
    generates = child(resource.status, "resolved", "load") != "LiveTraffic"
    return Expectation(
        target=resource.target,
        sequence=shipyard.sequence,
        after_task=shipyard.after_task,
        test_task=shipyard.test_task if generates else None,
        version=resource.version,
        first_sync=_first_sync(resource),
        result_timeout=resource.result_timeout,
        files_pushed=parse_time(as_text(child(resource.status, "sync", "lastPushTime"))),
    )


def _unanswered(resource: Resource, error: ProdevalError) -> Judgement | None:
    """What is said while Keptn does not answer: a verdict stays, and who has none is told why."""
    if resource.status.get("verdict", "Pending") != "Pending":
        return None
    condition = Condition("Passed", "Unknown", KeptnUnavailableError.reason, f"{error}; will be tried again")
    return Judgement("Pending", condition, pending=read_pending(resource.status))


def _unread(resource: Resource) -> Judgement | None:
    """What is said until the poller asked Keptn: nothing new, unless the spec asks for something new."""
    if resource.status.get("observedGeneration") == resource.generation:
        return None
    condition = Condition("Passed", "Unknown", "Reconciling", "Keptn's events are not read yet")
    return Judgement("Pending", condition, pending=read_pending(resource.status))


def _is_settled(resource: Resource, found: Found) -> bool:
    """Whether the status tells this very verdict already: files that change later do not undo it."""
    status = resource.status
    if child(status, "lastEvaluation", "eventID") != found.event_id:
        return False
    if status.get("observedGeneration") != resource.generation:
        return False
    speaks = "False" if not found.candidate.speaks_after(found.deployment) else "True"
    return all(
        as_text(child(check, "status"), "Unknown") in {speaks, "Unknown"}
        for check in as_list(child(status, "lastEvaluation", "evidence"))
        if child(check, "check") == "WindowAfterDeployment"
    )


def _settled(resource: Resource, pending: Pending | None) -> Judgement:
    """The verdict as the status tells it, with what is awaited beside it."""
    passed = read_condition(resource.status, "Passed") or Condition("Passed", "Unknown", "Reconciling")
    return Judgement(_verdict(as_text(resource.status.get("verdict"))), passed, pending=pending)


def _verdict(text: str) -> Verdict:
    match text:
        case "Pass" | "Warning" | "Fail" | "Inconclusive":
            return text
        case _:
            return "Pending"
