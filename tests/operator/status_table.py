"""The rows of the table in docs/status.md: resources in each situation, and what GitOps tools make of them."""

import re
from dataclasses import dataclass, replace

from prodeval.domain.conditions import Condition
from prodeval.domain.report import Report, build_status
from prodeval.domain.resource import Resource, ResourceKey, Target
from prodeval.domain.verdict import Judgement
from tests.operator.harness import resource

PLAIN = Resource(ResourceKey("team-a", "helloservice"), Target("fulltour", "production", "helloservice"), generation=1)
PINNED = replace(PLAIN, version="v0.1.2")
LENIENT = replace(PLAIN, degrade_on=frozenset())
STRICT = replace(PLAIN, degrade_on=frozenset({"Warning", "Fail", "Inconclusive"}))
UNSEEN = {"observedGeneration": -1}  # the default that the CRD gives a new resource

SYNCED = Report(synced=Condition("Synced", "True", "Synced", "production@sha1:1"))


def not_synced(reason):
    return Report(synced=Condition("Synced", "False", reason, "what is to be done"))


def judged(verdict, passed, reason):
    return Report(judgement=Judgement(verdict, Condition("Passed", passed, reason, f"{verdict}: {reason}")))


UNSYNCED = Judgement("Pending", Condition("Passed", "Unknown", "NotSynced", "Pending: NotSynced"))
AWAITED = judged("Pending", "Unknown", "AwaitingDelivery")
PASS = judged("Pass", "True", "Pass")
WARNING = judged("Warning", "True", "Warning")
FAIL = judged("Fail", "False", "Fail")
UNPROVEN = judged("Inconclusive", "Unknown", "NoObjectives")
TASK_FAILED = judged("Fail", "False", "TaskFailed")
ABORTED = judged("Fail", "False", "SequenceAborted")
TIMED_OUT = judged("Inconclusive", "Unknown", "ResultTimedOut")
UNANSWERED = judged("Pending", "Unknown", "KeptnUnavailable")

APPLIED = "just applied"
NEVER_SYNCED = "not synced, for whatever reason, and never judged"
NOT_THERE = "a Secret, ConfigMap, stage branch, service directory or file is not there yet"
PUSH_FAILS = "a push fails and will be tried again"
MUST_CHANGE = (
    "something must be changed first: `InvalidSpec`, `InvalidFile`, `ShipyardRefused`, `ShipyardIncomplete`, "
    "`ShipyardConflict`, `WouldBreakServices`, `AccessDenied`, `PushRejected`, `DuplicateTarget`"
)
DELIVER = "synced, nothing delivered yet, `version` unset"
AWAITING = "synced, `version` set, not judged yet"
STANDING = "the same, and the run waits"
UNPROVABLE = "Keptn says pass, and Git does not answer which files that was about"
FAULTY = "an error of prodeval itself keeps a resource without a verdict from being judged"
PROVEN = "pass, proven"
WARNED = "warning, proven"
FAILED = "fail"
DOUBTED = "pass or warning, but unproven"
BROKEN = "the deployment or the load test failed"
STOPPED = "the run was aborted after the deployment began"
LATE = "no verdict within `resultTimeout`"
SILENT = "Keptn does not answer"
ASLEEP = "suspended"


@dataclass(frozen=True)
class Row:
    """A resource, what was reported about it one after the other, and what GitOps tools make of it."""

    situation: str
    variant: str
    resource: Resource
    reports: tuple[Report, ...]
    kstatus: str
    argo: str
    suspended: bool = False

    def body(self):
        """The resource as the API server has it."""
        written, last = replace(self.resource, status=dict(UNSEEN)), 1
        for report in self.reports:
            written = replace(written, status=build_status(written, report, "2026-01-01T00:00:00Z"))
        if self.suspended:
            last, written = 2, replace(written, generation=2, suspend=True)
            written = replace(written, status=build_status(written, Report(), "2026-01-01T00:01:00Z"))
        return made(last, written.status, suspend=self.suspended)


def made(generation, status, **spec):
    body = resource("helloservice", spec={"project": "fulltour", "service": "helloservice", **spec}, status=status)
    return body | {"metadata": body["metadata"] | {"generation": generation}}


