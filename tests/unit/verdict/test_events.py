"""Keptn's JSON, good and bad."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodeval.domain.events import (
    EVALUATION_FINISHED,
    format_time,
    merge_events,
    newest_contexts,
    parse_event,
    parse_events,
    parse_executions,
    parse_registrations,
    parse_time,
    slim,
)
from prodeval.domain.verdict import Found, Judgement, prove, select
from tests.unit.verdict.keptn_events import START
from tests.unit.verdict.recordings import names, recording

RAW = {
    "id": "1",
    "type": "sh.keptn.event.production.delivery.finished",
    "time": "2026-11-23T08:02:30.063839183Z",
    "shkeptncontext": "c",
    "source": "shipyard-controller",
    "triggeredid": "t",
    "gitcommitid": "g",
    "data": {"stage": "production", "labels": {"version": "v1"}},
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_an_event_is_read_whole():
    event = parse_event(RAW)
    assert (event.id, event.context, event.source) == ("1", "c", "shipyard-controller")
    assert (event.triggered_id, event.git_commit) == ("t", "g")
    assert event.time == datetime(2026, 11, 23, 8, 2, 30, 63839, UTC)
    assert (event.parts, event.kind) == (("production", "delivery", "finished"), "finished")
    assert (event.text("labels", "version"), event.text("labels"), event.text("nope", "x")) == ("v1", "", "")


@pytest.mark.parametrize("key", ["id", "type", "time", "shkeptncontext"])
@pytest.mark.parametrize("value", [None, "", 7, [], {"a": 1}])
def test_without_what_makes_it_an_event_it_is_none(key, value):
    assert parse_event(RAW | {key: value}) is None
    assert parse_event({name: RAW[name] for name in RAW if name != key}) is None


@pytest.mark.parametrize("key", ["source", "triggeredid", "gitcommitid", "data"])
@pytest.mark.parametrize("value", [None, 7, ["x"]])
def test_anything_else_may_be_missing_or_of_another_type(key, value):
    assert parse_event(RAW | {key: value}) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T08:02:30Z", datetime(2026, 11, 23, 8, 2, 30, tzinfo=UTC)),
        ("2026-11-23T08:02:30.5Z", datetime(2026, 11, 23, 8, 2, 30, 500000, UTC)),
        ("2026-11-23T08:02:30.123456789Z", datetime(2026, 11, 23, 8, 2, 30, 123456, UTC)),
        ("2026-11-23T09:02:30+01:00", datetime(2026, 11, 23, 8, 2, 30, tzinfo=UTC)),
        ("2026-11-23T08:02:30", datetime(2026, 11, 23, 8, 2, 30, tzinfo=UTC)),
        ("", None),
        ("soon", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
    ],
)
def test_times_are_read_as_keptn_writes_them(text, expected):
    assert parse_time(text) == expected


def test_times_are_written_as_keptn_writes_them():
    assert format_time(START) == "2026-11-23T08:00:00.000Z"
    assert format_time(START + timedelta(microseconds=1999)) == "2026-11-23T08:00:00.001Z"


def test_times_are_compared_as_times_and_not_as_text():
    """As text `...:30Z` comes after `...:30.9Z`."""
    early, late = RAW | {"id": "a", "time": "2026-11-23T08:02:30Z"}, RAW | {"id": "b", "time": "2026-11-23T08:02:30.9Z"}
    assert [event.id for event in merge_events(parse_events([late, early]))] == ["a", "b"]


def test_registrations_become_subscriptions():
    answer = [
        {
            "name": "job-executor-service",
            "subscriptions": [
                {
                    "event": "sh.keptn.event.je-test.triggered",
                    "filter": {"projects": ["p"], "stages": [], "services": None},
                }
            ],
        },
        {"name": "broken", "subscriptions": "none"},
        None,
    ]
    (subscription,) = parse_registrations(answer)
    assert (subscription.integration, subscription.event) == (
        "job-executor-service",
        "sh.keptn.event.je-test.triggered",
    )
    assert subscription.covers("p", "production", "helloservice")
    assert not subscription.covers("q", "production", "helloservice")


@settings(deadline=None)
@given(json_values)
def test_no_json_breaks_a_parser(value):
    assert isinstance(parse_events(value), tuple)
    assert isinstance(parse_executions(value), tuple)
    assert isinstance(parse_registrations(value), tuple)


def _places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _places(child, (*path, key))


def _replace(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _replace(copy[path[0]], path[1:], new)
    return copy


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_event_with_garbage_in_it_breaks_a_verdict(data):
    """Some recorded events, each with any JSON in place of any part of it."""
    run = recording(data.draw(st.sampled_from(["02-pass", "20-comparison", "12-aborted", "23-invalidated"])))
    events = run.raw_events(1e9)
    for index in data.draw(st.lists(st.integers(0, len(events) - 1), max_size=8, unique=True)):
        places = list(_places(events[index]))
        events[index] = _replace(events[index], data.draw(st.sampled_from(places)), data.draw(json_values))
    parsed = merge_events(parse_events(events))
    t = run.head["steps"][-1]["t"]
    version = data.draw(st.sampled_from([None, "v0.1.1"]))
    selected = select(run.expectation(t, version=version), parsed, run.executions(t), None, run.now(t))
    judgement = prove(run.expectation(t), selected, run.facts(selected)) if isinstance(selected, Found) else selected
    assert isinstance(judgement, Judgement)
    assert judgement.verdict in {"Pending", "Pass", "Warning", "Fail", "Inconclusive"}


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(names()), st.randoms(use_true_random=False), st.floats(0, 1))
def test_what_arrives_twice_or_in_another_order_gives_the_same_verdict(name, random, moment):
    run = recording(name)
    t = moment * run.git["t"]
    raw = run.raw_events(t)
    shuffled = random.sample(raw, len(raw)) + random.sample(raw, len(raw) // 2)
    once, twice = merge_events(parse_events(raw)), merge_events(parse_events(shuffled))
    assert once == twice
    results = [
        select(run.expectation(t), events, order(run.executions(t)), None, run.now(t))
        for events, order in ((once, list), (twice, lambda executions: [*executions[::-1], *executions]))
    ]
    assert results[0] == results[1]


def _event(number, context, service="hello", kind="triggered", **data):
    return parse_event(
        {
            "id": str(number),
            "type": f"sh.keptn.event.deployment.{kind}",
            "time": (START + timedelta(seconds=number)).isoformat(),
            "shkeptncontext": context,
            "data": {"stage": "production", "service": service} | data,
        }
    )


def test_the_newest_contexts_of_each_service_are_kept_whole():
    events = [_event(1, "a"), _event(2, "b"), _event(3, "c", "other"), _event(4, "d"), _event(5, "b")]
    assert [event.id for event in newest_contexts(events, 1)] == ["2", "3", "5"]
    assert newest_contexts(events, 3) == tuple(events)


def test_the_context_of_the_last_deployment_is_kept_however_old():
    events = [_event(1, "old", kind="finished"), _event(2, "deployed", kind="finished"), _event(3, "x"), _event(4, "y")]
    assert [event.context for event in newest_contexts(events, 1)] == ["deployed", "y"]


def test_results_that_later_events_only_carry_along_are_dropped():
    carried = {"evaluation": {"timeframe": "2m", "sloFileContent": "x" * 9, "indicatorResults": []}, "get-sli": {}}
    assert slim(_event(1, "a", **carried)).data["evaluation"] == {"timeframe": "2m"}
    assert "get-sli" not in slim(_event(1, "a", **carried)).data
    finished = replace(_event(1, "a", **carried), type=EVALUATION_FINISHED)
    assert slim(finished) == finished
