"""What the operator says and asks while Keptn, or Keptn about one project, does not answer."""

import logging
from itertools import pairwise

import pytest

from prodeval.domain.errors import (
    DependencyNotReadyError,
    GitOperationFailedError,
    KeptnAwayError,
    KeptnUnavailableError,
)
from prodeval.domain.resource import ResourceKey
from tests.unit.service.operator_parts import NAMESPACE, SYNCED, Parts, body

PROJECTS = [f"p{n}" for n in range(20)]
KEY = ResourceKey(NAMESPACE, "hello")


@pytest.fixture
def parts(caplog):
    caplog.set_level(logging.INFO)
    return Parts()


def refuse(retry_after=None):
    return lambda: KeptnAwayError("Keptn's API at http://keptn/api does not answer: refused", retry_after=retry_after)


def put_projects(parts, *, status=SYNCED, **spec):
    parts.put(*(body(project, project=project, status=status, **spec) for project in PROJECTS))


def test_ten_minutes_without_keptn_are_one_line_and_one_patch_for_each_resource(parts, caplog):
    put_projects(parts, version="v2")
    parts.run(1200)
    caplog.clear()
    parts.cluster.patches.clear()
    parts.keptn.asked.clear()
    parts.keptn.failures[None] = refuse()
    turns = parts.run(600)
    assert [record.getMessage() for record in caplog.records] == [
        "No results until Keptn answers again: Keptn's API at http://keptn/api does not answer: refused"
    ]
    assert sorted(name for name, _ in parts.cluster.patches) == sorted(PROJECTS)
    assert parts.message("p7")[0] == "KeptnUnavailable"
    assert len(parts.keptn.asked) == turns
    assert turns <= 41


def test_the_end_of_an_outage_is_said_once_and_all_projects_are_judged_again(parts, caplog):
    put_projects(parts, version="v2")
    parts.keptn.failures[None] = refuse()
    parts.run(60)
    caplog.clear()
    parts.keptn.failures.clear()
    parts.run(60)
    assert [record.getMessage() for record in caplog.records] == ["Keptn answers again"]
    assert {parts.message(project)[0] for project in PROJECTS} == {"AwaitingVersion"}


def test_another_cause_of_the_same_outage_is_said_too(parts, caplog):
    put_projects(parts)
    for text in ("refused", "refused", "wrong token", "wrong token"):
        parts.keptn.failures[None] = lambda text=text: KeptnAwayError(text)
        parts.turn()
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == ["refused", "wrong token"]
    assert parts.message("p3")[1] == "wrong token; will be tried again"


def test_what_differs_from_try_to_try_is_neither_written_nor_said_again(parts, caplog):
    put_projects(parts)
    numbers = iter(range(100))
    parts.keptn.failures[None] = lambda: KeptnAwayError(f"<Connection object at 0x7f00000{next(numbers):02}>: refused")
    for _ in range(5):
        parts.turn()
    assert (len(caplog.records), len(parts.cluster.patches)) == (1, len(PROJECTS))


def test_a_failed_sync_is_written_once_too(parts):
    parts.put(body())
    numbers = iter(range(100))
    parts.syncer.fails = lambda: GitOperationFailedError(f"IncompleteRead({next(numbers)} bytes read)")
    for _ in range(5):
        parts.reconciler.reconcile(KEY)
    assert len(parts.cluster.patches) == 1


def test_a_failure_of_one_project_alone_is_said_once_and_the_others_go_on(parts, caplog):
    put_projects(parts, version="v2")
    parts.keptn.failures["p3"] = lambda: KeptnUnavailableError("Keptn's API answers 500: broken")
    parts.run(600)
    assert parts.message("p3") == ("KeptnUnavailable", "Keptn's API answers 500: broken; will be tried again")
    assert {parts.message(project)[0] for project in PROJECTS if project != "p3"} == {"AwaitingVersion"}
    parts.keptn.failures.clear()
    parts.turn()
    assert [record.getMessage() for record in caplog.records] == [
        "Results of project p3 are unknown: Keptn's API answers 500: broken",
        "Results of project p3 are known again",
    ]
    assert parts.message("p3")[0] == "AwaitingVersion"