WAITING = ("InProgress", "Progressing")
UNPROVED = judged("Inconclusive", "Unknown", "EvidenceOutstanding")
REASONS = re.findall(r"`(\w+)`", MUST_CHANGE)
ROWS = [
    Row(APPLIED, "nothing is read yet", PLAIN, (), "InProgress", "Progressing"),
    Row(APPLIED, "the first sync is under way", PLAIN, (Report(),), "InProgress", "Progressing"),
    *(
        Row(NEVER_SYNCED, reason, PLAIN, (replace(not_synced(reason), judgement=UNSYNCED),), kstatus, argo)
        for reason, kstatus, argo in (
            ("DependencyNotReady", "InProgress", "Progressing"),
            ("InvalidSpec", "Failed", "Degraded"),
        )
    ),
    Row(NOT_THERE, "at first", PLAIN, (not_synced("DependencyNotReady"),), "InProgress", "Progressing"),
    Row(
        NOT_THERE, "after a pass", PLAIN, (SYNCED, PASS, not_synced("DependencyNotReady")), "InProgress", "Progressing"
    ),
    Row(PUSH_FAILS, "at first", PLAIN, (not_synced("GitOperationFailed"),), "InProgress", "Progressing"),
    Row(
        PUSH_FAILS, "after a pass", PLAIN, (SYNCED, PASS, not_synced("GitOperationFailed")), "InProgress", "Progressing"
    ),
    *(Row(MUST_CHANGE, reason, PLAIN, (not_synced(reason),), "Failed", "Degraded") for reason in REASONS),
    Row(MUST_CHANGE, "after a pass", PLAIN, (SYNCED, PASS, not_synced("InvalidFile")), "Failed", "Degraded"),
    Row(DELIVER, "", PLAIN, (SYNCED, AWAITED), "Current", "Healthy"),
    Row(AWAITING, "", PINNED, (SYNCED, judged("Pending", "Unknown", "AwaitingVersion")), "InProgress", "Progressing"),
    *(
        Row(STANDING, reason, PINNED, (SYNCED, judged("Pending", "Unknown", reason)), "InProgress", "Progressing")
        for reason in ("AwaitingApproval", "Paused", "Queued")
    ),
    *(
        Row(UNPROVABLE, name, one, (SYNCED, judged("Pending", "Unknown", "EvidenceOutstanding")), *WAITING)
        for name, one in (("of any version", PLAIN), ("of the pinned version", PINNED))
    ),
    Row(UNPROVABLE, "past resultTimeout", PLAIN, (SYNCED, UNPROVED), "Failed", "Degraded"),
    Row(FAULTY, "before any verdict", PLAIN, (SYNCED, judged("Pending", "Unknown", "InternalError")), *WAITING),
    Row(PROVEN, "", PLAIN, (SYNCED, PASS), "Current", "Healthy"),
    Row(PROVEN, "of the pinned version", PINNED, (SYNCED, PASS), "Current", "Healthy"),
    Row(WARNED, "", PLAIN, (SYNCED, WARNING), "Current", "Healthy"),
    Row(WARNED, "degraded", STRICT, (SYNCED, WARNING), "Failed", "Degraded"),
    Row(FAILED, "degraded", PLAIN, (SYNCED, FAIL), "Failed", "Degraded"),
    Row(FAILED, "shown only", LENIENT, (SYNCED, FAIL), "Current", "Healthy"),
    Row(DOUBTED, "degraded", PLAIN, (SYNCED, UNPROVEN), "Failed", "Degraded"),
    Row(DOUBTED, "shown only", LENIENT, (SYNCED, UNPROVEN), "Current", "Healthy"),
    Row(BROKEN, "degraded", PLAIN, (SYNCED, TASK_FAILED), "Failed", "Degraded"),
    Row(BROKEN, "shown only", LENIENT, (SYNCED, TASK_FAILED), "Current", "Healthy"),
    Row(STOPPED, "degraded", PLAIN, (SYNCED, ABORTED), "Failed", "Degraded"),
    Row(STOPPED, "shown only", LENIENT, (SYNCED, ABORTED), "Current", "Healthy"),
    Row(LATE, "degraded", PINNED, (SYNCED, TIMED_OUT), "Failed", "Degraded"),
    Row(LATE, "shown only", replace(LENIENT, version="v0.1.2"), (SYNCED, TIMED_OUT), "Current", "Healthy"),
    Row(SILENT, "before any verdict", PLAIN, (SYNCED, UNANSWERED), "Current", "Healthy"),
    Row(SILENT, "a version is outstanding", PINNED, (SYNCED, UNANSWERED), "InProgress", "Progressing"),
    Row(ASLEEP, "from the start", PLAIN, (), "Current", "Suspended", suspended=True),
    Row(ASLEEP, "before any delivery", PLAIN, (SYNCED, AWAITED), "Current", "Suspended", suspended=True),
    Row(ASLEEP, "a version is outstanding", PINNED, (SYNCED, UNANSWERED), "Current", "Suspended", suspended=True),
    Row(ASLEEP, "a push failed", PLAIN, (not_synced("GitOperationFailed"),), "Current", "Suspended", suspended=True),
    Row(ASLEEP, "after a pass", PLAIN, (SYNCED, PASS), "Current", "Suspended", suspended=True),
    Row(ASLEEP, "after a fail", PLAIN, (SYNCED, FAIL), "Failed", "Degraded", suspended=True),
]
