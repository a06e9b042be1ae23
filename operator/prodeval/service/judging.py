"""What is known of one resource, from memory alone: nothing is asked, so that it can be done under a lock."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from prodeval.domain.conditions import Condition, condition_generation
from prodeval.domain.events import Event, format_time, parse_time
from prodeval.domain.json_values import as_text, child
from prodeval.domain.report import read_pending
from prodeval.domain.resource import Resource
from prodeval.domain.result_timeout import result_timeout
from prodeval.domain.verdict import (
    Expectation,
    FileFacts,
    Found,
    Judgement,
    Pending,
    prove,
    remember,
    select,
)
from prodeval.domain.verdict.clock import await_verdict
from prodeval.domain.verdict.runs import succeeded
from prodeval.domain.verdict.timeline import read_timeline
from prodeval.service.clock import Clock
from prodeval.service.event_log import EventLog, ServiceEvents
from prodeval.service.notes import Notes
from prodeval.service.registry import Registry


@dataclass(frozen=True, slots=True)
class Proof:
    """What was asked about one evaluation.

    Attributes:
        files: what Git says of its files; None: Git does not answer.
        compared: the evaluations that it was compared with and that Keptn still has.
    """

    files: FileFacts | None
    compared: tuple[Event, ...] = ()


class Judge:
    """Judges resources. Safe to use from many threads."""

    def __init__(self, registry: Registry, log: EventLog, clock: Clock) -> None:
        self._log, self._clock = log, clock
        self._proofs: Notes[tuple[str, Proof]] = Notes(registry)
        self._silent: set[str] = set()

    def judge(self, resource: Resource, before: Resource | None = None) -> Judgement | None:
        """The verdict as far as it is known; None: as the status has it.

        Args:
            resource: with the status that the sync of this moment leaves.
            before: as it was until then; None if no sync is reported with the verdict.
        """
        before = before or resource
        events = self._events(resource, before)
        if events is None:
            return _unread(resource, before)
        found = self._select(resource, before, events)
        if isinstance(found, Found):
            return self._proven(resource, before, found)
        is_silent = resource.target.project in self._silent and _answers(before, resource)
        if found.verdict == "Pending" and (is_silent or _is_a_guess(found, before, events)):
            return None
        return found

    def question(self, resource: Resource) -> Found | None:
        """The evaluation about which something must be asked before it is a verdict; None if there is none."""
        events = self._events(resource, resource)
        found = self._select(resource, resource, events) if events else None
        if not isinstance(found, Found):
            return None
        proof = self._proof(resource, found)
        return None if proof is not None and proof.files is not None else found

    def lacks_deployment(self, resource: Resource) -> bool:
        """Whether an evaluation is known, but not what it was about, nor was that asked for by name.

        The deployment can be older than all that was asked about the service. Without it an evaluation has no version,
        so that one would wait for ever for a version that was evaluated.
        """
        events = self._events(resource, resource)
        if events is None or self._log.is_complete(resource.target, resource.shipyard.after_task):
            return False
        timeline = read_timeline(expectation(resource), events.events)
        began = min((one.event.time for one in timeline.deployments), default=None)
        return any(began is None or one.time < began for one in timeline.candidates)

    def miss(self, project: str) -> None:
        """Keptn does not answer about a project: who waits is told that, and not what was known before."""
        self._silent.add(project)

    def hear(self, project: str) -> None:
        """Keptn answered about a project."""
        self._silent.discard(project)

    def is_unread(self, resource: Resource) -> bool:
        """Whether Keptn was not asked about the resource's service yet."""
        return self._log.service(resource.target.project, resource.target.service) is None

    def learn(self, resource: Resource, found: Found, proof: Proof) -> None:
        """What was asked about an evaluation, pinned to its event."""
        self._proofs.put(resource.uid, (found.event_id, proof))

    def _events(self, resource: Resource, before: Resource) -> ServiceEvents | None:
        known = self._log.service(resource.target.project, resource.target.service)
        if known is None and first_sync(before) is None:
            since = first_sync(resource) or self._clock.now()  # synced just now: nothing earlier counts
            return ServiceEvents((), (), since, since)
        return known

    def _select(self, resource: Resource, before: Resource, events: ServiceEvents) -> Found | Judgement:
        expected = expectation(resource)
        return select(
            expected,
            events.events,
            events.executions,
            _pending(before),
            self._clock.now(),
            remembered=remember(before.status, expected),
            since=events.since,
            until=events.until,
        )

    def _proof(self, resource: Resource, found: Found) -> Proof | None:
        event_id, proof = self._proofs.get(resource.uid) or ("", None)
        return proof if event_id == found.event_id else None

    def _proven(self, resource: Resource, before: Resource, found: Found) -> Judgement | None:
        """A failure counts at once; a pass counts when all that can be asked was answered."""
        proof = self._proof(resource, found)
        if proof is not None and proof.files is not None:
            return prove(expectation(resource), replace(found, compared=proof.compared or found.compared), proof.files)
        if not succeeded(found.candidate.finished):
            return prove(expectation(resource), found, FileFacts())
        if proof is None and _answers(before, resource):
            return None
        return self._outstanding(before, found, result_timeout(resource))

    def _outstanding(self, before: Resource, found: Found, timeout: timedelta) -> Judgement:
        """A pass that Git did not confirm yet: awaited like a verdict, and unproven when that takes too long."""
        version, context = found.candidate.artifact.version, found.candidate.finished.context
        now = self._clock.now()
        pending = await_verdict(_pending(before), (version, context), standing=False, now=now, timeout=timeout)
        said = f"{version or 'the deployed version'}: Keptn says {found.candidate.finished.text('result')}"
        if now > pending.deadline:
            message = f"{said}, but until {format_time(pending.deadline)} Git did not tell which files it judged with"
            return Judgement("Inconclusive", _outstanding_evidence(message), version=version, pending=pending)
        message = f"{said}; SLOMatches and FilesUnchanged are outstanding until Git answers"
        return Judgement("Pending", _outstanding_evidence(message), version=version, pending=pending)