def test_a_project_that_keptn_does_not_know_does_not_end_the_turn(parts):
    put_projects(parts)
    parts.keptn.failures["p0"] = lambda: DependencyNotReadyError("Keptn does not know the project p0")
    parts.turn()
    assert set(PROJECTS) <= set(parts.keptn.asked)


def test_a_project_that_always_ends_the_turn_does_not_hide_the_others(parts, caplog):
    put_projects(parts, version="v2")
    parts.keptn.failures["p3"] = lambda: KeptnAwayError("no whole answer within 30 s")
    parts.run(120, interval=30)
    assert {parts.message(project)[0] for project in PROJECTS if project != "p3"} == {"AwaitingVersion"}
    assert parts.message("p3")[0] == "KeptnUnavailable"
    assert len(caplog.records) == 1


def test_the_turn_ends_too_if_keptn_goes_away_in_the_middle_of_a_project(parts):
    put_projects(parts, status={**SYNCED, "pending": {"deadline": "2026-01-01T01:00:00Z"}}, version="v2")
    parts.keptn.failures["p2/executions"] = refuse()
    parts.turn()
    assert parts.keptn.asked[-1] == "p2/executions"
    assert {parts.message(project)[0] for project in PROJECTS} == {"AwaitingVersion", "KeptnUnavailable"}


def test_a_wait_that_keptn_asks_for_is_kept(parts):
    put_projects(parts)
    parts.keptn.failures[None] = refuse(retry_after=120.0)
    assert parts.turn() == 120.0


def test_in_an_outage_a_reconcile_does_not_ask_for_another_turn(parts):
    parts.put(body(status=SYNCED))
    parts.reconciler.reconcile(KEY)
    assert parts.observer.has_unread(KEY)
    parts.keptn.failures[None] = refuse()
    parts.turn()
    parts.reconciler.reconcile(KEY)
    assert not parts.observer.has_unread(KEY)
    assert parts.message("hello")[0] == "KeptnUnavailable"


def test_a_verdict_stays_while_keptn_is_away(parts):
    passed = {"type": "Passed", "status": "True", "reason": "Passed", "message": "v1 passed"}
    parts.put(body(status={**SYNCED, "observedGeneration": 1, "verdict": "Pass", "conditions": [passed]}))
    parts.keptn.failures[None] = refuse()
    parts.turn()
    assert parts.cluster.patches == []


def test_the_poller_gives_a_sign_of_life_between_projects_and_between_resources(parts):
    parts.put(*(body(name, project=name, status=SYNCED) for name in ("one", "two", "three")))
    parts.put(body("second-of-three", project="three", status=SYNCED))
    beats = []
    parts.observer.turn(lambda: beats.append(len(parts.keptn.asked)))
    assert set(beats) >= {0, 1, 2, 3}
    assert max(later - earlier for earlier, later in pairwise(beats)) <= 1


def test_waiting_grows_up_to_the_interval_however_long_it_takes(parts):
    parts.put(body())
    parts.syncer.fails = lambda: GitOperationFailedError("no answer")
    waits = [parts.reconciler.reconcile(KEY).seconds for _ in range(2000)]
    assert waits[0] < waits[5] < 60
    assert waits[-1] == 600


def test_a_verdict_is_waited_for_as_long_as_the_sync_found(parts):
    parts.put(body(version="v2"))
    parts.reconciler.reconcile(KEY)
    status = parts.cluster.objects[KEY]["status"]
    assert status["resolved"]["resultTimeout"] == "35m"
    assert status["pending"]["deadline"] == "2026-01-01T00:35:00.000Z"
