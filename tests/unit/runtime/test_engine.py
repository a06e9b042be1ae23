"""What becomes due by what the watch tells, by the ends of turns and by faults, over parts that only listen."""

import pytest

from prodeval.domain.errors import GitOperationFailedError, KeptnUnavailableError, StatusRefusedError
from prodeval.runtime.engine import Engine
from prodeval.service.notes import Notes
from prodeval.service.registry import Registry
from prodeval.service.turns import Again, TurnEnd
from tests.support.world import MovedClock, World
from tests.unit.verdict.keptn_events import Story


class Part:
    """The turns of a lane or the sweep: notes what it is asked, and answers what the test says."""

    def __init__(self):
        self.turns, self.is_stopped = [], False
        self.end = TurnEnd()
        self.during = lambda: None

    def turn(self, project="", items=()):
        self.turns.append((project, tuple(items)))
        self.during()
        if isinstance(self.end, Exception):
            raise self.end
        return self.end

    def stop(self):
        self.is_stopped = True


class Parts:
    """An engine; turns wait in `begun` until the test runs them."""

    def __init__(self):
        self.clock = MovedClock()
        self.registry = Registry(self.clock)
        self.sync, self.observe, self.sweep = Part(), Part(), Part()
        self.begun = []
        self.engine = Engine(self.registry, self.sync, self.observe, self.sweep, self.clock, self.begun.append)

    def tell(self, body, kind="MODIFIED"):
        self.engine.told(kind, body, body["metadata"]["uid"])

    def run(self, seconds=0.0):
        """Let time pass and run all turns that begin until then."""
        self.clock.seconds += seconds
        self.engine.tick()
        while self.begun:
            self.begun.pop(0)()
            self.engine.tick()

    def all_turns(self):
        """What was run since the last call, by lane."""
        found = self.sync.turns, self.observe.turns, self.sweep.turns
        self.sync.turns, self.observe.turns, self.sweep.turns = [], [], []
        return tuple(found)


def body(name="hello", version=1, *, generation=1, uid="", annotations=None, synced="", **spec):
    metadata = {"namespace": "n", "name": name, "uid": uid or f"uid-{name}", "generation": generation}
    metadata |= {"resourceVersion": str(version), "creationTimestamp": "2026-01-01T00:00:00Z"}
    metadata |= {"annotations": annotations} if annotations else {}
    status = {"conditions": [{"type": "Synced", "status": "False", "reason": synced}]} if synced else {}
    return {"metadata": metadata, "spec": {"project": "p", "service": name} | spec, "status": status}


@pytest.fixture
def parts():
    return Parts()


@pytest.fixture
def resting(parts):
    """With one resource, whose first turns are over."""
    parts.tell(body())
    parts.run()
    parts.all_turns()
    return parts


def test_a_new_resource_is_synced_and_looked_at(parts):
    parts.tell(body(), kind=None)
    parts.run()
    assert parts.all_turns() == ([("p", ("uid-hello",))], [("p", ())], [])


@pytest.mark.parametrize(
    "change",
    [body(version=2, generation=2), body(version=2, annotations={"prodeval.dev/reconcile-requested-at": "now"})],
)
def test_a_changed_wish_is_due_at_once(resting, change):
    resting.tell(change)
    resting.run()
    assert resting.all_turns()[:2] == ([("p", ("uid-hello",))], [("p", ())])


def test_a_status_is_no_wish_but_a_lost_one_is_written_again(resting):
    resting.tell(body(version=2, synced="Synced"))
    resting.run()
    assert resting.all_turns() == ([], [], [])
    resting.tell(body(version=3))
    resting.run()
    assert resting.all_turns()[0] == [("p", ("uid-hello",))]


def test_a_deletion_makes_due_who_waits_for_the_place(resting):
    resting.tell(body("heir", 2, service="hello"))
    resting.tell(body("waits", 3, synced="ShipyardConflict"))
    resting.tell(body("content", 4))
    resting.run()
    resting.all_turns()
    resting.tell(body(), "DELETED")
    resting.run()
    assert resting.all_turns()[0] == [("p", ("uid-heir", "uid-waits"))]


def test_a_deletion_of_somebody_unknown_is_nothing(resting):
    resting.tell(body("stranger"), "DELETED")
    resting.run()
    assert resting.all_turns() == ([], [], [])


def test_items_come_again_when_their_turn_said(parts):
    parts.sync.end = TurnEnd({"uid-hello": Again(100.0)})
    parts.observe.end = TurnEnd({"p": Again(40.0)})
    parts.tell(body())
    parts.run()
    parts.all_turns()
    parts.run(20)  # and not at the sweep's time
    assert parts.all_turns() == ([], [], [])
    parts.run(20)
    assert parts.all_turns()[:2] == ([], [("p", ())])
    parts.run(60)
    assert parts.all_turns()[0] == [("p", ("uid-hello",))]


@pytest.mark.parametrize("lane", ["sync", "observe", "sweep"])
def test_a_turn_that_raises_is_told_and_comes_again(resting, lane, caplog):
    part = getattr(resting, lane)
    part.end = AttributeError("x")
    resting.tell(body(version=2, generation=2))
    resting.run(60)
    assert "failed; will be tried again" in caplog.text
    resting.all_turns()
    resting.run(30)
    assert len(part.turns) == 1


