"""From Keptn's events to verdicts: one question for each project, an answer for each resource."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

from prodeval.domain.conditions import Condition, read_condition
from prodeval.domain.errors import KeptnAwayError, KeptnUnavailableError, ProdevalError
from prodeval.domain.events import parse_time
from prodeval.domain.json_values import as_list, as_text, child
from prodeval.domain.report import Report, read_pending
from prodeval.domain.resource import Resource, ResourceKey
from prodeval.domain.result_timeout import result_timeout
from prodeval.domain.steady_text import steady
from prodeval.domain.verdict import Expectation, Found, Judgement, Pending, Verdict, prove, select
from prodeval.service.event_log import EventLog
from prodeval.service.evidence_files import FileReader
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter
from prodeval.service.silence import Silence
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
        self._silence = Silence()
        self._ended_by = ""

    def turn(self, beat: Callable[[], None]) -> float:
        """Ask for what is new in each project and report what changed; returns the seconds until the next turn.

        The first answer that says that Keptn as a whole is away stands for all projects that were not asked yet.

        Args:
            beat: called between any two projects and resources: however slow the servers are, the turn goes on.
        """
        outage: KeptnAwayError | None = None
        for project, resources in self._projects():
            beat()
            outage = self._turn_project(project, resources, outage, beat)
        if outage is not None:
            return max(IDLE_SECONDS, outage.retry_after or 0.0)
        self._silence.end_outage()
        beat()
        self._uniform.refresh()
        return PENDING_SECONDS if any(map(_is_pending, self._registry.resources())) else IDLE_SECONDS

    def _projects(self) -> list[tuple[str, list[Resource]]]:
        """What is to be asked for; the project that ended the last turn comes last, lest it always hides the others."""
        projects: defaultdict[str, list[Resource]] = defaultdict(list)
        for resource in self._registry.resources():
            if not resource.suspend and _first_sync(resource) is not None:
                projects[resource.target.project].append(resource)
        return sorted(projects.items(), key=lambda item: item[0] == self._ended_by)

    def judge_now(self, resource: Resource, *, is_first: bool) -> Judgement | None:
        """The verdict as far as events are known, for a caller that must not wait for Keptn; None: as before.

        `is_first`: the first sync was just now, so that no event can count yet.
        """
        unanswered = self._silence.about(resource.target.project)
        if unanswered is not None:  # the next turn looks at it without being told
            return _unread(resource, unanswered)
        since = _first_sync(resource)
        if since is None or not (is_first or self._log.covers(resource.target.project, since)):
            self._look_again.add(resource.key)
            return _unread(resource)
        try:
            return self._judge(resource)
        except ProdevalError as error:
            self._look_again.add(resource.key)
            return _unanswered(resource, error)

    def has_unread(self, key: ResourceKey) -> bool:
        """Whether a resource waits for the next turn, which should come at once; in an outage it would be in vain."""
        return key in self._look_again and not self._silence.is_outage

    def _turn_project(
        self, project: str, resources: Iterable[Resource], outage: KeptnAwayError | None, beat: Callable[[], None]
    ) -> KeptnAwayError | None:
        """Ask, judge and report; in an outage only report. Returns the outage that is known then."""
        is_due = self._silence.about(project) is not None
        failure: ProdevalError | None = outage
        try:
            is_due = (outage is None and self._refresh(project, resources)) or is_due
        except ProdevalError as error:
            failure = error
        for resource in resources:
            beat()
            if failure is None and (is_due or resource.key in self._look_again or _is_pending(resource)):
                failure = self._turn_resource(resource)
            if failure is not None:
                self._look_again.discard(resource.key)
                self._report(resource, _unanswered(resource, failure))
        return self._remember(project, failure, outage)

    def _turn_resource(self, resource: Resource) -> KeptnAwayError | None:
        """Judge and report one resource; returns why not if Keptn as a whole is away."""
        self._look_again.discard(resource.key)
        try:
            judgement: Judgement | None = self._judge(resource)
        except KeptnAwayError as error:
            return error
        except ProdevalError as error:
            self._look_again.add(resource.key)
            judgement = _unanswered(resource, error)
        self._report(resource, judgement)
        return None

    def _remember(
        self, project: str, failure: ProdevalError | None, outage: KeptnAwayError | None
    ) -> KeptnAwayError | None:
        if failure is None:
            self._silence.end(project)
            return None
        self._silence.begin(project, failure)
        if not isinstance(failure, KeptnAwayError):
            return None
        self._ended_by = project if outage is None else self._ended_by
        return failure

    def _report(self, resource: Resource, judgement: Judgement | None) -> None:
        if judgement is None:
            return
        try:
            self._reporter.report(resource, Report(judgement=judgement))
        except ProdevalError as error:
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
        result_timeout=result_timeout(resource),
        files_pushed=parse_time(as_text(child(resource.status, "sync", "lastPushTime"))),
    )


def _unanswered(resource: Resource, error: ProdevalError) -> Judgement | None:
    """What is said while Keptn does not answer: a verdict stays, and who has none is told why."""
    if resource.status.get("verdict", "Pending") != "Pending":
        return None
    return Judgement("Pending", _silent(error), pending=read_pending(resource.status))


def _unread(resource: Resource, error: ProdevalError | None = None) -> Judgement | None:
    """What is said until Keptn answers the poller: nothing new, unless the spec asks for something new."""
    if resource.status.get("observedGeneration") == resource.generation:
        return None
    unread = Condition("Passed", "Unknown", "Reconciling", "Keptn's events are not read yet")
    return Judgement("Pending", _silent(error) if error else unread, pending=read_pending(resource.status))


def _silent(error: ProdevalError) -> Condition:
    message = f"{steady(str(error))}; will be tried again"
    return Condition("Passed", "Unknown", KeptnUnavailableError.reason, message)


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
