"""What a status says: built from how the sync came out and what the judge says, on top of what was there."""

from collections.abc import Sequence
from dataclasses import dataclass

from prodeval.domain.conditions import (
    NOT_JUDGED,
    NOT_SYNCED,
    Condition,
    condition_generation,
    health,
    read_condition,
    write_conditions,
)
from prodeval.domain.events import format_time, parse_time
from prodeval.domain.files import ManagedFile, files_digest
from prodeval.domain.json_values import JSON, JSONObject, as_list, as_object, as_text, child
from prodeval.domain.resource import Resource
from prodeval.domain.status_bounds import echo
from prodeval.domain.verdict import Check, EvaluationRecord, Judgement, Objective, Pending


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One file that would be pushed if we were allowed to."""

    path: str
    action: str
    lines_added: int
    lines_removed: int


@dataclass(frozen=True, slots=True)
class SyncFacts:
    """What a sync found and left.

    Attributes:
        upstream: its URL without userinfo.
        stage_revision: `<branch>@sha1:<id>`; `shipyard_revision` likewise.
        pushed: whether this sync pushed something.
    """

    upstream: str
    branch: str
    layout: str
    load: str
    timeframe: str
    result_timeout: str
    stage_revision: str
    shipyard_revision: str
    files: tuple[ManagedFile, ...]
    pushed: bool
    planned: tuple[PlannedChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What is new about a resource; None: as before.

    Attributes:
        synced: the condition `Synced`.
        facts: what a successful sync found.
        judgement: what the judge says.
    """

    synced: Condition | None = None
    facts: SyncFacts | None = None
    judgement: Judgement | None = None


def build_status(resource: Resource, report: Report, now: str, bridge_url: str = "") -> JSONObject:
    """The whole status, before it is made to fit; `now` is RFC 3339 in UTC with seconds.

    `bridge_url` is for a link to the run; empty: none.
    """
    status = dict(resource.status)
    if report.facts is not None:
        status |= _sync_parts(status, report.facts, now)
    if report.judgement is not None:
        _write_judgement(status, resource, report.judgement, bridge_url)
    if resource.reconcile_requested and report.synced is not None:
        status["lastHandledReconcileAt"] = echo(resource.reconcile_requested)
    synced = report.synced or read_condition(status, "Synced") or NOT_SYNCED
    passed = report.judgement.passed if report.judgement else read_condition(status, "Passed") or NOT_JUDGED
    verdict = as_text(status.setdefault("verdict", "Pending"))
    own_health = _suspended(status, synced) if resource.suspend else health(resource, synced, passed, verdict)
    conditions = (*own_health, synced, passed)
    synced_about = _synced_generation(status, resource, report)
    status["conditions"] = write_conditions(status, conditions, synced_about, now, judged=resource.generation)
    is_reconciling = any(condition.type == "Reconciling" for condition in conditions)
    if synced_about == resource.generation and not is_reconciling:
        status["observedGeneration"] = resource.generation
    return status


def _synced_generation(status: JSONObject, resource: Resource, report: Report) -> int:
    """The generation that was synced last: a verdict that comes between a spec and its sync does not claim the sync."""
    if report.synced is not None or resource.suspend:
        return resource.generation
    return condition_generation(status, "Synced") or resource.generation


def _suspended(status: JSONObject, synced: Condition) -> tuple[Condition, ...]:
    """What was known stays; a resource that never got that far, or was being tried again, is at rest all the same."""
    kept = tuple(filter(None, (read_condition(status, name) for name in ("Ready", "Stalled"))))
    # kstatus waits for a Ready that is not True, unless Stalled says that it will not become so.
    is_settled = synced.status != "Unknown" and kept and (kept[0].status == "True" or kept[-1].type == "Stalled")
    return kept if is_settled else (Condition("Ready", "True", "Suspended", "spec.suspend is true; nothing is done"),)


def _sync_parts(status: JSONObject, facts: SyncFacts, now: str) -> dict[str, JSON]:
    before = as_object(status.get("sync"))
    last_push = now if facts.pushed else as_text(before.get("lastPushTime"))
    digest = files_digest(facts.files)
    is_same = not facts.pushed and digest == before.get("filesDigest")
    sync: dict[str, JSON] = {
        "firstSyncTime": as_text(before.get("firstSyncTime"), now),
        "lastPushTime": last_push,
        "stageRevision": _revision(before, "stageRevision", facts.stage_revision, is_same=is_same),
        "shipyardRevision": _revision(before, "shipyardRevision", facts.shipyard_revision, is_same=is_same),
        "filesDigest": digest,
        "files": _files(before, facts.files, now),
        "plan": [_planned(change) for change in facts.planned],
    }
    resolved: dict[str, JSON] = {
        "upstream": facts.upstream,
        "branch": facts.branch,
        "layout": facts.layout,
        "load": facts.load,
        "timeframe": facts.timeframe,
        "resultTimeout": facts.result_timeout,
    }
    return {"resolved": _given(resolved), "sync": _given(sync)}


