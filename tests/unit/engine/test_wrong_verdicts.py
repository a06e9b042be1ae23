"""A verdict is a fact, and what is unknown changes nothing: each way in which one was wrong, lost or kept too long."""

import pytest

from prodeval.domain.errors import GitOperationFailedError, KeptnUnavailableError
from tests.support.world import World
from tests.unit.verdict.keptn_events import SLO, Story

AWAY = KeptnUnavailableError("no answer")
GIT_AWAY = GitOperationFailedError("no answer")


def synced(**spec):
    world = World()
    world.cluster.apply(**spec)
    world.run(20)
    return world


def delivered(world, *, at=30.0, context="c1", version="v1", seconds=150, **story):
    """Another delivery, which is judged `seconds` later."""
    told = Story()
    told.deliver(at, context, version, **story)
    world.keptn.tell(told)
    world.run(at + seconds - world.clock.seconds)
    return told


def judged(**spec):
    world = synced(**spec)
    delivered(world)
    assert world.passed() == ("Pass", "Pass")
    return world


def busy_neighbour(world, count=200):
    """Many events of another service in the project."""
    story = Story()
    for number in range(count):
        story.add(world.clock.seconds + number / count, "something.triggered", f"n{number}")
    world.keptn.tell(story, service="neighbour")


def test_a_swapped_slo_that_a_sync_took_over_proves_nothing():
    """Somebody swaps slo.yaml while a delivery runs, and a sync happens before the verdict."""
    world = synced()
    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story)
    world.git.commit("fulltour", "production", **{"hello/slo.yaml": SLO.replace("<=1", "<=9")})
    world.run(30)
    world.cluster.apply(annotations={"prodeval.dev/reconcile-requested-at": "now"})
    world.run(150)
    verdict, reason = world.passed()
    assert (verdict, reason) == ("Inconclusive", "SLOMatches") or (verdict, reason) == (
        "Inconclusive",
        "FilesUnchanged",
    )


def test_an_own_slo_that_changed_during_the_run_proves_nothing():
    world = World()
    world.git.commit("fulltour", "production", **{"hello/slo.yaml": SLO.replace("<=1", "<=2")})
    world.cluster.apply()
    world.run(20)
    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story)
    world.run(30)
    world.git.commit("fulltour", "production", **{"hello/slo.yaml": SLO})  # what Keptn scores, at its head
    world.cluster.apply(annotations={"prodeval.dev/reconcile-requested-at": "now"})
    world.run(150)
    assert world.passed()[0] == "Inconclusive"


@pytest.mark.parametrize(
    "spec", [{"historyLimit": 5}, {"files": [{"inline": {"path": "slo.yaml", "content": "x: 1"}}]}]
)
def test_an_edited_spec_leaves_a_proven_pass_alone(spec):
    world = judged()
    world.cluster.apply(**spec)
    world.run(60)
    assert world.cluster.status()["verdict"] == "Pass"
    assert world.cluster.status()["lastEvaluation"]["eventID"]


def test_a_pass_is_judged_with_earlier_files_after_new_ones_were_pushed():
    world = judged()
    world.cluster.apply(files=[{"inline": {"path": "slo.yaml", "content": SLO.replace("<=1", "<=2")}}])
    world.run(60)
    assert world.passed() == ("Pass", "Pass")
    passed = next(one for one in world.cluster.status()["conditions"] if one["type"] == "Passed")
    assert passed["message"].endswith("judged with earlier files")
    written = len(world.cluster.patches)
    world.run(2000)
    assert len(world.cluster.patches) == written


@pytest.mark.parametrize("version", [None, "v1"])
def test_a_restart_while_keptn_does_not_answer_keeps_a_pass(version):
    world = judged(**({"version": version} if version else {}))
    world.keptn.failures[""] = AWAY
    world.start()
    world.run(30)
    world.cluster.apply(historyLimit=5, **({"version": version} if version else {}))
    world.run(700)
    assert world.passed() == ("Pass", "Pass")
    del world.keptn.failures[""]
    world.run(700)
    assert world.passed() == ("Pass", "Pass")


@pytest.mark.parametrize("version", [None, "v1"])
def test_an_answer_that_is_cut_off_by_a_busy_neighbour_is_not_taken_for_all(version):
    world = judged(**({"version": version} if version else {}))
    busy_neighbour(world)
    world.keptn.most = world.keptn.most_joined = 100
    world.start()
    world.run(3000)
    assert world.passed() == ("Pass", "Pass")


@pytest.mark.parametrize("version", [None, "v1"])
@pytest.mark.parametrize("left", [0, 3])
def test_a_store_of_keptn_that_was_cut_or_restored_takes_no_verdict_away(version, left):
    world = judged(**({"version": version} if version else {}))
    world.keptn.raw["fulltour"] = world.keptn.raw["fulltour"][:left]
    world.start()
    world.run(3000)
    assert world.passed() == ("Pass", "Pass")


