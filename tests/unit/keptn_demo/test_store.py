from dataclasses import replace

import pytest

from demo.keptn.events import Event, new_event
from demo.keptn.store import EventQuery, EventStore


def stored(*events: Event) -> EventStore:
    store = EventStore()
    for event in events:
        store.add(event)
    return store


def at(time: str, **changes: str) -> Event:
    return replace(new_event("x.finished", "a", "c", {"project": "p", "stage": "qa"}), time=time, **changes)


def test_times_are_compared_as_text_and_exclusively():
    whole, half = at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:00.5Z")
    store = stored(whole, half)

    assert store.find(EventQuery("p")) == [whole, half]
    assert store.find(EventQuery("p", from_time=half.time)) == [whole]
    assert store.find(EventQuery("p", before_time=whole.time)) == [half]


def test_of_equal_times_the_later_stored_comes_first():
    first, second = at("t"), at("t")

    assert stored(first, second).find(EventQuery("p")) == [second, first]


@pytest.mark.parametrize(
    "query",
    [
        EventQuery("p", stage="production"),
        EventQuery("p", service="s"),
        EventQuery("p", context="d"),
        EventQuery("p", type="x.finished"),
        EventQuery("p", source="b"),
        EventQuery("p", id="i"),
        EventQuery("q"),
        EventQuery(),
    ],
)
def test_each_filter_excludes(query: EventQuery):
    assert stored(at("t")).find(query) == []


def test_a_context_alone_finds_its_project():
    event = at("t")

    assert stored(event).find(EventQuery(context="c")) == [event]


def test_root_events_are_the_first_of_their_context():
    first, second, other = at("1"), at("2"), at("3", context="d")

    assert stored(first, second, other).find(EventQuery("p", root=True)) == [other, first]


def test_an_invalidation_names_the_trigger():
    finished = at("1", triggered_id="t")
    invalidated = replace(finished, type="sh.keptn.event.evaluation.invalidated")

    assert stored(finished).invalidated("p") == frozenset()
    assert stored(finished, invalidated).invalidated("p") == {"t"}
