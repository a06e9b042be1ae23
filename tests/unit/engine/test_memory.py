"""Whoever may send events to a project decides neither how much memory it takes, nor what is claimed to be known."""

import pytest

from prodeval.domain.events import merge_events, parse_event
from prodeval.domain.resource import Target
from prodeval.service.event_log import EventLog
from tests.support.world import FakeKeptn, MovedClock
from tests.unit.verdict.keptn_events import iso, time

MEBIBYTE = 1024 * 1024
LARGE = "x" * MEBIBYTE


def send(keptn, at, services, *, context):
    """A large evaluation of each service."""
    for service in services:
        number = len(keptn.raw["p"])
        data = {"project": "p", "stage": "production", "service": service, "evaluation": {"sloFileContent": LARGE}}
        event = {"id": f"e{number}", "type": "sh.keptn.event.evaluation.finished", "time": iso(at)}
        keptn.raw["p"].append(event | {"shkeptncontext": context, "data": data})


@pytest.mark.parametrize("services", [["s"], [f"s{number}" for number in range(20)]], ids=["one", "twenty"])
@pytest.mark.parametrize("context", ["the same", "another"])
def test_a_flood_is_kept_in_part_and_nothing_is_claimed_about_the_rest(services, context):
    clock = MovedClock()
    keptn = FakeKeptn(clock)
    log = EventLog(keptn, clock)
    needs = dict.fromkeys(services, time(0))
    for number in range(40):
        send(keptn, clock.seconds, services, context=context if context == "the same" else f"c{number}")
        clock.seconds += 15
        log.refresh("p", needs, with_executions=False)
    known = [log.service("p", service) for service in services]
    assert sum(len(one.events) for one in known) <= 16
    for service, one in zip(services, known, strict=True):
        sent = merge_events(parse_event(event) for event in keptn.raw["p"] if event["data"]["service"] == service)
        assert one.since > time(0)
        assert {event.id for event in one.events} == {event.id for event in sent if event.time >= one.since}


def test_of_a_flooded_run_that_is_asked_for_by_name_a_part_is_kept():
    clock = MovedClock()
    keptn = FakeKeptn(clock)
    log = EventLog(keptn, clock)
    for number in range(40):
        send(keptn, number, ["s"], context="c")
    clock.seconds = 10_000
    log.refresh("p", {"s": time(9_000)}, with_executions=False)
    log.complete(Target("p", "production", "s"), "evaluation")
    assert 0 < len(log.service("p", "s").events) <= 16
