from prodeval.domain.resource import ResourceKey
from prodeval.service.schedule import Schedule

A, B, C = (ResourceKey("team", name) for name in "abc")


def test_what_is_due_is_taken_once():
    schedule = Schedule()
    schedule.put(A, "p", 10, 100)
    assert schedule.take(9) == ()
    assert schedule.take(10) == (A,)
    assert schedule.take(10) == ()


def test_resources_of_one_project_go_together_where_their_intervals_allow():
    schedule = Schedule()
    schedule.put(A, "p", 10, 100)
    schedule.put(B, "p", 59, 100)
    schedule.put(C, "p", 61, 100)
    assert schedule.take(10) == (A, B)


def test_other_projects_are_left_alone():
    schedule = Schedule()
    schedule.put(A, "p", 10, 100)
    schedule.put(B, "q", 11, 100)
    assert schedule.take(10) == (A,)


def test_a_dropped_resource_is_never_due():
    schedule = Schedule()
    schedule.put(A, "p", 10, 100)
    schedule.drop(A)
    assert schedule.take(10) == ()
