"""Which project may have its turn: order, places, holds, and that nobody is forgotten or looked at for nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodeval.runtime.lane import SLOW_SECONDS, Cause, Lane, Turn

LONG = SLOW_SECONDS + 1
PROJECTS = ("a", "b", "c")


def taken(lane, now):
    """All turns that may begin."""
    return list(iter(lambda: lane.take(now), None))


def make_slow(lane, project, now=0.0):
    """A turn of a project that takes too long, and something that is due some day; returns when the turn is over."""
    lane.wake(project, f"{project}-slow", now, Cause.CHANGE)
    assert lane.take(now).project == project
    lane.ended(project, now + LONG)
    lane.wake(project, f"{project}-later", now + 1e6, Cause.TIME)
    return now + LONG


def test_nothing_is_due_in_an_empty_lane():
    lane = Lane(2)
    assert (lane.take(0), lane.next_due(0)) == (None, None)


def test_what_is_due_by_a_change_comes_before_time_and_start():
    lane = Lane(9)
    lane.wake("a", "a", 0, Cause.START)
    lane.wake("b", "b", 0, Cause.TIME)
    lane.wake("c", "c", 5, Cause.CHANGE)
    lane.wake("d", "d", 3, Cause.CHANGE)
    assert [turn.project for turn in taken(lane, 5)] == ["d", "c", "b", "a"]


def test_a_project_is_as_urgent_as_the_most_urgent_of_its_items():
    lane = Lane(1)
    lane.wake("a", "a", 0, Cause.TIME)
    lane.wake("b", "b1", 1, Cause.START)
    lane.wake("b", "b2", 1, Cause.CHANGE)
    assert lane.take(1) == Turn("b", ("b1", "b2"))


def test_what_is_due_already_can_become_urgent():
    lane = Lane(1)
    lane.wake("a", "a", 0, Cause.TIME)
    lane.wake("b", "b", 0, Cause.START)
    assert lane.next_due(0) is None
    lane.wake("b", "b", 4, Cause.CHANGE)
    assert lane.take(4).project == "b"


def test_what_is_due_later_becomes_urgent_for_then():
    lane = Lane(1)
    lane.wake("a", "a", 3, Cause.TIME)
    lane.wake("b", "b", 4, Cause.START)
    lane.wake("b", "b", 9, Cause.CHANGE)
    assert lane.take(2) is None
    assert lane.take(4).project == "b"


def test_nothing_is_taken_before_it_is_due():
    lane = Lane(1)
    lane.wake("a", "x", 10, Cause.TIME)
    assert lane.take(9.9) is None
    assert lane.next_due(9.9) == 10
    assert lane.take(10) == Turn("a", ("x",))


def test_an_earlier_time_replaces_a_later_one_and_not_the_other_way_round():
    lane = Lane(1)
    lane.wake("a", "x", 10, Cause.TIME)
    lane.wake("a", "x", 5, Cause.TIME)
    lane.wake("a", "x", 20, Cause.TIME)
    assert lane.take(5) == Turn("a", ("x",))
    lane.ended("a", 6)
    assert taken(lane, 100) == []


def test_an_item_that_went_to_another_project_is_due_there_alone():
    lane = Lane(2)
    lane.wake("a", "x", 1, Cause.TIME)
    lane.wake("b", "x", 2, Cause.TIME)
    assert taken(lane, 3) == [Turn("b", ("x",))]


def test_what_is_due_soon_goes_along_within_its_slack():
    lane = Lane(1)
    lane.wake("a", "due", 10, Cause.TIME, slack=5)
    lane.wake("a", "soon", 14, Cause.TIME, slack=5)
    lane.wake("a", "later", 16, Cause.TIME, slack=5)
    lane.wake("a", "strict", 11, Cause.TIME)
    assert lane.take(10) == Turn("a", ("due", "soon"))


def test_a_retry_takes_nobody_along():
    lane = Lane(1)
    lane.wake("a", "retry", 10, Cause.TIME)
    lane.wake("a", "sibling", 11, Cause.TIME, slack=100)
    assert lane.take(10) == Turn("a", ("retry",))


def test_a_project_has_one_turn_at_a_time():
    lane = Lane(5)
    lane.wake("a", "x", 0, Cause.CHANGE)
    assert lane.take(0) == Turn("a", ("x",))
    lane.wake("a", "y", 1, Cause.CHANGE)
    assert taken(lane, 1) == []
    lane.ended("a", 2)
    assert lane.take(2) == Turn("a", ("y",))


def test_a_wake_during_the_item_s_own_turn_is_not_lost():
    lane = Lane(5)
    lane.wake("a", "x", 0, Cause.CHANGE)
    lane.take(0)
    lane.wake("a", "x", 1, Cause.CHANGE)
    lane.ended("a", 2)
    lane.wake("a", "x", 600, Cause.TIME)  # as the end of a turn does
    assert lane.take(2) == Turn("a", ("x",))


def test_what_is_forgotten_is_not_due_any_more():
    lane = Lane(1)
    lane.wake("a", "x", 1, Cause.TIME)
    lane.wake("a", "y", 1, Cause.TIME)
    lane.forget("x")
    lane.forget("never known")
    assert lane.take(1) == Turn("a", ("y",))


def test_a_project_whose_items_are_all_forgotten_gets_no_turn():
    lane = Lane(1)
    lane.wake("a", "x", 1, Cause.TIME)
    assert lane.next_due(2) is None  # it is ready
    lane.forget("x")
    assert taken(lane, 2) == []


def test_a_project_on_hold_waits_whatever_is_due():
    lane = Lane(1)
    lane.hold("a", 100)
    lane.hold("a", 50)
    lane.wake("a", "x", 0, Cause.CHANGE)
    lane.wake("b", "y", 0, Cause.CHANGE)
    assert taken(lane, 99) == [Turn("b", ("y",))]
    assert lane.next_due(0) == 100
    lane.ended("b", 99)
    assert lane.take(100) == Turn("a", ("x",))


def test_places_are_bounded():
    lane = Lane(2)
    for name in PROJECTS:
        lane.wake(name, name, 0, Cause.CHANGE)
    assert len(taken(lane, 0)) == lane.running == 2
    lane.ended("a", 1)
    assert [turn.project for turn in taken(lane, 1)] == ["c"]


def test_a_turn_that_becomes_slow_gives_its_place_to_another():
    lane = Lane(1)
    for name in PROJECTS:
        lane.wake(name, name, 0, Cause.CHANGE)
    assert [turn.project for turn in taken(lane, 0)] == ["a"]
    assert lane.next_due(0) == SLOW_SECONDS
    assert [turn.project for turn in taken(lane, SLOW_SECONDS)] == ["b"]


@pytest.mark.parametrize("began", [6.4, 22.35100866686135, 55.93581677947979])
def test_when_a_turn_becomes_slow_is_one_moment(began):
    """Sums and differences of the same two numbers round to different sides."""
    lane = Lane(1)
    lane.wake("a", "a", began, Cause.CHANGE)
    lane.wake("b", "b", began, Cause.CHANGE)
    lane.take(began)
    assert lane.take(lane.next_due(began)).project == "b"


def test_so_many_hang_at_once_and_no_more():
    lane = Lane(1)
    now = 0.0
    for number in range(9):
        lane.wake(f"p{number}", f"i{number}", now, Cause.CHANGE)
        taken(lane, now)
        now += SLOW_SECONDS
    assert lane.running == 4


def test_slow_projects_share_a_quarter_of_the_places():
    lane = Lane(8)
    slow = [f"slow{number}" for number in range(5)]
    now = max(make_slow(lane, project) for project in slow)
    for project in slow:
        lane.wake(project, project, now, Cause.CHANGE)
    for number in range(9):
        lane.wake(f"quick{number}", f"quick{number}", now, Cause.START)
    begun = [turn.project for turn in taken(lane, now)]
    assert sum(name in slow for name in begun) == 2
    assert sum(name not in slow for name in begun) == 8


def test_the_only_place_of_a_lane_is_enough_for_slow_projects():
    lane = Lane(1)
    now = make_slow(lane, "a")
    lane.wake("a", "a", now, Cause.CHANGE)
    assert lane.take(now).project == "a"


def test_a_project_is_slow_until_a_turn_of_it_is_not():
    lane = Lane(4)
    now = max(make_slow(lane, "a"), make_slow(lane, "b"))
    for name in ("a", "b"):
        lane.wake(name, name, now, Cause.CHANGE)
    assert len(taken(lane, now)) == 1
    lane.ended("a", now + 1)
    assert [turn.project for turn in taken(lane, now + 1)] == ["b"]
    lane.ended("b", now + 2)
    for name in ("a", "b"):
        lane.wake(name, name, now + 2, Cause.CHANGE)
    assert len(taken(lane, now + 2)) == 2


def test_nothing_is_left_of_projects_that_are_gone():
    lane = Lane(4)
    now = make_slow(lane, "a")
    lane.hold("b", now + 5)
    lane.wake("b", "b", now, Cause.CHANGE)
    for item in ("b", "a-later"):
        lane.forget(item)
    assert lane.take(now + 5) is None
    left = (lane._entries, lane._projects, lane._running, lane._slow, lane._held, lane._ready)
    assert not any(left)


class Model:
    """What a lane should do with few projects and many places: no share, no order, only what is due when."""

    def __init__(self):
        self.due, self.running, self.held = {}, {}, {}

    def wake(self, project, item, due):
        known = self.due.get(item)
        if known is None or known[0] != project or due < known[1]:
            self.due[item] = (project, due)

    def may_begin(self, now):
        """The projects that a turn may begin for."""
        return {
            project
            for project, due in self.due.values()
            if due <= now and project not in self.running and self.held.get(project, now) <= now
        }

    def items(self, project, now):
        return tuple(sorted(item for item, (of, due) in self.due.items() if of == project and due <= now))


times = st.integers(0, 4000).map(lambda hundredths: hundredths / 100)
actions = st.one_of(
    st.tuples(st.just("wake"), st.sampled_from(PROJECTS), st.sampled_from("xyz"), times, st.sampled_from(Cause)),
    st.tuples(st.just("forget"), st.sampled_from(PROJECTS), st.sampled_from("xyz")),
    st.tuples(st.just("hold"), st.sampled_from(PROJECTS), times),
    st.tuples(st.just("take")),
    st.tuples(st.just("end"), st.sampled_from(PROJECTS)),
    st.tuples(st.just("pass"), times),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(actions, max_size=60))
def test_random_wakes_are_served_as_a_simple_model_says(walk):
    lane, model, now = Lane(16), Model(), 0.0
    for action, *what in walk:
        if action == "wake":
            project, name, wait, cause = what
            lane.wake(project, f"{project}{name}", now + wait, cause)
            model.wake(project, f"{project}{name}", now + wait)
        elif action == "forget":
            lane.forget("".join(what))
            model.due.pop("".join(what), None)
        elif action == "hold":
            project, wait = what
            lane.hold(project, now + wait)
            model.held[project] = max(now + wait, model.held.get(project, 0.0))
        elif action == "end" and what[0] in model.running:
            lane.ended(what[0], now)
            del model.running[what[0]]
        elif action == "pass":
            now = passed(lane, model, now, now + what[0])
        elif action == "take":
            taken_as_the_model_says(lane, model, now)
    come_to_rest(lane, model, now)


def taken_as_the_model_says(lane, model, now):
    for turn in taken(lane, now):
        assert turn.project in model.may_begin(now)
        assert turn.items == model.items(turn.project, now)
        for item in turn.items:
            del model.due[item]
        model.running[turn.project] = now
    assert not model.may_begin(now)


def passed(lane, model, now, then):
    """The time goes on; nothing may begin before the lane says so, which always is later than now."""
    taken_as_the_model_says(lane, model, now)
    while (due := lane.next_due(now)) is not None and due <= then:
        assert due > now
        assert not model.may_begin(now + (due - now) * 0.999)
        now = due
        taken_as_the_model_says(lane, model, now)
    assert not model.may_begin(then)
    return then


def come_to_rest(lane, model, now):
    """All turns end: whatever is due gets its turn at its time, and then there is nothing to wait for."""
    while model.due or model.running:
        taken_as_the_model_says(lane, model, now)
        for project in list(model.running):
            lane.ended(project, now)
            del model.running[project]
        due = lane.next_due(now)
        assert due is None or due > now
        if due is None:
            assert not model.due or model.may_begin(now)
        else:
            now = due
    assert taken(lane, now) == []
