"""Deletions, creations and restores that the watch did not tell of."""

import pytest

from prodeval.domain.errors import ClusterUnavailableError, StatusRefusedError
from prodeval.domain.resource import ResourceKey
from prodeval.service.registry import Registry
from prodeval.service.sweep import Sweep
from tests.support.world import NAMESPACE, FakeCluster, MovedClock

KEY = ResourceKey(NAMESPACE, "hello")


class Setting:
    def __init__(self):
        self.clock = MovedClock()
        self.cluster, self.registry = FakeCluster(self.clock), Registry(self.clock)
        self.sweep = Sweep(self.registry, self.cluster, ("some",))
        self.registry.put(self.cluster.apply())
        self.clock.seconds = 100

    def known(self):
        return {key.name: (one.uid, one.version) for key, one in self.registry.identities().items()}


@pytest.fixture
def setting():
    return Setting()


def test_who_is_there_is_confirmed_without_a_question_of_its_own(setting):
    setting.sweep.turn()
    assert setting.registry.entry("uid-1").told == 100
    assert setting.cluster.reads == []


def test_who_is_gone_is_dropped(setting):
    setting.cluster.delete()
    setting.sweep.turn()
    assert setting.known() == {}


def test_who_is_new_is_taken_in(setting):
    setting.cluster.apply("other")
    setting.sweep.turn()
    assert setting.known() == {"hello": ("uid-1", 1), "other": ("uid-2", 2)}


def test_who_was_made_anew_replaces_its_predecessor(setting):
    setting.cluster.delete()
    setting.cluster.apply()
    setting.sweep.turn()
    assert setting.known() == {"hello": ("uid-2", 3)}


def test_a_list_that_is_older_than_the_watch_drops_nobody(setting):
    listed = setting.cluster.identities(())
    new = setting.cluster.apply("new")
    setting.registry.put(new)
    setting.cluster.identities = lambda namespaces: listed
    setting.sweep.turn()
    assert setting.known() == {"hello": ("uid-1", 1), "new": ("uid-2", 2)}


def test_a_list_that_shows_who_was_deleted_since_brings_nobody_back(setting):
    listed = setting.cluster.identities(())
    setting.cluster.delete()
    setting.registry.drop("uid-1")
    setting.cluster.identities = lambda namespaces: listed
    setting.sweep.turn()
    assert setting.known() == {}


def test_smaller_versions_are_those_of_a_restored_api_server(setting):
    for number in range(5):
        setting.registry.put(setting.cluster.apply(historyLimit=number))
    assert setting.known() == {"hello": ("uid-1", 6)}
    old = setting.cluster.get()
    setting.cluster.objects[KEY] = old | {"metadata": old["metadata"] | {"resourceVersion": "2", "generation": 2}}
    setting.sweep.turn()
    assert setting.known() == {"hello": ("uid-1", 2)}


def test_an_api_server_that_is_away_drops_nobody(setting):
    setting.cluster.delete()
    setting.cluster.failure = ClusterUnavailableError("no connection")
    setting.sweep.turn()
    assert setting.known() == {"hello": ("uid-1", 1)}


@pytest.mark.parametrize("error", [StatusRefusedError("forbidden"), ClusterUnavailableError("no connection")])
def test_an_object_that_is_not_shown_is_kept(setting, error):
    setting.cluster.delete()

    def fails(key):
        raise error

    setting.cluster.read = fails
    setting.sweep.turn()
    assert setting.known() == {"hello": ("uid-1", 1)}


def test_one_object_that_is_not_shown_hides_no_other(setting):
    setting.cluster.apply("other")
    setting.cluster.delete()
    read = setting.cluster.read

    def fails(key):
        if key == KEY:
            raise StatusRefusedError("forbidden")
        return read(key)

    setting.cluster.read = fails
    setting.sweep.turn()
    assert setting.known() == {"hello": ("uid-1", 1), "other": ("uid-2", 2)}


def test_an_object_that_a_restored_api_server_has_again_is_taken_in(setting):
    """It was deleted, and the backup is from before."""
    body = setting.cluster.delete()
    setting.registry.drop("uid-1")
    setting.cluster.objects[KEY] = body
    setting.sweep.turn()
    assert setting.known() == {"hello": ("uid-1", 1)}
