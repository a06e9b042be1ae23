"""The ends of a turn of the sync lane: an API server that goes away in its middle, and what comes again when."""

import pytest

from prodeval.domain.errors import (
    ClusterUnavailableError,
    DependencyNotReadyError,
    GitOperationFailedError,
    KeptnUnavailableError,
)
from tests.support.world import World

AWAY = ClusterUnavailableError("no connection")


def three():
    world = World()
    for name in ("hello", "other", "third"):
        world.git.add_service("fulltour", name)
        world.cluster.apply(name, service=name)
    return world


def uids(world):
    return sorted(one.uid for one in world.registry.identities().values())


def fails_once(world, name, error):
    """A question to the API server that fails once."""
    ask, answered = getattr(world.cluster, name), []

    def asked(*question):
        if not answered:
            answered.append(1)
            raise error
        return ask(*question)

    setattr(world.cluster, name, asked)


@pytest.mark.parametrize("question", ["secret", "config_map"])
def test_an_api_that_goes_away_before_the_push_postpones_all(question):
    world = World()
    world.cluster.config_maps["gate"] = {"locust.conf": b"users = 1\n"}
    files = [{"stage": {"name": "qa"}}, {"configMap": {"name": "gate"}}]
    world.cluster.apply(files=files)
    fails_once(world, question, AWAY)
    end = world.sync.turn("fulltour", uids(world))
    assert set(end.again) == set(uids(world))
    assert world.git.pushes == []
    assert end.again["uid-1"].seconds <= 5
    world.run(60)
    assert world.row()[1]["Synced"] == "True Synced"


def test_an_api_that_goes_away_after_the_push_postpones_who_was_not_told():
    world = three()
    patch, told = world.cluster.patch_status, []

    def fails(key, *what):
        if told:
            raise AWAY
        told.append(key.name)
        return patch(key, *what)

    world.cluster.patch_status = fails
    end = world.sync.turn("fulltour", uids(world))
    assert told == ["hello"]
    assert [end.again[uid].seconds > 60 for uid in uids(world)] == [True, False, False]
    pushed = len(world.git.pushes)
    world.cluster.patch_status = patch
    world.run(60)
    assert world.row("third")[1]["Synced"] == "True Synced"
    assert len(world.git.pushes) == pushed


def test_an_api_that_is_known_to_be_away_is_not_asked():
    world = three()
    world.cluster.failure = AWAY
    world.sync.turn("fulltour", uids(world))
    world.cluster.failure = None
    assert world.sync.turn("fulltour", uids(world)).again["uid-1"].seconds >= 1
    assert world.git.listings == []


def test_who_is_gone_is_left_out():
    world = three()
    end = world.sync.turn("fulltour", ["uid-1", "never known"])
    assert set(end.again) == {"uid-1"}
    assert world.sync.turn("fulltour", ["never known"]).again == {}


def test_a_config_map_that_is_absent_is_the_outcome_of_its_resource_alone():
    world = three()
    world.cluster.apply("other", service="other", files=[{"configMap": {"name": "absent"}}])
    end = world.sync.turn("fulltour", uids(world))
    assert world.row("other")[1]["Synced"] == "False DependencyNotReady"
    assert world.row("third")[1]["Synced"] == "True Synced"
    assert end.again["uid-2"].seconds < 5 < end.again["uid-3"].seconds


@pytest.mark.parametrize(
    ("error", "hold"),
    [
        (GitOperationFailedError("slow down", retry_after=90.0), 90.0),
        (GitOperationFailedError("no answer"), 0.0),
        (DependencyNotReadyError("empty", retry_after=90.0), 0.0),
    ],
)
def test_a_git_server_that_asks_to_be_left_alone_holds_the_project(error, hold):
    world = three()
    world.git.failures["fulltour"] = error
    assert world.sync.turn("fulltour", uids(world)).hold == hold


def test_an_outcome_of_an_older_spec_is_not_reported():
    world = World()
    world.cluster.apply()
    world.run(5)
    written = len(world.cluster.patches)
    world.git.during = lambda: world.cluster.apply(historyLimit=3)
    world.sync.turn("fulltour", ["uid-1"])
    assert len(world.cluster.patches) == written
    world.run(5)
    assert world.cluster.status()["observedGeneration"] == 2


def test_a_turn_that_ends_with_the_operator_reports_no_failure():
    world = three()
    world.git.failures["fulltour"] = GitOperationFailedError("connection closed")
    world.sync.stop()
    world.sync.turn("fulltour", uids(world))
    assert world.cluster.patches == []


def test_an_observe_turn_that_ends_with_the_operator_says_nothing_of_keptn():
    world = three()
    world.run(5)
    written = len(world.cluster.patches)
    world.observe.stop()
    world.keptn.failures["fulltour"] = KeptnUnavailableError("connection closed")
    assert world.observe.turn("fulltour").again == {}
    assert len(world.cluster.patches) == written


def test_an_api_that_goes_away_while_keptn_is_silent_ends_the_turn():
    world = three()
    world.run(5)
    world.keptn.failures["fulltour"] = KeptnUnavailableError("no answer")
    world.cluster.patch_status = raises_away
    assert world.observe.turn("fulltour").again["fulltour"].seconds >= 1


def raises_away(*_):
    raise AWAY