def _files(before: JSONObject, files: Sequence[ManagedFile], now: str) -> list[JSON]:
    """The files, each with when it became what it is: a verdict measured meanwhile was made with two contents."""
    entries = map(as_object, as_list(before.get("files")))
    known = {_place(as_text(entry.get("path")), as_text(entry.get("from"))): entry for entry in entries}
    return [_file(file, known.get(_place(file.path, file.origin)), now) for file in files]


def _place(path: str, origin: str) -> tuple[str, str]:
    """Where a file stands: beside the service whoever wrote it, or at a level that is shared."""
    return path, origin if origin.startswith("own/") else ""


def _file(file: ManagedFile, known: JSONObject | None, now: str) -> JSONObject:
    entry: dict[str, JSON] = {"path": file.path, "sha256": file.sha256, "from": file.origin}
    if known is None:
        return entry
    kept = {name: as_text(known.get(name)) for name in ("previousSHA256", "changedAt")}
    changed = {"previousSHA256": as_text(known.get("sha256")), "changedAt": now}
    return _given(entry | (kept if known.get("sha256") == file.sha256 else changed))


def _revision(before: JSONObject, name: str, tip: str, *, is_same: bool) -> str:
    """Where our files last changed, and not the tip: else each commit of anybody would be a write for each resource."""
    known = as_text(before.get(name))
    branch = tip.partition("@")[0]
    return known if is_same and known.partition("@")[0] == branch else tip


def _given(values: dict[str, JSON]) -> JSONObject:
    """The values that say something."""
    return {name: value for name, value in values.items() if value not in ("", [], None)}


def _planned(change: PlannedChange) -> JSONObject:
    return {
        "path": change.path,
        "action": change.action,
        "linesAdded": change.lines_added,
        "linesRemoved": change.lines_removed,
    }


def _write_judgement(status: dict[str, JSON], resource: Resource, judgement: Judgement, bridge_url: str) -> None:
    status["verdict"] = judgement.verdict
    status.pop("pending", None)
    if judgement.pending is not None:
        status["pending"] = _pending(judgement.pending)
    if judgement.passed.reason == "Invalidated":
        status.pop("lastEvaluation", None)
    if judgement.event_id and not judgement.recalled:
        status["lastEvaluation"] = _evaluation(judgement, resource, bridge_url)
        status["history"] = _history(as_list(status.get("history")), judgement)[: resource.history_limit]


def _pending(pending: Pending) -> JSONObject:
    paused = format_time(pending.paused_since) if pending.paused_since else ""
    return _given(
        {
            "version": pending.version,
            "context": pending.context,
            "deadline": format_time(pending.deadline),
            "pausedSince": paused,
        }
    )


def read_pending(status: JSONObject) -> Pending | None:
    """The awaited verdict, as a status holds it."""
    body = as_object(status.get("pending"))
    deadline = parse_time(as_text(body.get("deadline")))
    if deadline is None:
        return None
    paused = parse_time(as_text(body.get("pausedSince")))
    return Pending(as_text(body.get("version")), as_text(body.get("context")), deadline, paused)


def _evaluation(judgement: Judgement, resource: Resource, bridge_url: str) -> JSONObject:
    record = judgement.evaluation
    link = f"{bridge_url}/evaluation/{judgement.context}/{resource.target.stage}" if bridge_url else ""
    common: dict[str, JSON] = {
        "context": judgement.context,
        "eventID": judgement.event_id,
        "version": judgement.version,
        "triggeredAt": format_time(judgement.triggered) if judgement.triggered else "",
        "tasks": dict(zip(("sequence", "afterTask", "testTask"), resource.shipyard.tasks, strict=True)),
        "url": link,
        "evidence": [_check(check) for check in judgement.evidence],
    }
    if record is None:
        return _given(common | {"message": judgement.passed.message})
    return _given(common | _record(record))


def _record(record: EvaluationRecord) -> dict[str, JSON]:
    return {
        "image": record.image,
        "windowStart": record.window_start,
        "windowEnd": record.window_end,
        "result": record.result,
        "score": record.score,
        "message": record.message,
        "objectives": [_objective(one) for one in record.objectives],
    }


def _check(check: Check) -> JSONObject:
    return {"check": check.check, "status": check.status, "message": check.message}


def _objective(one: Objective) -> JSONObject:
    values: dict[str, JSON] = {
        "sli": one.sli,
        "displayName": one.display_name,
        "status": one.status,
        "value": one.value,
        "compared": one.compared,
        "keySLI": one.key_sli,
        "weight": one.weight,
        "pass": list(one.pass_criteria),
        "violated": list(one.violated),
        "message": one.message,
    }
    return _given(values)


def _history(before: Sequence[JSON], judgement: Judgement) -> list[JSON]:
    """The verdict in front; what stood before the same one was invalidated since."""
    ended = format_time(judgement.ended) if judgement.ended else ""
    entry = _given(
        {
            "context": judgement.context,
            "version": judgement.version,
            "verdict": judgement.verdict,
            "score": judgement.evaluation.score if judgement.evaluation else "",
            "endTime": ended,
        }
    )
    same = (judgement.context, ended)
    places = [(as_text(child(old, "context")), as_text(child(old, "endTime"))) for old in before]
    older = before[places.index(same) + 1 :] if same in places else before
    return [entry, *older]
