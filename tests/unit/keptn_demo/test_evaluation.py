import pytest

from demo.keptn.evaluation import Lighthouse, Measurements, previous_evaluations
from demo.keptn.events import Event, answer, new_event
from demo.keptn.store import EventStore
from prodeval.domain.slo import SLIValue

SCOPE = {"project": "p", "stage": "production", "service": "s"}
VALUE = {"metric": "m", "value": 2, "comparedValue": 0, "success": True}


def evaluated(result: str, *values: object) -> Event:
    trigger = new_event("evaluation.triggered", "shipyard-controller", "c", SCOPE)
    results = [{"value": value} for value in values]
    data = {**SCOPE, "result": result, "evaluation": {"indicatorResults": results or None}}
    return answer(trigger, "finished", "lighthouse-service", data)


def test_earlier_evaluations_come_from_the_store():
    store = EventStore()
    first, second = evaluated("pass", VALUE, None), evaluated("fail")
    for event in (first, second):
        store.add(event)
    # Names the finished event, not its trigger: that invalidates nothing.
    store.add(answer(first, "invalidated", "bridge", SCOPE))
    invalidation = new_event("evaluation.invalidated", "bridge", "c", SCOPE, triggered_id=second.triggered_id)
    store.add(invalidation)

    found = {one.id: one for one in previous_evaluations(store, ("p", "production", "s"))}
    assert found[first.id].values == (SLIValue("m", 2.0, success=True),)
    assert (found[first.id].invalidated, found[second.id].invalidated) == (False, True)
    assert previous_evaluations(store, ("p", "qa", "s")) == []


@pytest.mark.parametrize("timeframe", [120, None, ["1m"]])
def test_a_timeframe_that_is_no_text_is_never_answered(timeframe: object):
    sent: list[Event] = []
    lighthouse = Lighthouse(Measurements({}, EventStore(), ""), sent.append)
    data = {**SCOPE, "evaluation": {"timeframe": timeframe}}
    lighthouse.handle(new_event("evaluation.triggered", "shipyard-controller", "c", data))

    assert sent == []
