"""What stands in the way of a sync: each row of the table in docs/status.md, the remedy, and that nothing is pushed."""

import time
from datetime import datetime

import pytest

from demo.gitserver import git
from demo.upstream import STAGES, create_upstream
from tests.operator.harness import NOWHERE, commit, conditions, message, show, subjects, until

PROJECTS = {
    "bad-slo": {},
    "asleep": {},
    "break": {},
    "conflict": {},
    "down": {},
    "no-anchor": {},
    "no-keptn": {},
    "no-map": {},
    "no-secret": {},
    "no-service": {},
    "protected": {},
    "release": {"branch": "release"},
    "twice": {},
    "verify": {},
}
COMMIT = "gate(helloservice): sync production evaluation"
BAD_SLO = """\
spec_version: "1.0"
objectives:
  - sli: error_rate
    pass:
      - criteria: "<=1"
total_score: {pass: "90%", warning: "75%"}
"""
GOOD_SLO = BAD_SLO.replace('"<=1"', '["<=1"]')


@pytest.fixture(scope="module")
def team(new_team):
    made = new_team(PROJECTS)
    made.start()
    return made


def stalled(reason):
    return [
        "Pending",
        {
            "Ready": f"False {reason}",
            "Stalled": f"True {reason}",
            "Synced": f"False {reason}",
            "Passed": "Unknown NotSynced",
        },
        "Failed",
    ]


def reconciling(reason, retrying):
    return [
        "Pending",
        {
            "Ready": f"False {reason}",
            "Reconciling": f"True {retrying}",
            "Synced": f"False {reason}",
            "Passed": "Unknown NotSynced",
        },
        "InProgress",
    ]


def untouched(team, project, upstream):
    """Whether nothing was pushed, or tried to."""
    tried = [path for path in team.git_requests(project) if "receive-pack" in path]
    return not tried and all(COMMIT not in subjects(upstream, branch) for branch in ("main", *STAGES))


def refused(team, name, reason):
    """A resource that is stalled for a reason; its whole row."""
    body = team.wait_reason(name, "Synced", reason)
    assert team.row(body) == stalled(reason)
    assert body["status"]["observedGeneration"] == 1
    assert ("Warning", reason) in until(lambda: team.events(name))
    return message(body, "Synced")


def waiting(team, name, reason, retrying):
    """A resource that will be tried again for a reason; its whole row."""
    body = team.wait_reason(name, "Synced", reason)
    assert team.row(body) == reconciling(reason, retrying)
    assert body["status"]["observedGeneration"] == -1
    return message(body, "Synced")


def younger(team, name):
    """Return once a resource made now is younger: Kubernetes counts seconds."""
    created = datetime.fromisoformat(team.get(name)["metadata"]["creationTimestamp"])
    until(lambda: int(time.time()) > created.timestamp())


def test_a_project_that_is_not_granted_is_refused_before_git_is_asked(team):
    upstream = team.project("strangers")
    team.apply("strangers", "strangers")
    said = refused(team, "strangers", "AccessDenied")
    assert f"not granted to namespace '{team.namespace}'" in said
    assert "projects.strangers.namespaces in the operator's config" in said
    assert team.git_requests("strangers") == []
    assert untouched(team, "strangers", upstream)


def test_without_a_secret_it_waits_and_syncs_by_itself_once_there_is_one(team):
    upstream = create_upstream(team.git, "no-secret")
    team.apply("no-secret", "no-secret")
    said = waiting(team, "no-secret", "DependencyNotReady", "DependencyNotReady")
    assert said == "Secret 'git-credentials-no-secret' in namespace 'keptn' does not exist yet"
    assert untouched(team, "no-secret", upstream)
    team.give_access({"no-secret": team.git.url_of("no-secret")})
    assert conditions(team.wait_reason("no-secret", "Synced", "Synced"))["Ready"] == "True Synced"
    assert COMMIT in subjects(upstream, "production")


def test_without_a_config_map_it_waits_and_syncs_by_itself_once_there_is_one(team):
    upstream = team.project("no-map")
    team.apply("no-map", "no-map", files=[{"configMap": {"name": "gate"}}])
    said = waiting(team, "no-map", "DependencyNotReady", "DependencyNotReady")
    assert said == f"ConfigMap 'gate' in namespace '{team.namespace}' does not exist yet"
    assert untouched(team, "no-map", upstream)
    gate = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "gate"}, "data": {"slo.yaml": GOOD_SLO}}
    team.apply_all([gate])
    body = team.wait_reason("no-map", "Synced", "Synced")
    assert [file["from"] for file in body["status"]["sync"]["files"]] == ["configMap/gate"]
    assert show(upstream, "production", "helloservice/slo.yaml") == GOOD_SLO


def test_a_stage_and_a_service_that_the_upstream_lacks_are_waited_for(team):
    upstream = team.project("no-service")
    team.apply("no-branch", "no-service", stage="canary")
    said = waiting(team, "no-branch", "DependencyNotReady", "DependencyNotReady")
    assert said.startswith("stage 'canary' has no branch in the upstream")
    team.apply("no-service", "no-service", service="cart")
    said = waiting(team, "no-service", "DependencyNotReady", "DependencyNotReady")
    assert said.endswith("keptn create service cart --project=no-service")
    assert untouched(team, "no-service", upstream)


def test_a_git_server_that_does_not_answer_is_tried_again(team):
    upstream = create_upstream(team.git, "down")
    team.give_access({"down": f"{NOWHERE}/down.git"})
    team.apply("down", "down")
    said = waiting(team, "down", "GitOperationFailed", "ProgressingWithRetry")
    assert "127.0.0.1: could not list" in said
    team.give_access({"down": team.git.url_of("down")})
    team.wait_reason("down", "Synced", "Synced")
    assert COMMIT in subjects(upstream, "production")


