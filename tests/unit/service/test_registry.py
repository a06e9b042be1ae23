"""Which body of which object counts, whatever order the watch tells things in."""

import itertools
import random

import pytest

from prodeval.domain.errors import InvalidSpecError
from prodeval.domain.resource import Identity, ResourceKey
from prodeval.service.notes import Notes
from prodeval.service.registry import Registry
from tests.support.world import MovedClock

KEY = ResourceKey("n", "hello")


def body(version, uid="u1", *, name="hello", generation=1, **spec):
    metadata = {"namespace": "n", "name": name, "uid": uid, "resourceVersion": str(version), "generation": generation}
    return {
        "metadata": metadata | {"managedFields": [{"manager": "kubectl"}]},
        "spec": {"project": "p", "service": "s"} | spec,
    }


@pytest.fixture
def clock():
    return MovedClock()


@pytest.fixture
def registry(clock):
    return Registry(clock)


@pytest.fixture
def heard(registry):
    """What listeners are told: (uid, version) of the object as it is now and as it was, None for none."""
    calls = []

    def short(entry):
        return entry and (entry.resource.uid, entry.version)

    registry.listen(lambda now, before: calls.append((short(now), short(before))))
    return calls


def test_an_object_is_known_by_its_uid_its_name_and_its_project(registry):
    entry = registry.put(body(1))
    assert registry.entry("u1") is entry
    assert registry.get("u1") is entry.resource
    assert registry.project("p") == (entry.resource,)
    assert registry.identities() == {KEY: Identity("u1", 1)}
    assert "managedFields" not in entry.body["metadata"]


def test_what_is_not_known_is_none(registry):
    assert (registry.entry("u1"), registry.get("u1"), registry.project("p"), registry.drop("u1")) == (
        None,
        None,
        (),
        None,
    )


def test_only_what_is_newer_counts(registry, heard):
    registry.put(body(5, generation=2))
    assert registry.put(body(4)) is None
    assert registry.put(body(5)) is None
    assert registry.get("u1").generation == 2
    assert registry.put(body(12)) is not None  # and not as text
    assert heard == [(("u1", 5), None), (("u1", 12), ("u1", 5))]


def test_who_is_gone_never_comes_back(registry, heard):
    registry.put(body(5))
    assert registry.drop("u1").resource.uid == "u1"
    assert registry.put(body(9)) is None
    assert registry.drop("u1") is None
    assert registry.identities() == {}
    assert heard == [(("u1", 5), None), (None, ("u1", 5))]


def test_a_deletion_that_comes_before_its_object_counts(registry, heard):
    registry.drop("u1")
    assert registry.put(body(1)) is None
    assert heard == []


def test_a_newer_object_of_the_same_name_ends_the_older_one(registry, heard):
    registry.put(body(5))
    registry.put(body(7, "u2"))
    assert registry.identities() == {KEY: Identity("u2", 7)}
    assert registry.put(body(9, "u1")) is None
    assert heard == [(("u1", 5), None), (None, ("u1", 5)), (("u2", 7), None)]


def test_an_older_object_of_the_same_name_is_late_news(registry):
    registry.put(body(7, "u2"))
    assert registry.put(body(5, "u1")) is None
    assert registry.identities() == {KEY: Identity("u2", 7)}


def test_the_late_deletion_of_a_predecessor_drops_its_own_object_only(registry):
    registry.put(body(5))
    registry.put(body(7, "u2"))
    registry.drop("u1")
    assert registry.identities() == {KEY: Identity("u2", 7)}


@pytest.mark.parametrize("seed", range(20))
def test_any_order_of_the_watch_ends_with_the_last_object(registry, seed):
    told = [lambda n=n: registry.put(body(n, f"u{n // 3}")) for n in range(1, 12)]
    told += [lambda n=n: registry.drop(f"u{n}") for n in range(3)]
    for tell in random.Random(seed).sample(told, len(told)):
        tell()
    assert registry.identities() == {KEY: Identity("u3", 11)}
    assert [one.uid for one in registry.project("p")] == ["u3"]


def test_tombstones_are_bounded(registry):
    for number in range(10_001):
        registry.drop(f"gone{number}")
    assert registry.put(body(1, "gone0")) is not None
    assert registry.put(body(2, "gone10000")) is None