def test_a_verdict_about_an_older_spec_is_not_written_over_a_newer_one():
    """The poller judged with the spec that it read at the start of its turn."""
    world = synced(version="v1")
    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story)
    world.run(100)

    def change():
        world.cluster.apply(version="v2")

    world.clock.seconds = 130.0
    world.keptn.during = change
    world.run(60)
    assert world.passed() == ("Pending", "AwaitingVersion")
    world.cluster.apply(version="v1")
    world.run(60)
    assert world.passed() == ("Pass", "Pass")


def test_a_conflicting_write_in_between_is_judged_anew():
    world = synced(version="v1")
    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story)
    world.run(100)
    shown = set()
    world.cluster.on_patch = lambda _, after: shown.add((after["spec"]["version"], after["status"]["verdict"]))
    world.cluster.before_patch = lambda: world.cluster.apply(version="v2")
    world.run(60)
    assert world.passed() == ("Pending", "AwaitingVersion")
    assert ("v2", "Pass") not in shown


def test_a_pending_status_that_holds_the_event_is_not_settled_for_ever():
    world = judged()
    status = world.cluster.status() | {"verdict": "Pending"}
    conditions = [one for one in status["conditions"] if one["type"] != "Passed"]
    pending = {
        "type": "Passed",
        "status": "Unknown",
        "reason": "KeptnUnavailable",
        "message": "",
        "observedGeneration": 1,
    }
    world.cluster.set_status("hello", status | {"conditions": [*conditions, pending]})
    world.start()
    world.run(60)
    assert world.passed() == ("Pass", "Pass")


def test_suspended_and_resumed_around_a_restart_is_judged():
    world = judged()
    world.cluster.apply(suspend=True)
    world.run(30)
    world.start()
    world.run(30)
    world.cluster.apply(suspend=False)
    world.run(60)
    assert world.passed() == ("Pass", "Pass")


@pytest.mark.parametrize("restarts", [False, True])
def test_evidence_that_git_did_not_give_is_asked_for_until_it_does(restarts):
    world = synced()
    world.git.failures["fulltour"] = GIT_AWAY
    delivered(world)
    assert world.passed() == ("Pending", "EvidenceOutstanding")
    assert "lastEvaluation" not in world.cluster.status()
    if restarts:
        world.start()
        world.run(60)
        assert world.passed() == ("Pending", "EvidenceOutstanding")
    world.git.failures.clear()
    world.run(60)
    assert world.passed() == ("Pass", "Pass")
    evidence = {one["check"]: one["status"] for one in world.cluster.status()["lastEvaluation"]["evidence"]}
    assert evidence["SLOMatches"] == evidence["FilesUnchanged"] == "True"


def test_evidence_that_git_does_not_give_in_time_makes_a_pass_inconclusive_until_it_does():
    world = synced()
    world.git.failures["fulltour"] = GIT_AWAY
    delivered(world, seconds=2400)
    assert world.passed() == ("Inconclusive", "EvidenceOutstanding")
    world.git.failures.clear()
    world.run(60)
    assert world.passed() == ("Pass", "Pass")


def test_a_fail_does_not_wait_for_git():
    world = synced()
    world.git.failures["fulltour"] = GIT_AWAY
    delivered(world, value=5)
    assert world.passed() == ("Fail", "Fail")


def test_an_older_resource_that_joins_is_asked_about_until_keptn_answers():
    """Its past is asked for again if the first question about it fails."""
    world = World()
    world.cluster.apply("first", service="other")
    world.git.add_service("fulltour", "other")
    world.run(300)
    story = Story()
    story.deliver(310, "c1")
    world.keptn.tell(story)
    world.run(200)
    world.cluster.apply()
    world.run(1)
    status = world.cluster.status()
    sync = status["sync"] | {"firstSyncTime": "2026-11-23T08:00:10Z"}
    world.cluster.set_status("hello", status | {"sync": sync})
    asks = world.keptn.service_events

    def fails(*question):
        raise AWAY

    world.keptn.service_events = fails
    world.run(60)
    world.keptn.service_events = asks
    world.run(120)
    assert world.passed() == ("Pass", "Pass")


def test_news_that_come_with_a_question_that_fails_are_not_lost():
    """A service joins, its past is not told, and the same turn heard of a verdict about another one."""
    world = synced()
    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story)
    asks = world.keptn.service_events

    def fails(*question):
        raise AWAY

    world.keptn.service_events = fails
    world.git.add_service("fulltour", "late")
    world.cluster.apply("late", service="late")
    world.run(300)
    world.keptn.service_events = asks
    world.run(100)
    assert world.passed() == ("Pass", "Pass")


def test_what_was_deployed_before_the_first_sync_and_evaluated_after_it_has_its_version():
    world = World()
    story = Story()
    run = story.sequence(30, "c1", version="v1")
    story.task(31, 40, "c1", "je-deployment")
    story.end(41, run, "c1")
    world.keptn.tell(story)
    world.run(400)
    world.cluster.apply(version="v1")
    world.run(20)
    later, now = Story(), int(world.clock.seconds)
    later.stand_alone(now + 5, now + 10, "c2", (now - 60, now))
    world.keptn.tell(later)
    world.run(60)
    assert world.passed() == ("Pass", "Pass")


