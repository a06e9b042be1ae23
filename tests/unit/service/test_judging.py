"""What is said from memory alone, and what is asked before a pass counts."""

import base64
import hashlib

import pytest

from prodeval.domain.errors import ClusterUnavailableError, GitOperationFailedError, KeptnUnavailableError
from prodeval.domain.verdict import FileFacts
from prodeval.service.judging import Proof, expectation, first_sync
from tests.support.world import World
from tests.unit.verdict.keptn_events import Story, iso, time

AWAY = KeptnUnavailableError("no answer")
GIT_AWAY = GitOperationFailedError("no answer")


def synced(**spec):
    world = World()
    world.cluster.apply(**spec)
    world.run(20)
    return world


def deliver(world, *, at=30, context="c1", **story):
    told = Story()
    told.deliver(at, context, **story)
    world.keptn.tell(told)
    return told


def resource(world):
    return world.registry.get("uid-1")


def delivered(**story):
    """A delivery that Keptn judged, of which the operator knows the events and has asked nothing."""
    world = synced()
    deliver(world, **story)
    world.clock.seconds = 150.0
    world.log.refresh("fulltour", {"hello": time(0)}, with_executions=False)
    return world


def test_nothing_is_said_before_keptn_was_asked():
    world = synced()
    world.log.drop("fulltour")
    assert world.judge.is_unread(resource(world))
    assert world.judge.judge(resource(world)) is None
    assert world.judge.question(resource(world)) is None
    assert not world.judge.lacks_deployment(resource(world))


def test_a_spec_that_the_status_does_not_answer_is_pending_until_keptn_was_asked():
    world = synced()
    world.log.drop("fulltour")
    world.cluster.apply(version="v2")
    judgement = world.judge.judge(resource(world))
    assert (judgement.verdict, judgement.passed.reason) == ("Pending", "Reconciling")


def test_a_first_sync_knows_that_nothing_counts_yet():
    world = World()
    world.cluster.apply()
    before = resource(world)
    world.run(1)
    assert first_sync(before) is None
    assert world.passed() == ("Pending", "AwaitingDelivery")


def test_a_pass_is_a_question_before_it_is_a_verdict():
    world = delivered()
    found = world.judge.question(resource(world))
    assert found.event_id.startswith("c1/evaluation.finished")
    assert world.judge.judge(resource(world)) is None
    world.judge.learn(resource(world), found, Proof(FileFacts(found_slo(found), ())))
    assert world.judge.question(resource(world)) is None
    assert world.judge.judge(resource(world)).verdict == "Pass"


def found_slo(found):
    """The digest of the SLO in an evaluation."""
    return hashlib.sha256(base64.b64decode(found.candidate.finished.text("evaluation", "sloFileContent"))).hexdigest()


def test_a_fail_is_a_verdict_without_a_question():
    world = delivered(value=5)
    judgement = world.judge.judge(resource(world))
    assert (judgement.verdict, judgement.passed.reason) == ("Fail", "Fail")
    assert {one.check: one.status for one in judgement.evidence}["SLOMatches"] == "Unknown"


def test_a_question_that_git_does_not_answer_stays_one_and_is_outstanding():
    world = delivered()
    found = world.judge.question(resource(world))
    world.judge.learn(resource(world), found, Proof(None))
    assert world.judge.question(resource(world)).event_id == found.event_id
    judgement = world.judge.judge(resource(world))
    assert (judgement.verdict, judgement.passed.reason) == ("Pending", "EvidenceOutstanding")
    assert judgement.pending.deadline - world.clock.now() == expectation(resource(world)).result_timeout


def test_an_answer_about_another_evaluation_proves_nothing():
    world = delivered()
    found = world.judge.question(resource(world))
    world.judge.learn(resource(world), found, Proof(FileFacts(found_slo(found), ())))
    deliver(world, at=200, context="c2", version="v2")
    world.clock.seconds = 320.0
    world.log.refresh("fulltour", {"hello": time(0)}, with_executions=False)
    assert world.judge.question(resource(world)).event_id.startswith("c2/")


def test_while_keptn_is_silent_who_waits_is_not_told_what_was_known_before():
    world = synced()
    world.judge.miss("fulltour")
    assert world.judge.judge(resource(world)) is None
    world.judge.hear("fulltour")
    assert world.judge.judge(resource(world)).passed.reason == "AwaitingDelivery"


