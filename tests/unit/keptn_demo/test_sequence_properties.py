from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from demo.keptn.events import Event, kind, sequence_name
from tests.unit.keptn_demo.controllers import World

CONTEXTS = ("a", "b", "c")
ANSWERS = st.tuples(st.just("answer"), st.sampled_from(CONTEXTS), st.sampled_from(["pass", "warning", "fail"]))


def controls(*names: str) -> st.SearchStrategy[tuple[str, str, str]]:
    return st.tuples(st.sampled_from(names), st.sampled_from(CONTEXTS), st.just(""))


def step(world: World, what: str, context: str, result: str) -> None:
    open_tasks = [run.current for run in world.controller.runs if run.trigger.context == context]
    triggers = [event for event in world.triggers(context) if event.id in {task.triggered_id for task in open_tasks}]
    if what == "answer" and triggers:
        world.finish(triggers[0], result)
    elif what == "expire" and triggers:
        world.take(world.controller.expired(triggers[0]))
    elif what in ("abort", "pause", "resume"):
        world.take(getattr(world.controller, what)("p", context, ""))


def deliveries() -> World:
    world = World()
    for context in CONTEXTS:
        world.deliver(context)
    return world


@settings(deadline=None)
@given(st.lists(st.one_of(ANSWERS, controls("abort", "expire")), max_size=40))
def test_without_a_pause_one_run_at_a_time(steps: list[tuple[str, str, str]]):
    world = deliveries()
    for one in steps:
        step(world, *one)
        busy = Counter(run.trigger.target for run in world.controller.runs if run.state == "started")
        assert all(count == 1 for count in busy.values())


@settings(deadline=None)
@given(st.lists(st.one_of(ANSWERS, controls("abort", "pause", "resume", "expire")), max_size=40))
def test_whatever_happens_each_sequence_ends_once(steps: list[tuple[str, str, str]]):
    world = deliveries()
    for one in [*steps, *(("resume", context, "") for context in CONTEXTS)]:
        step(world, *one)
    while any(run.state in ("started", "triggered") for run in world.controller.runs):
        for context in CONTEXTS:
            step(world, "answer", context, "pass")

    ends = {
        word: [event for event in sequences(world) if kind(event.type) == word] for word in ("triggered", "finished")
    }
    assert Counter(event.triggered_id for event in ends["finished"]) == Counter(event.id for event in ends["triggered"])


def sequences(world: World) -> list[Event]:
    return [event for event in world.sent if sequence_name(event.type) != ("", "")]