def test_an_aborted_run_is_still_one_after_a_newer_one_was_late_and_invalidated():
    world = synced(resultTimeout="1m")
    aborted = Story()
    run = aborted.sequence(30, "c1", version="v1")
    aborted.task(31, 40, "c1", "je-deployment")
    aborted.end(50, run, "c1", status="aborted")
    world.keptn.tell(aborted)
    world.run(60)
    assert world.passed() == ("Fail", "SequenceAborted")
    newer = Story()
    run = newer.sequence(100, "c2", version="v2")
    newer.task(101, 110, "c2", "je-deployment")
    trigger = newer.evaluate(120, 290, "c2", (115, 120))
    newer.end(290, run, "c2")
    newer.invalidate(290, trigger, "c2")
    world.keptn.tell(newer)
    world.run(190)
    assert world.passed() == ("Inconclusive", "ResultTimedOut")
    world.run(100)
    assert world.passed() == ("Fail", "SequenceAborted")


def test_a_revoked_grant_ends_questions_reads_and_verdicts():
    world = judged()
    world.grants = {}
    world.start()
    asked, listed = len(world.keptn.asked), len(world.git.listings)
    story = Story()
    story.deliver(world.clock.seconds, "c2", "v2", value=9)
    world.keptn.tell(story)
    world.run(2000)
    assert (len(world.keptn.asked), len(world.git.listings)) == (asked, listed)
    verdict, told = world.row()
    assert (verdict, told["Synced"]) == ("Pass", "False AccessDenied")


def test_a_raised_result_timeout_counts():
    world = synced(version="v1", resultTimeout="1m")
    world.run(30)
    world.cluster.apply(version="v1", resultTimeout="30m")
    world.run(600)
    assert world.passed() == ("Pending", "AwaitingVersion")


def test_the_clock_does_not_run_while_suspended():
    world = synced(version="v1", resultTimeout="5m")
    world.cluster.apply(version="v1", resultTimeout="5m", suspend=True)
    world.run(1200)
    world.cluster.apply(version="v1", resultTimeout="5m")
    world.run(100)
    assert world.passed() == ("Pending", "AwaitingVersion")
    world.run(400)
    assert world.passed() == ("Inconclusive", "ResultTimedOut")


def test_a_silent_keptn_times_nothing_out():
    world = synced(version="v1", resultTimeout="5m")
    world.keptn.failures[""] = AWAY
    world.run(1200)
    assert world.passed() == ("Pending", "KeptnUnavailable")


def test_a_verdict_from_while_the_operator_was_down_is_announced_once():
    world = synced()
    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story)
    world.clock.seconds += 600
    world.start()
    world.run(120)
    world.start()
    world.run(120)
    assert [one[2] for one in world.cluster.posted] == ["Pushed", "VerdictPass"]


def test_an_invalidated_verdict_is_gone_even_if_its_event_is():
    world = judged()
    trigger = next(one["id"] for one in world.keptn.raw["fulltour"] if one["type"].endswith("evaluation.triggered"))
    world.start()
    story = Story()
    story.invalidate(world.clock.seconds + 5, trigger.removeprefix("c1/"), "c1")
    world.keptn.raw["fulltour"] = []
    world.keptn.tell(story)
    world.run(60)
    assert world.passed() == ("Pending", "AwaitingDelivery") or world.passed() == ("Pending", "Invalidated")


def test_a_newer_verdict_replaces_a_known_one_whatever_keptn_forgot():
    world = judged()
    world.keptn.raw["fulltour"] = []
    world.start()
    delivered(world, at=world.clock.seconds + 10, context="c2", version="v2", value=5)
    assert world.passed() == ("Fail", "Fail")


def test_another_expectation_is_answered_anew_and_the_first_one_again_without_asking():
    world = judged()
    world.cluster.apply(version="v9")
    world.run(60)
    assert world.passed() == ("Pending", "AwaitingVersion")
    world.keptn.failures[""] = AWAY
    world.cluster.apply(version="v1")
    world.run(60)
    assert world.passed() == ("Pass", "Pass")


def test_other_tasks_are_another_expectation():
    world = judged()
    world.cluster.apply(shipyard={"testTask": "load-test"})
    world.run(60)
    assert world.cluster.status()["verdict"] != "Pass" or world.row()[1]["Synced"].startswith("False")


def test_the_mask_hides_what_keptn_echoes():
    world = synced(version="v1")
    world.mask.learn("sup3r-s3cret-token")
    world.keptn.failures[""] = KeptnUnavailableError("refused sup3r-s3cret-token")
    world.run(60)
    assert "sup3r" not in str(world.cluster.status())