def test_a_shipyard_without_the_anchor_is_refused(team):
    upstream = team.project("no-anchor")
    team.apply("no-anchor", "no-anchor", shipyard={"afterTask": "deploy"})
    said = refused(team, "no-anchor", "InvalidSpec")
    assert said == "shipyard.yaml:22:11: sequence 'delivery' has no task 'deploy'; it has approval, je-deployment"
    assert untouched(team, "no-anchor", upstream)


def test_an_slo_that_keptn_cannot_decode_is_refused_with_its_place(team):
    upstream = team.project("bad-slo")
    team.apply("bad-slo", "bad-slo", files=[{"inline": {"path": "slo.yaml", "content": BAD_SLO}}])
    assert refused(team, "bad-slo", "InvalidFile").startswith("helloservice/slo.yaml:5:19: ")
    assert untouched(team, "bad-slo", upstream)


def test_services_whose_deliveries_would_hang_are_named(team):
    upstream = team.project("break")
    commit(upstream, "production", {"cart/metadata.yaml": "servicename: cart\n"})
    team.apply("break", "break")
    assert "cart" in refused(team, "break", "WouldBreakServices")
    assert untouched(team, "break", upstream)


def test_a_push_that_the_server_forbids_is_told_in_its_words(team):
    upstream = team.project("protected")
    hook = upstream / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is protected: open a pull request' >&2\nexit 1\n")
    hook.chmod(0o755)
    team.apply("protected", "protected")
    assert "main is protected: open a pull request" in refused(team, "protected", "PushRejected")
    assert COMMIT not in subjects(upstream, "main")


def test_of_two_resources_with_one_target_the_younger_one_waits_and_inherits(team):
    upstream = team.project("twice")
    team.apply("twice-a", "twice")
    team.wait_reason("twice-a", "Synced", "Synced")
    younger(team, "twice-a")
    team.apply("twice-b", "twice")
    said = refused(team, "twice-b", "DuplicateTarget")
    assert said.startswith(f"twice/production/helloservice is already judged by {team.namespace}/twice-a; delete one")
    team.kubectl("delete", "prodeval", "twice-a")
    body = team.wait_reason("twice-b", "Synced", "Synced")
    assert "Stalled" not in conditions(body)
    assert subjects(upstream, "production").count(COMMIT) == 1


def test_resources_that_share_a_sequence_must_agree_on_its_tasks(team):
    upstream = team.project("conflict")
    team.apply("conflict-a", "conflict")
    team.wait_reason("conflict-a", "Synced", "Synced")
    younger(team, "conflict-a")
    team.apply("conflict-b", "conflict", service="cart", shipyard={"timeframe": "5m"})
    said = refused(team, "conflict-b", "ShipyardConflict")
    assert f"{team.namespace}/conflict-a is older" in said
    assert "spec.shipyard.timeframe" in said
    assert len(subjects(upstream, "main")) == 4


def test_with_policy_verify_a_person_merges_the_wanted_lines(team):
    upstream = team.project("verify")
    team.apply("verify", "verify", shipyard={"policy": "Verify"})
    body = team.wait_reason("verify", "Synced", "ShipyardIncomplete")
    wanted = '- name: "je-test"\n            - name: "evaluation"'
    assert wanted in message(body, "Synced")
    assert conditions(body)["Stalled"] == "True ShipyardIncomplete"
    assert team.kstatus(body) == ["Failed"]
    plan = [{"path": "shipyard.yaml", "action": "Change", "linesAdded": 4, "linesRemoved": 0}]
    assert body["status"]["sync"]["plan"] == plan
    assert COMMIT not in subjects(upstream, "main")
    wanted = message(body, "Synced").partition("\n")[2] + "\n"
    # The anchor is the last task of the file.
    merged = show(upstream, "main", "shipyard.yaml") + wanted
    commit(upstream, "main", {"shipyard.yaml": merged})
    team.request_sync("verify", "merged")
    assert "plan" not in team.wait_reason("verify", "Synced", "Synced")["status"]["sync"]


def test_another_branch_than_head_can_hold_the_shipyard(team):
    upstream = team.project("release")
    git("-C", str(upstream), "branch", "release", "main")
    team.apply("release", "release")
    body = team.wait_reason("release", "Synced", "Synced")
    assert body["status"]["resolved"]["branch"] == "release"
    assert COMMIT in subjects(upstream, "release")
    assert COMMIT not in subjects(upstream, "main")


def test_suspended_nothing_is_done_and_what_was_known_stays(team):
    team.project("asleep")
    team.apply("asleep", "asleep", suspend=True)
    body = team.wait_reason("asleep", "Ready", "Suspended")
    assert team.row(body) == [
        "Pending",
        {"Ready": "True Suspended", "Synced": "Unknown Reconciling", "Passed": "Unknown Reconciling"},
        "Current",
    ]
    assert team.git_requests("asleep") == []
    team.apply("asleep", "asleep", suspend=False)
    synced = team.wait_reason("asleep", "Synced", "Synced")
    team.apply("asleep", "asleep", suspend=True)
    kept = team.wait("asleep", "{.status.observedGeneration}", 3)
    assert conditions(kept) == conditions(synced)
    assert team.kstatus(kept) == ["Current"]


def test_keptn_that_never_answered_is_told_without_holding_up_the_sync(team):
    """Nothing listens where this module's config says that Keptn is."""
    team.project("no-keptn")
    team.apply("no-keptn", "no-keptn")
    body = team.wait_reason("no-keptn", "Passed", "KeptnUnavailable")
    assert team.row(body) == [
        "Pending",
        {"Ready": "True Synced", "Synced": "True Synced", "Passed": "Unknown KeptnUnavailable"},
        "Current",
    ]