def first_sync(resource: Resource) -> datetime | None:
    """When the resource was synced for the first time; None if it was not."""
    return parse_time(as_text(child(resource.status, "sync", "firstSyncTime")))


def expectation(resource: Resource) -> Expectation:
    """What a resource waits for."""
    shipyard = resource.shipyard
    generates = child(resource.status, "resolved", "load") != "LiveTraffic"
    return Expectation(
        target=resource.target,
        sequence=shipyard.sequence,
        after_task=shipyard.after_task,
        test_task=shipyard.test_task if generates else None,
        version=resource.version,
        first_sync=first_sync(resource),
        result_timeout=result_timeout(resource),
        files_pushed=parse_time(as_text(child(resource.status, "sync", "lastPushTime"))),
        tasks=shipyard.tasks,
    )


def _outstanding_evidence(message: str) -> Condition:
    return Condition("Passed", "Unknown", "EvidenceOutstanding", message)


def _answers(before: Resource, resource: Resource) -> bool:
    """Whether what the status says is about the spec as it is."""
    return condition_generation(before.status, "Passed") == resource.generation


def _pending(resource: Resource) -> Pending | None:
    """What is awaited; a changed spec starts the clock anew."""
    return read_pending(resource.status) if _answers(resource, resource) else None


def _unread(resource: Resource, before: Resource) -> Judgement | None:
    """Until Keptn was asked: nothing new, unless the spec asks for something that the status does not answer."""
    if _answers(before, resource):
        return None
    known = remember(before.status, expectation(resource))
    if known is not None:
        return known.judgement
    passed = Condition("Passed", "Unknown", "Reconciling", "Keptn's events are not read yet")
    return Judgement("Pending", passed, pending=_pending(before))


def _is_a_guess(found: Judgement, before: Resource, events: ServiceEvents) -> bool:
    """Whether "there is none" would undo a verdict although events may be missing."""
    if before.status.get("verdict", "Pending") == "Pending" or found.passed.reason == "Invalidated":
        return False
    since = first_sync(before)
    return _answers(before, before) and since is not None and events.since > since
