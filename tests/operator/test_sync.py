"""Six lines of YAML, applied to a real API server: what is pushed, what the status says, and that it ends there."""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.gitserver import git
from demo.upstream import FILES, GATE
from tests.operator.harness import ACCOUNT, KEPTN_TOKEN, conditions, message, show, subjects, until
from tests.operator.scripted_keptn import scripted_keptn

SIX_LINES = Path("examples/helloservice.yaml")
SERVICE = "helloservice"
PROJECT = "fulltour"
MARKER = "marker"
ADDED = ['            - name: "je-test"', '            - name: "evaluation"']


@dataclass(frozen=True)
class Synced:
    """What stood there right after the apply, before the operator ran, and after the first sync."""

    upstream: Path
    applied: dict
    synced: dict


@pytest.fixture(scope="module")
def keptn():
    with scripted_keptn(KEPTN_TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def team(new_team, keptn):
    return new_team({PROJECT: {}}, keptn_url=keptn.url)


@pytest.fixture(scope="module")
def story(team):
    upstream = team.project(PROJECT)
    team.kubectl("apply", "--filename", str(SIX_LINES))
    applied = team.get(SERVICE)
    team.start()
    return Synced(upstream, applied, team.wait_reason(SERVICE, "Passed", "AwaitingDelivery"))


def cells(table):
    """The first row of a table of kubectl, by column; a cell may be empty."""
    header, row = table.splitlines()[:2]
    starts = [at for at in range(len(header)) if header[at] != " " and (at == 0 or header[at - 1] == " ")]
    ends = [*starts[1:], None]
    return {header[a:b].strip(): row[a:b].strip() for a, b in zip(starts, ends, strict=True)}


def test_right_after_the_apply_gitops_tools_wait(team, story):
    assert story.applied["status"] == {"observedGeneration": -1}
    assert team.kstatus(story.applied) == ["InProgress"]


def test_the_files_of_qa_stand_in_production(story):
    for path in GATE:
        assert show(story.upstream, "production", f"{SERVICE}/{path}") == show(
            story.upstream, "qa", f"{SERVICE}/{path}"
        )


def test_the_shipyard_has_the_tasks_and_lost_no_line(story):
    before, after = (FILES / "shipyard.yaml").read_text().splitlines(), show(story.upstream, "main", "shipyard.yaml")
    added = [line for line in after.splitlines() if line not in before or after.count(line) > before.count(line)]
    assert git("-C", str(story.upstream), "diff", "--numstat", "main~1", "main").split() == ["4", "0", "shipyard.yaml"]
    assert set(ADDED) <= set(added)


def test_one_push_carries_one_commit_for_each_branch(team, story):
    assert team.pushes(PROJECT) == 1
    line = "gate(helloservice): sync production evaluation"
    assert subjects(story.upstream, "main").count(line) == subjects(story.upstream, "production").count(line) == 1
    assert line not in subjects(story.upstream, "qa")


def test_the_status_says_what_was_done(team, story):
    status, tips = story.synced["status"], {}
    for branch in ("main", "production"):
        tips[branch] = f"{branch}@sha1:{git('-C', str(story.upstream), 'rev-parse', branch).strip()}"
    sync = status["sync"]
    assert (sync["shipyardRevision"], sync["stageRevision"]) == (tips["main"], tips["production"])
    assert [(file["path"], file["from"]) for file in sync["files"]] == [(path, "stage/qa") for path in sorted(GATE)]
    assert sync["firstSyncTime"] == sync["lastPushTime"]
    assert status["resolved"] == {
        "upstream": team.git.url_of(PROJECT),
        "branch": "main",
        "layout": "Branch",
        "load": "Generate",
        "timeframe": "1m",
        "resultTimeout": "35m",
    }


def test_synced_without_a_delivery_is_current_and_tells_the_command(team, story):
    assert team.row(story.synced) == [
        "Pending",
        {"Ready": "True Synced", "Synced": "True Synced", "Passed": "Unknown AwaitingDelivery"},
        "Current",
    ]
    assert story.synced["status"]["observedGeneration"] == story.synced["metadata"]["generation"] == 1
    assert "keptn trigger delivery --project=fulltour --service=helloservice" in message(story.synced, "Passed")


def test_people_see_it_in_columns(team, story):
    row = cells(team.kubectl("get", "prodevals"))
    assert list(row) == ["NAME", "PROJECT", "SERVICE", "VERDICT", "SCORE", "VERSION", "READY", "REASON", "AGE"]
    assert list(row.values())[:-1] == [SERVICE, PROJECT, SERVICE, "Pending", "", "", "True", "Synced"]
    wide = cells(team.kubectl("get", "prodevals", "--output=wide"))
    assert (wide["STAGE"], wide["REVISION"]) == ("production", story.synced["status"]["sync"]["stageRevision"])
    assert wide["MESSAGE"] == message(story.synced, "Ready")


def test_people_hear_of_the_push(team, story):
    said = until(lambda: team.events(SERVICE))
    assert list(said) == [("Normal", "Pushed")]
    assert story.synced["status"]["sync"]["stageRevision"] in said["Normal", "Pushed"]


@dataclass(frozen=True)
class Afterwards:
    """What became of a restart, of changes that are none of the operator's business, and of a request to sync now.

    Attributes:
        reads: how often the upstream had been read before the restart, before the request, and at the end.
        idle_writes: what the operator wrote before the request to sync now; `writes`: and after it.
    """

    before: dict
    resumed: dict
    annotated: dict
    after: dict
    reads: list
    idle_writes: list
    writes: list


@pytest.fixture(scope="module")
def afterwards(team, story):
    team.stop()
    before, audited, reads = team.get(SERVICE), len(team.audit()), [team.reads(PROJECT)]
    done = marker(team)
    team.start()
    done()
    resumed = team.get(SERVICE)
    team.kubectl("label", "prodeval", SERVICE, "team=one")
    foreign = "argocd.argoproj.io/tracking-id=one"
    annotated = json.loads(team.kubectl("annotate", "prodeval", SERVICE, foreign, "--output=json"))
    done()
    reads.append(team.reads(PROJECT))
    team.request_sync(SERVICE, "now-1")
    after = team.wait(SERVICE, "{.status.lastHandledReconcileAt}", "now-1")
    reads.append(team.reads(PROJECT))
    team.stop()
    idle, writes = writes_of_operator(team.audit()[audited:])
    return Afterwards(before, resumed, annotated, after, reads, idle, writes)


def marker(team):
    """Something to call that returns when the operator is done with all that it was told before.

    A suspended resource of the same project: a project has one turn at a time, so once the operator wrote that it saw
    the newest spec of this one, whatever an earlier change made due is over. Nothing else is done for it.
    """
    specs = ({"interval": f"{number}m"} for number in itertools.count(11))

    def done():
        team.apply(MARKER, PROJECT, service="marker", suspend=True, **next(specs))
        generation = team.get(MARKER)["metadata"]["generation"]
        team.wait(MARKER, "{.status.observedGeneration}", generation)

    team.apply(MARKER, PROJECT, service="marker", suspend=True)
    return done


def writes_of_operator(audit):
    """What the operator wrote before and after the newest change by a person, but for the marker."""
    changed = max(one["requestReceivedTimestamp"] for one in by(audit, "admin"))
    writes = [one for one in by(audit, ACCOUNT) if one["objectRef"].get("name") != MARKER]
    return (
        [one["requestURI"] for one in writes if one["requestReceivedTimestamp"] < changed],
        [one["requestURI"] for one in writes if one["requestReceivedTimestamp"] >= changed],
    )


def by(audit, user):
    """What a user wrote."""
    return [one for one in audit if one["user"]["username"] == user and one["verb"] not in {"get", "list", "watch"}]


def test_a_restart_a_label_and_foreign_annotations_write_nothing(team, afterwards):
    assert afterwards.resumed == afterwards.before
    assert afterwards.annotated["status"] == afterwards.before["status"]
    assert afterwards.idle_writes == []
    assert team.pushes(PROJECT) == 1


def test_a_request_to_sync_now_reads_the_upstream_once_and_is_echoed(afterwards):
    _, idle, asked = afterwards.reads
    assert asked == idle + 1
    assert conditions(afterwards.after) == conditions(afterwards.before)
    assert {path.partition("?")[0].rpartition("/")[2] for path in afterwards.writes} == {"status"}


def test_nothing_was_denied_and_no_secret_was_told(team, afterwards):
    denied = [one["requestURI"] for one in team.audit() if one["responseStatus"]["code"] in {401, 403}]
    told = [team.log, json.dumps(afterwards.after), str(team.events(SERVICE))]
    assert denied == []
    assert [text for text in told if KEPTN_TOKEN in text or team.git.password in text] == []