def test_a_restored_api_server_is_believed_where_it_was_read(registry, heard):
    known = registry.put(body(90, generation=4))
    assert registry.correct(body(10, generation=2), known)
    assert registry.get("u1").generation == 2
    assert registry.put(body(11, generation=3)) is not None
    assert heard[1:] == [(("u1", 10), ("u1", 90)), (("u1", 11), ("u1", 10))]


def test_a_correction_comes_too_late_where_the_registry_moved_on(registry):
    known = registry.put(body(90))
    registry.put(body(91))
    assert not registry.correct(body(10), known)
    registry.drop("u1")
    assert not registry.correct(body(10), known)
    assert registry.identities() == {}


def test_a_correction_is_about_the_same_object(registry):
    known = registry.put(body(90))
    assert not registry.correct(body(10, "u2"), known)


def test_what_the_api_server_shows_under_a_name_is_believed(registry, heard):
    known = registry.put(body(90))
    registry.shown(body(10), known)
    assert registry.identities() == {KEY: Identity("u1", 10)}
    registry.shown(body(11, "u2"), registry.entry("u1"))
    assert registry.identities() == {KEY: Identity("u2", 11)}
    registry.shown(None, registry.entry("u2"))
    assert registry.identities() == {}
    registry.shown(body(12, "u3"), None)
    assert registry.identities() == {KEY: Identity("u3", 12)}
    registry.drop("u3")
    registry.shown(None, None)
    assert registry.identities() == {}


def test_what_was_shown_before_the_watch_told_more_is_not_believed(registry):
    known = registry.put(body(90))
    registry.put(body(91))
    registry.shown(body(90), known)
    registry.drop("u1")
    registry.shown(body(91), known)
    assert registry.identities() == {}


def test_who_was_deleted_can_be_revived(registry):
    registry.put(body(1))
    registry.drop("u1")
    assert registry.is_gone("u1")
    registry.revive("u1")
    registry.revive("u2")
    assert not registry.is_gone("u1")
    assert registry.put(body(1)) is not None


def test_what_the_api_server_shows_is_dated(registry, clock):
    registry.put(body(1))
    clock.seconds = 40
    assert registry.put(body(1)) is None
    assert registry.entry("u1").told == 0
    registry.confirm("u1")
    registry.confirm("unknown")
    assert registry.entry("u1").told == 40


def test_an_object_that_cannot_be_read_is_there_without_a_project(registry):
    entry = registry.put(body(1, interval="banana"))
    assert isinstance(entry.problem, InvalidSpecError)
    assert registry.project("") == (entry.resource,)
    mended = registry.put(body(2, interval="5m"))
    assert mended.problem is None
    assert (registry.project(""), registry.project("p")) == ((), (mended.resource,))


@pytest.mark.parametrize("version", ["", "x", None])
def test_a_version_that_is_no_number_is_the_oldest(registry, version):
    odd = body(1)
    odd["metadata"]["resourceVersion"] = version
    assert registry.put(odd).version == 0
    assert registry.put(body(1)) is not None


def test_a_name_of_two_projects_is_two_resources(registry):
    registry.put(body(1))
    registry.put(body(2, "u2", name="other"))
    registry.put(body(3, "u3", name="third", project="q"))
    assert [one.uid for one in registry.project("p")] == ["u1", "u2"]
    registry.drop("u1")
    registry.drop("u2")
    assert (registry.project("p"), len(registry.project("q"))) == ((), 1)


def test_notes_are_kept_as_long_as_the_resource_is_there(registry):
    notes = Notes(registry)
    registry.put(body(1))
    notes.put("u1", "a")
    assert (notes.setdefault("u1", "b"), notes.get("u1")) == ("a", "a")
    notes.pop("u1")
    assert (notes.setdefault("u1", "b"), notes.get("u1")) == ("b", "b")
    registry.put(body(2))
    assert notes.get("u1") == "b"
    registry.drop("u1")
    assert notes.get("u1") is None


def test_notes_about_who_is_gone_are_not_kept(registry):
    notes = Notes(registry)
    registry.put(body(1))
    registry.drop("u1")
    notes.put("u1", "late")
    assert notes.setdefault("u1", "lock") == "lock"
    assert notes.get("u1") is None


def test_listeners_are_told_outside_of_the_lock(registry):
    seen = []
    registry.listen(lambda now, before: seen.append(len(registry.project("p"))))
    for number in itertools.count(1):
        registry.put(body(number, f"u{number}"))
        if number == 3:
            break
    assert seen == [1, 1, 1, 1, 1]
