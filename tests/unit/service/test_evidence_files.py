"""What changed between the last sync and the verdict, told from the digests in the status."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from prodeval.domain.errors import GitOperationFailedError, InvalidFileError
from prodeval.domain.events import Event
from prodeval.domain.files import sha256
from prodeval.domain.report import Report, SyncFacts, build_status
from prodeval.domain.verdict import Artifact, Candidate, Found
from prodeval.service.evidence_files import FileReader
from tests.unit.service.snapshots import SLI, SLO, MemorySnapshot, tutorial
from tests.unit.service.test_planning import RESOURCE, plan

REVISION = "1" * 40
MEANWHILE = {
    "nothing": ({}, ()),
    "a file that we pushed": ({"production": {"hello/slo.yaml": SLO + "# weaker\n"}}, ("slo.yaml",)),
    "a file that we pushed is gone": ({"production": {"hello/locust/basic.py": None}}, ("locust/basic.py",)),
    "another service": ({"production": {"other/slo.yaml": "x"}}, ()),
    "the indicators of the stage": (
        {"production": {"prometheus/sli.yaml": SLI}},
        ("prometheus/sli.yaml (stage level)",),
    ),
    "the indicators of the project": (
        {"main": {"prometheus/sli.yaml": SLI + "# easier\n"}},
        ("prometheus/sli.yaml (project level)",),
    ),
}


def commit(snapshot, branches):
    merged = {name: dict(files) for name, files in snapshot.branches.items()}
    for branch, files in branches.items():
        for path, text in files.items():
            merged[branch].pop(path, None)
            if text is not None:
                merged[branch][path] = text.encode()
    return MemorySnapshot(merged)


def synced():
    before = tutorial(main={"prometheus/sli.yaml": SLI})
    made = plan(before)
    facts = SyncFacts(
        "u", "main", "Branch", "Generate", "2m", "35m", f"production@sha1:{REVISION}", "", made.files, pushed=True
    )
    status = build_status(RESOURCE, Report(facts=facts), "2026-01-01T00:00:00Z")
    return before.after(made.write.changes), replace(RESOURCE, status=status)


def found(commit_id):
    event = Event("e", "t", datetime(2026, 1, 1, tzinfo=UTC), "c", "s", "", commit_id, {})
    return Found(Candidate(event, event, None, None, Artifact(), None), None, ())


class Looking:
    """An upstream that shows one snapshot, or does not answer."""

    def __init__(self, snapshot):
        self._snapshot = snapshot

    def open(self, project):
        assert project == "fulltour"
        return self, "https://git.test/fulltour.git"

    def look(self, _, at):
        if self._snapshot is None:
            raise GitOperationFailedError("no answer")
        return at(self._snapshot)


def look(snapshot, resource, commit_id=REVISION):
    return FileReader(Looking(snapshot)).look(resource, found(commit_id))


@pytest.mark.parametrize(("meanwhile", "changed"), MEANWHILE.values(), ids=MEANWHILE)
def test_what_somebody_changed_meanwhile_is_named(meanwhile, changed):
    snapshot, resource = synced()
    assert look(commit(snapshot, meanwhile), resource).changed == changed


@pytest.mark.parametrize("commit_id", [REVISION, "", "2" * 40])
def test_the_slo_is_known_at_any_commit_while_it_is_the_same(commit_id):
    snapshot, resource = synced()
    assert look(snapshot, resource, commit_id).slo_sha256 == sha256(SLO.encode())


def test_a_changed_slo_is_known_at_the_tip_and_nowhere_else():
    snapshot, resource = synced()
    changed = commit(snapshot, MEANWHILE["a file that we pushed"][0])
    assert look(changed, resource, REVISION).slo_sha256 is None
    assert look(changed, resource, changed.tips["production"]).slo_sha256 == sha256((SLO + "# weaker\n").encode())
    assert look(changed, resource, "f" * 40).slo_sha256 is None


def test_a_git_that_does_not_answer_says_why():
    with pytest.raises(GitOperationFailedError, match="no answer"):
        look(None, synced()[1])


def test_something_else_in_the_place_of_a_file_is_a_change_and_no_slo():
    """Keptn follows no link and reads no directory."""
    snapshot, resource = synced()

    class Linked(MemorySnapshot):
        def read(self, branch, path):
            if path == "hello/slo.yaml" and branch == "production":
                raise InvalidFileError("is a symlink", path=path)
            return super().read(branch, path)

    facts = look(Linked(snapshot.branches), resource)
    assert (facts.slo_sha256, facts.changed) == (None, ("slo.yaml",))


def test_a_slo_that_is_gone_is_known_to_be_gone_at_the_tip():
    snapshot, resource = synced()
    gone = commit(snapshot, {"production": {"hello/slo.yaml": None}})
    assert look(gone, resource, gone.tips["production"]).slo_sha256 == ""


@pytest.mark.parametrize(
    ("changed_at", "changed"), [("2025-12-31T23:59:59Z", ()), ("2026-01-01T00:00:01Z", ("slo.yaml",))]
)
def test_what_a_sync_changed_after_the_trigger_is_a_change(changed_at, changed):
    snapshot, resource = synced()
    files = [
        one | {"changedAt": changed_at} if one["path"] == "slo.yaml" else one
        for one in resource.status["sync"]["files"]
    ]
    status = resource.status | {"sync": resource.status["sync"] | {"files": files}}
    assert look(snapshot, replace(resource, status=status)).changed == changed