def test_a_verdict_is_not_undone_where_events_may_be_missing():
    world = synced()
    deliver(world)
    world.run(150)
    status = {name: one for name, one in world.cluster.status().items() if name != "lastEvaluation"}
    world.cluster.set_status("hello", status | {"history": []})
    world.keptn.raw["fulltour"] = []
    world.start()
    assert world.judge.judge(resource(world)) is None
    for since, said in ((time(0), "AwaitingDelivery"), (time(50), None)):
        world.log.drop("fulltour")
        world.log.refresh("fulltour", {"hello": since}, with_executions=False)
        judgement = world.judge.judge(resource(world))
        assert (judgement and judgement.passed.reason) == said


def test_the_expectation_is_what_spec_and_last_sync_say():
    world = synced(version="v1", shipyard={"load": "LiveTraffic", "sequence": "delivery"})
    expected = expectation(resource(world))
    assert (expected.version, expected.test_task, expected.tasks) == (
        "v1",
        None,
        ("delivery", "je-deployment", "je-test"),
    )
    assert iso(0)[:19] == expected.first_sync.isoformat()[:19]
    assert expected.files_pushed == expected.first_sync


def stand_alone(world, **changes):
    """An evaluation whose deployment is older than what the operator knows."""
    told = Story()
    told.stand_alone(60, 70, "c1", (40, 60), **changes)
    world.keptn.tell(told)
    world.clock.seconds = 150.0


def test_a_deployment_that_is_not_known_is_asked_for_by_name():
    world = synced()
    older = Story()
    run = older.sequence(-100, "old")
    older.task(-99, -90, "old", "je-deployment")
    older.end(-80, run, "old")
    world.keptn.tell(older)
    stand_alone(world)
    world.run(60)
    evidence = {one["check"]: one["status"] for one in world.cluster.status()["lastEvaluation"]["evidence"]}
    assert evidence["WindowAfterDeployment"] == "True"


def test_a_deployment_that_is_not_told_is_asked_for_again():
    world = synced()
    asks = world.keptn.newest_event

    def fails(*question):
        raise AWAY

    world.keptn.newest_event = fails
    stand_alone(world)
    world.run(60)
    assert world.cluster.status()["verdict"] == "Pending"
    world.keptn.newest_event = asks
    world.run(60)
    assert world.cluster.status()["verdict"] == "Pass"


def compared(world):
    """A delivery that Keptn compared with an evaluation that only Keptn still has."""
    deliver(world, evaluation={"comparedEvents": ["older"]})
    world.clock.seconds = 150.0


def test_earlier_evaluations_that_are_not_told_are_asked_for_again():
    world = synced()
    asks = world.keptn.event

    def fails(*question):
        raise AWAY

    world.keptn.event = fails
    compared(world)
    world.run(60)
    assert world.passed() == ("Pending", "EvidenceOutstanding")
    world.keptn.event = asks
    world.run(60)
    assert world.cluster.status()["verdict"] == "Pass"


def test_an_api_server_that_goes_away_while_evidence_is_asked_for_ends_the_turn():
    world = synced()
    compared(world)
    asks = world.keptn.event

    def fails(*question):
        raise ClusterUnavailableError("no connection")

    world.keptn.event = fails  # it reads the token of Keptn, which is in a Secret
    written = len(world.cluster.patches)
    world.run(60)
    assert len(world.cluster.patches) == written
    world.keptn.event = asks
    world.run(60)
    assert world.cluster.status()["verdict"] == "Pass"


def test_a_git_that_is_away_is_asked_from_time_to_time_for_all_of_a_project(caplog):
    world = World()
    for name in ("hello", "other"):
        world.git.add_service("fulltour", name)
        world.cluster.apply(name, service=name)
    world.run(20)
    world.git.failures["fulltour"] = GIT_AWAY
    looks = []
    look = world.files.look
    world.files.look = lambda *question: looks.append(1) or look(*question)
    for name in ("hello", "other"):
        told = Story()
        told.deliver(30, name)
        world.keptn.tell(told, service=name)
    caplog.clear()
    world.run(600)
    assert 5 <= len(looks) <= 30
    assert sum("The Git upstream of project fulltour is away" in one.getMessage() for one in caplog.records) == 1
    world.git.failures.clear()
    world.run(70)
    assert world.passed("hello") == world.passed("other") == ("Pass", "Pass")


@pytest.mark.parametrize("reads", [True, False])
def test_what_keptn_has_yet_to_read_outlives_the_last_resource(reads):
    world = World()
    if not reads:
        world.keptn.read_default_branch = world.keptn.read_stage_branch = raises(AWAY)
    world.cluster.apply()
    world.run(1)
    world.cluster.delete()
    world.run(60)
    looks = [one for one in world.pool.begun if one[1] == "look" and one[0] > 30]
    assert bool(looks) == (not reads)


def raises(error):
    def ask(*question):
        raise error

    return ask
