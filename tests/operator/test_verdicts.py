"""From Keptn's events to what users see: rows of the table in docs/status.md, from recorded runs of a real Keptn."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

import pytest

from tests.operator.harness import KEPTN_TOKEN, message, resource, until
from tests.operator.recorded_runs import SERVICE, Part, scored_upstream, set_back, tell
from tests.operator.scripted_keptn import scripted_keptn

pytestmark = pytest.mark.timeout(300)  # the fixtures wait for eighteen resources and several turns

BEGUN = datetime.now(UTC)


@dataclass(frozen=True)
class Case:
    """A recorded run up to a moment, and the row that a resource then is."""

    recording: str
    t: float
    row: list
    spec: dict = field(default_factory=dict)


def at_rest(verdict, passed, ready):
    return [verdict, {"Ready": ready, "Synced": "True Synced", "Passed": passed}, "Current"]


def degraded(verdict, passed, reason):
    return [
        verdict,
        {"Ready": f"False {reason}", "Stalled": f"True {reason}", "Synced": "True Synced", "Passed": passed},
        "Failed",
    ]


def in_progress(reason):
    return [
        "Pending",
        {
            "Ready": f"Unknown {reason}",
            "Reconciling": f"True {reason}",
            "Synced": "True Synced",
            "Passed": f"Unknown {reason}",
        },
        "InProgress",
    ]


PASS = at_rest("Pass", "True Pass", "True EvaluationPassed")
FAIL = degraded("Fail", "False Fail", "EvaluationFailed")
THIS = {"version": "v0.1.1"}

CASES = {
    "pass": Case("02-pass", 74, PASS),
    "pass-by-tag": Case("30-image-tag-only", 74, PASS, THIS),
    "pass-live": Case("25-live-traffic", 77, PASS, {"shipyard": {"load": "LiveTraffic"}}),
    "warn": Case("03-warning", 74, at_rest("Warning", "True Warning", "True EvaluationWarned")),
    "warn-degraded": Case("03-warning", 74, degraded("Warning", "True Warning", "Warning"), {"degradeOn": ["Warning"]}),
    "fail": Case("04-fail", 73, FAIL),
    "fail-tolerated": Case("04-fail", 73, at_rest("Fail", "False Fail", "True EvaluationFailed"), {"degradeOn": []}),
    "rollback": Case("05-fail-rollback", 74, FAIL),
    "no-slo": Case("15-no-slo", 14, degraded("Inconclusive", "Unknown NoObjectives", "Inconclusive")),
    "no-slo-tolerated": Case(
        "15-no-slo",
        14,
        at_rest("Inconclusive", "Unknown NoObjectives", "True EvaluationInconclusive"),
        {"degradeOn": ["Fail"]},
    ),
    "test-failed": Case("08-je-test-fails", 15, degraded("Fail", "False TaskFailed", "TaskFailed")),
    "qa-failed": Case(
        "10-qa-evaluation-fails", 29, degraded("Fail", "False TaskFailed", "TaskFailed"), {"version": "v0.1.2"}
    ),
    "aborted": Case("12-aborted", 35, degraded("Fail", "False SequenceAborted", "SequenceAborted")),
    "approval": Case("07-approved-pass", 12.1, in_progress("AwaitingApproval"), THIS),
    "other-version": Case("02-pass", 74, in_progress("AwaitingVersion"), {"version": "v9"}),
    "late": Case(
        "02-pass", 74, degraded("Inconclusive", "Unknown ResultTimedOut", "ResultTimedOut"), {"version": "v9"}
    ),
    "under-way": Case("14-two-deliveries-queued", 80, PASS),
    "invalidated": Case("23-invalidated", 80, PASS),
}
NO_DELIVERY = at_rest("Pending", "Unknown AwaitingDelivery", "True Synced")
LATER = {
    "under-way": [Case("14-two-deliveries-queued", 143, FAIL)],
    "invalidated": [Case("23-invalidated", 117, FAIL), Case("23-invalidated", 124, PASS)],
    "approval": [Case("07-approved-pass", 84, PASS)],
}


@pytest.fixture(scope="module")
def keptn():
    with scripted_keptn(KEPTN_TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def team(new_team, keptn):
    made = new_team({f"{name}-project": {} for name in CASES}, keptn_url=keptn.url)
    made.start()
    return made


def project(name):
    return f"{name}-project"


@pytest.fixture(scope="module")
def upstreams(team):
    """One for each case, with the slo.yaml that Keptn scored in it."""
    return {name: scored_upstream(team, project(name), case.recording) for name, case in CASES.items()}


@pytest.fixture(scope="module")
def synced(team, upstreams):
    """Each resource after its first sync, before anything is delivered."""
    wanted = {name: {"project": project(name), "service": SERVICE, **case.spec} for name, case in CASES.items()}
    team.apply_all(resource(name, spec=spec) for name, spec in wanted.items())
    for name in CASES:
        team.wait_reason(name, "Synced", "Synced")
    return team.get_all()


@pytest.fixture(scope="module")
def judged(team, keptn, upstreams, synced):
    """Each resource once Keptn tells of its run, as of ten minutes after the first sync."""
    return told(team, keptn, upstreams, CASES, minutes=10)


@pytest.fixture(scope="module")
def later(team, keptn, upstreams, judged):
    """The resources of which Keptn tells more, after each step."""
    first = told(team, keptn, upstreams, {name: steps[0] for name, steps in LATER.items()}, minutes=11)
    last = told(team, keptn, upstreams, {name: steps[-1] for name, steps in LATER.items()}, minutes=12)
    return first, last


@pytest.fixture(scope="module")
def unreachable(team, keptn, later):
    """All resources while Keptn answers nothing but errors."""
    before = team.get_all()
    keptn.failure = HTTPStatus.SERVICE_UNAVAILABLE
    team.wait_reason("other-version", "Passed", "KeptnUnavailable")
    asked = len(keptn.asked)
    until(lambda: len(keptn.asked) > asked + 1, 60)  # one question in each turn, and the first turn is over
    return before, team.get_all()


@pytest.fixture(scope="module")
def restarted(team, keptn, unreachable):
    """All resources before and after a restart of the operator, while Keptn answers again."""
    team.stop()
    before, asked = team.get_all(), len(keptn.asked)
    keptn.failure = None
    team.start()
    team.wait_reason("other-version", "Passed", "AwaitingVersion")
    two_turns(keptn, asked)
    return before, team.get_all()


def two_turns(keptn, asked):
    """Return once the poller asked for each project twice: what it made of the first answers is written by then."""
    until(lambda: all(keptn.asked[asked:].count(project(name)) > 1 for name in CASES), 90)


def told(team, keptn, upstreams, cases, minutes):
    """The resources once Keptn knows their recorded runs, which ended when this module was loaded.

    Args:
        minutes: how long before that the first sync was.
    """
    for name, case in cases.items():
        end = LATER.get(name, [case])[-1].t
        tell(keptn, project(name), upstreams[name], Part(case.recording, case.t, end), BEGUN)
    set_back(team, cases, BEGUN, minutes=minutes, overdue={"late"})
    for name, case in cases.items():
        _, reason = case.row[1]["Passed"].split()
        team.wait_reason(name, "Passed", reason)
    return team.get_all()


@pytest.mark.parametrize("name", CASES)
def test_before_any_delivery_only_a_named_version_is_waited_for(team, synced, name):
    expected = in_progress("AwaitingVersion") if "version" in CASES[name].spec else NO_DELIVERY
    assert team.row(synced[name]) == expected


@pytest.mark.parametrize("name", CASES)
def test_each_run_is_a_row_of_the_table(team, judged, name):
    assert team.row(judged[name]) == CASES[name].row


@pytest.mark.parametrize("name", LATER)
def test_what_happens_later_replaces_the_verdict(team, later, name):
    first, last = later
    assert team.row(first[name]) == LATER[name][0].row
    assert team.row(last[name]) == LATER[name][-1].row


def test_a_verdict_comes_with_score_version_window_and_objectives(judged):
    last = judged["warn"]["status"]["lastEvaluation"]
    assert (last["result"], last["score"], last["version"]) == ("warning", "75", "v0.1.3")
    assert last["image"] == "ghcr.io/podtato-head/podtatoserver:v0.1.3"
    assert last["windowStart"] < last["windowEnd"]
    found = {one["sli"]: (one["status"], one["value"], one.get("pass", [])) for one in last["objectives"]}
    assert found["http_response_time_p95"] == ("Warning", "0.4875", ["<=0.3"])
    assert set(found) == {"http_response_time_p95", "error_rate", "throughput"}
    assert found["throughput"][0] == "Info"


EVIDENCE = (
    *("ObjectivesEvaluated", "ResultConsistent", "SLOMatches", "VersionMatches"),
    *("WindowAfterDeployment", "FilesUnchanged", "GateRan", "Recomputed"),
)


def test_a_pass_shows_its_evidence(judged):
    checks = {one["check"]: one["status"] for one in judged["pass-by-tag"]["status"]["lastEvaluation"]["evidence"]}
    assert checks == dict.fromkeys(EVIDENCE, "True")


def test_people_hear_of_each_verdict(team, judged):
    wanted = {
        "pass": ("Normal", "VerdictPass"),
        "warn": ("Normal", "VerdictWarning"),
        "fail": ("Warning", "VerdictFail"),
        "no-slo": ("Warning", "VerdictInconclusive"),
        "test-failed": ("Warning", "VerdictFail"),
    }
    for name, event in wanted.items():
        said = until(lambda name=name, event=event: team.events(name).get(event))
        assert message(judged[name], "Passed") in said


def test_messages_name_what_failed(judged):
    assert "http_response_time_p95 is" in message(judged["fail"], "Ready")
    assert "je-test in stage production failed: Execution of task" in message(judged["test-failed"], "Ready")
    assert "the newest deployment to production is v0.1.1" in message(judged["other-version"], "Ready")
    assert "waits for an approval" in message(judged["approval"], "Ready")
    assert "no result of v9 until" in message(judged["late"], "Ready")


def test_a_run_under_way_is_shown_beside_the_verdict(judged):
    pending = judged["under-way"]["status"]["pending"]
    assert pending["version"] == "v0.1.2"
    assert judged["under-way"]["status"]["lastEvaluation"]["version"] == "v0.1.1"


def test_history_keeps_earlier_verdicts_and_drops_invalidated_ones(later):
    first, last = later
    earlier = [(one["version"], one["verdict"], one.get("score")) for one in last["under-way"]["status"]["history"]]
    assert earlier == [("v0.1.2", "Fail", "0"), ("v0.1.1", "Pass", "100")]
    assert [one["verdict"] for one in first["invalidated"]["status"]["history"]] == ["Fail", "Pass"]
    assert [one["verdict"] for one in last["invalidated"]["status"]["history"]] == ["Pass"]
    assert "pending" not in last["under-way"]["status"]


def test_verdicts_can_be_selected(team, later):
    chosen = team.kubectl("get", "prodevals", "--field-selector=status.verdict=Inconclusive", "--output=name")
    assert {line.rpartition("/")[2] for line in chosen.split()} == {"late", "no-slo", "no-slo-tolerated"}


def test_while_keptn_is_unreachable_only_who_waits_for_a_verdict_is_told(team, unreachable):
    before, during = unreachable
    assert team.row(during["other-version"]) == in_progress("KeptnUnavailable")
    assert "503" in message(during["other-version"], "Passed")
    told = {name for name in CASES if during[name] != before[name]}
    assert told == {"other-version"}


def test_after_a_restart_verdicts_stand_as_they_were(team, restarted):
    before, after = restarted
    assert team.row(after["other-version"]) == CASES["other-version"].row
    assert {name for name in CASES if after[name] != before[name]} == {"other-version"}


def test_keptn_is_asked_nothing_that_it_does_not_know(keptn, restarted):
    assert keptn.refused == []
