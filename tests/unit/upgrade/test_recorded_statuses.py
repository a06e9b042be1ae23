"""The resources that release 0.1.0 left are whole: what they say follows from what is recorded beside them."""

import hashlib
import json
import re
from pathlib import Path

import pytest
import yaml

from prodeval.domain.durations import parse_duration
from prodeval.domain.events import merge_events, parse_events, parse_executions, parse_time
from prodeval.domain.preflight.schema import check_schema
from prodeval.domain.report import read_pending
from prodeval.domain.resource import Target
from prodeval.domain.verdict import Expectation, Found, select
from prodeval.domain.yaml_nodes import compose
from tests.support.upgrade import names, row, rows

CRD = yaml.safe_load(Path("crds/productionevaluations.yaml").read_text(encoding="utf-8"))
SCHEMA = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]

SYNCED = {
    "",  # just applied: there is no condition yet
    *("Reconciling", "Synced", "DependencyNotReady", "GitOperationFailed", "InvalidSpec", "InvalidFile"),
    *("ShipyardRefused", "ShipyardIncomplete", "ShipyardConflict", "WouldBreakServices", "AccessDenied"),
    *("PushRejected", "DuplicateTarget"),
}
PASSED = {
    "",
    *("Reconciling", "AwaitingDelivery", "AwaitingVersion", "AwaitingApproval", "Paused", "Queued", "Invalidated"),
    *("KeptnUnavailable", "Pass", "Warning", "Fail", "TaskFailed", "SequenceAborted", "ResultTimedOut"),
    *("NoObjectives", "NoSLIProvider", "ResultConsistent", "SLOMatches", "WindowAfterDeployment"),
    *("FilesUnchanged", "GateRan", "Recomputed"),
}
READY = {
    *("Suspended", "Warning", "EvaluationPassed", "EvaluationWarned", "EvaluationFailed", "EvaluationInconclusive"),
    *("Inconclusive", "TaskFailed", "SequenceAborted", "ResultTimedOut"),
}
"""Those that no other condition has, or that depend on `degradeOn`."""
TOLD = [name for name in names() if row(name).events]
SYNCED_ONCE = [name for name in names() if "sync" in row(name).status]


def problems(value, schema):
    return [str(finding) for finding in check_schema(compose(json.dumps(value), path="stored"), schema, "stored")]


@pytest.mark.parametrize("name", names())
def test_spec_and_status_fit_the_schema_of_today(name):
    stored = row(name)
    assert problems(stored.resource["spec"], SCHEMA["spec"]) == []
    kept = {
        name: value for name, value in stored.status.items() if name != "kopf"
    }  # which the CRD does not know any more
    assert problems(kept, SCHEMA["status"]) == []


@pytest.mark.parametrize("name", names())
def test_a_body_is_as_the_api_server_stored_it(name):
    stored = row(name)
    metadata = stored.resource["metadata"]
    assert stored.row == metadata["name"] == name
    assert {"uid", "generation", "resourceVersion", "creationTimestamp"} <= set(metadata)
    assert stored.now > parse_time(metadata["creationTimestamp"])
    assert ("kopf" in stored.status) == (name != "just-applied")


def test_every_reason_is_there():
    assert {stored.reason("Synced") for stored in rows()} == SYNCED
    assert {stored.reason("Passed") for stored in rows()} == PASSED
    assert {stored.reason("Ready") for stored in rows()} >= READY


def test_each_verdict_that_can_degrade_is_there_degraded_and_not():
    found = {(stored.status.get("verdict"), bool(stored.reason("Stalled"))) for stored in rows()}
    assert found >= {(verdict, stalled) for verdict in ("Warning", "Fail", "Inconclusive") for stalled in (True, False)}


@pytest.mark.parametrize("name", TOLD)
def test_the_events_lead_to_the_verdict(name):
    stored = row(name)
    outcome = select(
        expectation(stored),
        merge_events(parse_events(list(stored.events))),
        parse_executions(list(stored.sequence_executions)),
        read_pending(stored.status),
        stored.now,
    )
    assert outcome.event_id == stored.status.get("lastEvaluation", {}).get("eventID", "")
    if not isinstance(outcome, Found):
        assert (outcome.verdict, outcome.passed.reason) == (stored.status["verdict"], stored.reason("Passed"))


def expectation(stored):
    spec, sync = stored.resource["spec"], stored.status["sync"]
    generates = stored.status["resolved"]["load"] != "LiveTraffic"
    return Expectation(
        target=Target(spec["project"], spec["stage"], spec["service"]),
        sequence=spec["shipyard"]["sequence"],
        after_task="je-deployment",  # also where the newest spec names a task that is not there
        test_task=spec["shipyard"]["testTask"] if generates else None,
        version=spec.get("version"),
        first_sync=parse_time(sync["firstSyncTime"]),
        result_timeout=parse_duration(spec["resultTimeout"]),
        files_pushed=parse_time(sync["lastPushTime"]),
    )


@pytest.mark.parametrize("name", SYNCED_ONCE)
def test_the_files_of_the_last_sync_are_in_git(name):
    stored = row(name)
    sync = stored.status["sync"]
    held = stored.git.commits[sync["stageRevision"].rpartition(":")[2]]
    found = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in held.items()}
    service = stored.resource["spec"]["service"]
    assert {file["path"]: file["sha256"] for file in sync["files"]}.items() <= {
        path.removeprefix(f"{service}/"): digest for path, digest in found.items()
    }.items()


@pytest.mark.parametrize("name", TOLD)
def test_the_commits_that_events_name_are_in_git(name):
    stored = row(name)
    named = set(re.findall(r'"gitcommitid": "([0-9a-f]{40})"', json.dumps(stored.events)))
    assert named
    assert named <= set(stored.git.commits)
