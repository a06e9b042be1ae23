"""What release 0.1.0 left: after the upgrade no verdict changes, each status is written once at most, then nothing."""

import json
from collections import Counter
from copy import deepcopy

import pytest

from prodeval.domain.errors import (
    AccessDeniedError,
    GitOperationFailedError,
    KeptnUnavailableError,
    PushRejectedError,
)
from tests.support.upgrade import names, row
from tests.support.world import World

GIT = {
    "Unreachable": GitOperationFailedError("no connection"),
    "CredentialsRefused": AccessDeniedError("the Git server refuses the credentials"),
}
PUSH_REFUSED = PushRejectedError("the Git server refuses the push to branch production: not today")


def upgraded(name):
    """The next release, started where release 0.1.0 was stopped."""
    stored = row(name)
    namespace, project = stored.resource["metadata"]["namespace"], stored.resource["spec"]["project"]
    world = World((project,), (namespace,) if stored.granted else (), stored.now)
    give(world, stored)
    world.start()
    return stored, world


def give(world, stored):
    """All that a row holds."""
    project = stored.resource["spec"]["project"]
    for body in (*stored.others, stored.resource):
        world.cluster.store(deepcopy(dict(body)))
    for config_map, files in stored.config_maps.items():
        world.cluster.config_maps[config_map] = {path: text.encode() for path, text in files.items()}
    give_git(world, project, stored.git)
    world.keptn.raw[project] = list(stored.events)
    world.keptn.raw_executions[project] = list(stored.sequence_executions)
    if not stored.keptn_answers:
        world.keptn.failures[project] = KeptnUnavailableError("Keptn's API does not answer: connection refused")


def give_git(world, project, git):
    secret = {"git-credentials": json.dumps({"remoteURL": git.url, "user": "keptn"}).encode()}
    world.cluster.secrets[f"git-credentials-{project}"] = None if git.answers == "NoSecret" else secret
    world.git.ids[project] = dict(git.branches)
    world.git.branches[project] = {
        branch: {path: text.encode() for path, text in git.files(branch).items()} for branch in git.branches
    }
    if git.answers in GIT:
        world.git.failures[project] = GIT[git.answers]
    if git.answers == "PushRefused":
        world.git.rejections[project] = PUSH_REFUSED


def told(status):
    """What a status says of the verdict."""
    passed = next(one for one in status["conditions"] if one["type"] == "Passed")
    return status["verdict"], passed["status"], passed["reason"]


def expected(stored):
    """What is to be said after the upgrade: the same, but of a resource that was never synced.

    Release 0.1.0 said of one that the first sync was under way, for as long as it was not: now it is `NotSynced`.
    A suspended one is left as it is.
    """
    verdict, status, reason = told(stored.status)
    is_never_synced = "sync" not in stored.status and not stored.resource["spec"]["suspend"]
    return verdict, status, "NotSynced" if is_never_synced else reason


@pytest.mark.parametrize("name", [one for one in names() if one != "just-applied"])
def test_no_verdict_changes_and_each_status_is_written_once_at_most(name):
    stored, world = upgraded(name)
    namespace = stored.resource["metadata"]["namespace"]
    world.run(120)
    status = world.cluster.status(name, namespace)
    assert told(status) == expected(stored)
    assert status.get("lastEvaluation") == stored.status.get("lastEvaluation")
    assert status.get("history") == stored.status.get("history")
    assert len([one for one in world.cluster.patches if one[0] == name]) <= 1
    assert world.git.pushes == []
    assert [one for one in world.cluster.posted if one[2].startswith("Verdict")] == []
    written = len(world.cluster.patches)
    world.start()
    world.run(700)
    assert len(world.cluster.patches) == written


def test_what_was_just_applied_is_synced_by_the_next_release():
    stored, world = upgraded("just-applied")
    world.run(120)
    status = world.cluster.status("just-applied", stored.resource["metadata"]["namespace"])
    assert told(status) == ("Pending", "Unknown", "AwaitingDelivery")
    assert {"helloservice/slo.yaml", "shipyard.yaml"} <= {path for _, path in world.git.pushes}


def test_all_rows_in_one_cluster_are_written_once_at_most():
    """As in the one installation that is upgraded: rows delay each other in nothing."""
    stored = [row(name) for name in names()]
    projects = {one.resource["spec"]["project"] for one in stored if one.granted}
    world = World(projects, {one.resource["metadata"]["namespace"] for one in stored}, max(one.now for one in stored))
    for one in stored:
        give(world, one)
    world.start()
    world.run(200)
    writes = Counter(name for name, _ in world.cluster.patches)
    assert {name: count for name, count in writes.items() if count > 1} == {}
    written = len(world.cluster.patches)
    world.start()
    world.run(700)
    assert len(world.cluster.patches) == written