def test_faults_in_a_row_are_tried_more_and_more_rarely(resting, caplog):
    resting.observe.end = AttributeError("x")
    resting.tell(body(version=2, generation=2))
    for _ in range(3600):
        resting.run(1)
    assert 5 <= len(resting.observe.turns) <= 15
    resting.observe.end = TurnEnd({"p": Again(15.0)})
    resting.run(600)
    resting.observe.end = AttributeError("x")
    resting.run(15)
    resting.all_turns()
    resting.run(30)
    assert len(resting.observe.turns) == 1


def test_a_server_that_asks_to_be_left_alone_is_left_alone(parts):
    parts.sync.end = TurnEnd(hold=100.0)
    parts.tell(body())
    parts.run()
    parts.all_turns()
    parts.tell(body(version=2, generation=2))
    parts.run(99)
    assert parts.all_turns()[0] == []
    parts.run(1)
    assert parts.all_turns()[0] == [("p", ("uid-hello",))]


@pytest.mark.parametrize("news", [False, True])
def test_news_of_a_sync_make_a_look_due(parts, news):
    parts.tell(body())
    parts.run()
    parts.all_turns()
    parts.sync.end = TurnEnd(news=news)
    parts.sync.during = parts.observe.turns.clear  # what the change itself made due
    parts.tell(body(version=2, generation=2))
    parts.engine.tick()
    look, sync = sorted(parts.begun, key=lambda one: len(one.args[1].items[0]))
    parts.begun.clear()
    look()
    sync()
    parts.run()
    assert parts.observe.turns == ([("p", ())] if news else [])


def test_who_is_deleted_in_the_middle_of_its_turn_does_not_come_again(resting):
    resting.sync.end = TurnEnd({"uid-hello": Again(5.0)})
    resting.sync.during = lambda: resting.tell(body(), "DELETED")
    resting.tell(body(version=2, generation=2))
    resting.run()
    resting.all_turns()
    resting.run(10)
    assert resting.all_turns()[0] == []


def test_a_spec_that_becomes_readable_during_its_turn_is_synced_in_its_project(parts):
    """What cannot be read has no project; the end of that turn must not take the object back there."""
    parts.sync.end = TurnEnd({"uid-hello": Again(600.0)})
    parts.sync.during = lambda: parts.tell(body(version=2, generation=2))
    parts.tell(body(interval="banana"))
    parts.run()
    assert parts.all_turns()[0] == [("", ("uid-hello",)), ("p", ("uid-hello",))]


def test_the_sweep_runs_soon_after_the_start_and_then_now_and_then(parts):
    swept = []
    for second in range(1000):
        parts.run(1)
        swept += [second + 1] * len(parts.all_turns()[2])
    assert swept == [30, 330, 630, 930]


def test_the_dispatcher_looks_at_least_each_second_and_ends(parts):
    waited = []

    class Due:
        """Stands for the event on which the dispatcher waits."""

        def clear(self):
            pass

        def set(self):
            pass

        def wait(self, seconds):
            waited.append(seconds)
            if len(waited) == 3:
                parts.engine.stop()

    parts.engine._due = Due()
    parts.engine.run()
    assert len(waited) == 3
    assert parts.sync.is_stopped
    assert parts.observe.is_stopped
    assert all(0 < seconds <= 1 for seconds in waited)


def test_the_age_is_how_long_ago_the_dispatcher_looked(parts):
    parts.engine.tick()
    parts.clock.seconds += 70
    assert parts.engine.age == 70
    parts.engine.tick()
    assert parts.engine.age == 0


def test_an_engine_with_nothing_to_do_waits(parts):
    assert parts.engine.tick() == 30  # for its sweep
    parts.run(30)
    assert parts.engine.tick() == 300


def left_behind(world):
    """Everything that the parts of a world keep by resource or project."""
    parts = (world.sync, world.observe, world.reporter, world.judge, world.registry, world.log, world.inquiry)
    lanes = (world.engine._syncs, world.engine._looks)
    notes = [one for part in parts for one in vars(part).values() if isinstance(one, Notes)]
    kept = {
        (type(part).__name__, name): value
        for part in (*parts, *lanes, *notes)
        for name, value in vars(part).items()
        if isinstance(value, dict | set | list) and name not in {"_listeners", "_queue", "_gone"}
    }
    return {place: value for place, value in kept.items() if value}


@pytest.mark.parametrize("in_the_middle", [False, True])
@pytest.mark.parametrize("keptn_answers", [True, False])
def test_resources_that_are_gone_leave_nothing_behind(in_the_middle, keptn_answers):
    world = World(("fulltour", "elsewhere"))
    world.cluster.apply()
    world.cluster.apply("other", project="elsewhere")
    world.run(20)
    for project in ("fulltour", "elsewhere"):
        story = Story()
        story.deliver(30, project)
        world.keptn.tell(story, project)
    world.cluster.refuses["other"] = StatusRefusedError("denied")
    world.git.failures["fulltour"] = GitOperationFailedError("no answer")
    world.run(200)
    if not keptn_answers:
        world.keptn.failures["elsewhere"] = KeptnUnavailableError("no answer")
        world.run(60)
    for name in ("hello", "other"):
        world.cluster.apply(name, project=world.cluster.get(name)["spec"]["project"], historyLimit=1)
    if in_the_middle:
        world.pool.takes |= {
            (kind, project): 20.0 for kind in ("sync", "look") for project in ("fulltour", "elsewhere")
        }
        world.run(1)
        assert world.pool.running
    for name in ("hello", "other"):
        world.cluster.delete(name)
    world.keptn.failures.clear()
    world.run(400)
    assert left_behind(world) == {}
