"""Which outcome counts: the rules, each by the smallest story that shows it."""

import pytest

from tests.unit.verdict.keptn_events import Story, time

FAIL = 5.0


def failing_run(story, t, context, version="v1", task="je-test", **outcome):
    """A delivery whose task in production fails."""
    outcome = {"result": "fail", "status": "succeeded", "message": "boom"} | outcome
    sequence = story.sequence(t, context, version=version)
    if task != "je-deployment":
        story.task(t + 1, t + 5, context, "je-deployment")
    story.task(t + 6, t + 8, context, task, **outcome)
    story.end(t + 9, sequence, context, **outcome)


def test_the_newest_by_trigger_decides_not_the_newest_by_result():
    story = Story()
    story.deliver(0, "a")
    story.stand_alone(200, 400, "slow", (150, 200), FAIL)
    story.stand_alone(300, 310, "quick", (250, 300))
    assert story.judge(500).context == "quick"


def test_what_was_triggered_before_the_first_sync_proves_nothing():
    story = Story()
    story.deliver(0, "a")
    assert story.said(500, first_sync=time(95)) == ("Pending", "AwaitingDelivery")
    assert story.said(500, first_sync=None) == ("Pending", "AwaitingDelivery")
    assert story.said(500, first_sync=time(85)) == ("Pass", "Pass")


def test_results_of_other_stages_services_and_sources_do_not_count():
    story = Story()
    story.deliver(0, "a")
    for changes in ({"stage": "qa"}, {"service": "cartservice"}, {"source": "somebody"}):
        trigger = story.evaluate(200, 205, "a", (140, 200), FAIL)
        for event in story.raw[-3:]:
            event["source"] = changes.get("source", event["source"])
            event["data"] |= {key: value for key, value in changes.items() if key != "source"}
        assert trigger
    assert story.said(500) == ("Pass", "Pass")


def test_an_older_proven_verdict_is_not_undone_by_an_old_window():
    """A stand-alone evaluation that was queued behind the delivery measured the minute before it."""
    story = Story()
    story.deliver(0, "a")
    story.stand_alone(97, 100, "queued", (-70, 10), FAIL)
    assert story.judge(500).context == "a"


def test_a_result_without_a_window_does_not_undo_a_proven_one():
    story = Story()
    story.deliver(0, "a")
    story.stand_alone(200, 205, "b", None, status="errored", result="fail")
    assert story.judge(500).context == "a"


def test_if_nothing_speaks_about_what_runs_now_the_newest_is_inconclusive():
    story = Story()
    story.deliver(0, "a", window=(-30, 30))
    assert story.said(500) == ("Inconclusive", "WindowAfterDeployment")


def test_a_failed_result_stays_a_fail_whatever_its_window():
    story = Story()
    story.deliver(0, "a", window=(-30, 30), value=FAIL)
    assert story.said(500) == ("Fail", "Fail")


def test_a_later_deployment_without_an_evaluation_makes_a_pass_inconclusive():
    story = Story()
    story.deliver(0, "a")
    hotfix = story.sequence(200, "hotfix", sequence="hotfix")
    story.task(201, 210, "hotfix", "je-deployment")
    story.end(211, hotfix, "hotfix", sequence="hotfix")
    assert story.said(500) == ("Inconclusive", "WindowAfterDeployment")


@pytest.mark.parametrize("now", [201, 215, 225, 294])
def test_a_run_under_way_leaves_the_verdict_as_it_was(now):
    story = Story()
    story.deliver(0, "a")
    story.deliver(200, "b", "v2", value=FAIL)
    judgement = story.judge(now)
    assert (judgement.verdict, judgement.version) == ("Pass", "v1")
    assert (judgement.pending.version, judgement.pending.context) == ("v2", "b")


def test_nothing_is_pending_when_no_run_is_under_way():
    story = Story()
    story.deliver(0, "a")
    assert story.judge(500).pending is None


def test_a_rollback_in_the_same_context_does_not_hide_the_failure():
    story = Story()
    story.deliver(0, "a", value=FAIL)
    rollback = story.sequence(97, "a", sequence="rollback", version="v1")
    story.task(98, 99, "a", "rollback")
    assert story.said(98.5) == ("Fail", "Fail")
    story.end(100, rollback, "a", sequence="rollback")
    assert story.said(500) == ("Fail", "Fail")


class TestInvalidation:
    def test_the_candidate_before_counts_again(self):
        story = Story()
        story.deliver(0, "a")
        trigger = story.stand_alone(200, 205, "b", (140, 200), FAIL)
        assert story.said(206) == ("Fail", "Fail")
        story.invalidate(300, trigger, "b")
        assert (story.said(301), story.judge(301).context) == (("Pass", "Pass"), "a")

    def test_without_another_one_nothing_is_known(self):
        story = Story()
        story.invalidate(300, story.deliver(0, "a"), "a")
        assert story.said(299) == ("Pass", "Pass")
        assert story.said(301) == ("Pending", "Invalidated")
        assert story.said(301, version="v1") == ("Pending", "Invalidated")

    def test_it_is_no_run_that_ended_without_an_evaluation(self):
        story = Story()
        story.invalidate(300, story.deliver(0, "a", value=FAIL), "a")
        assert story.said(301) == ("Pending", "Invalidated")


class TestRunsWithoutAnEvaluation:
    @pytest.mark.parametrize("task", ["je-test", "je-deployment"])
    def test_a_failed_task_behind_the_anchor_is_a_verdict(self, task):
        story = Story()
        failing_run(story, 0, "a", task=task)
        judgement = story.judge(100)
        assert (judgement.verdict, judgement.passed.status, judgement.passed.reason) == ("Fail", "False", "TaskFailed")
        assert judgement.passed.message == f"v1: {task} in stage production failed: boom"
        assert (judgement.context, judgement.ended) == ("a", time(9))

    def test_an_errored_task_failed_even_if_its_result_is_pass(self):
        story = Story()
        failing_run(story, 0, "a", status="errored", result="pass")
        assert story.said(100) == ("Fail", "TaskFailed")

    def test_a_timed_out_task_is_told_by_the_end_of_the_sequence(self):
        story = Story()
        sequence = story.sequence(0, "a", version="v1")
        story.add(1, "je-deployment.triggered", "a")
        story.end(700, sequence, "a", result="fail", status="errored", message="sequence timed out")
        assert story.said(600) == ("Pending", "AwaitingDelivery")
        assert "sequence timed out" in story.judge(701).passed.message
        assert story.said(701) == ("Fail", "TaskFailed")

    def test_an_abort_after_the_anchor_began_is_a_verdict(self):
        story = Story()
        sequence = story.sequence(0, "a")
        story.task(1, 5, "a", "je-deployment")
        story.task(6, None, "a", "je-test")
        story.end(20, sequence, "a", status="aborted")
        assert story.said(100) == ("Fail", "SequenceAborted")

    def test_a_deployment_that_finishes_after_its_abort_changes_nothing(self):
        story = Story()
        sequence = story.sequence(0, "a", version="v1")
        story.task(1, 40, "a", "je-deployment")
        story.end(20, sequence, "a", status="aborted")
        assert story.said(100) == ("Fail", "SequenceAborted")
        assert story.said(100, version="v1") == ("Fail", "SequenceAborted")

    def test_an_abort_of_the_context_does_not_undo_what_had_ended(self):
        """Keptn says `aborted` again for every sequence of the context, also for those that were over."""
        story = Story()
        sequence = story.sequence(0, "a")
        story.task(1, 5, "a", "je-deployment")
        story.end(20, sequence, "a")
        story.end(50, sequence, "a", status="aborted")
        assert story.said(100) == ("Pending", "AwaitingDelivery")

    def test_it_undoes_an_older_pass(self):
        story = Story()
        story.deliver(0, "a")
        failing_run(story, 200, "b", "v2")
        assert story.said(500) == ("Fail", "TaskFailed")

    def test_it_is_undone_by_a_later_evaluation_of_what_it_deployed(self):
        story = Story()
        failing_run(story, 0, "a")
        story.stand_alone(200, 205, "b", (140, 200))
        assert story.said(500) == ("Pass", "Pass")

    def test_it_is_older_than_a_later_deployment(self):
        story = Story()
        failing_run(story, 0, "a")
        story.deliver(200, "b", window=(150, 215))
        assert story.said(500) == ("Inconclusive", "WindowAfterDeployment")

    def test_a_run_from_before_the_first_sync_is_none(self):
        story = Story()
        failing_run(story, 0, "a")
        assert story.said(100, first_sync=time(3)) == ("Pending", "AwaitingDelivery")

    def test_another_sequence_that_fails_is_none(self):
        story = Story()
        story.deliver(0, "a")
        sequence = story.sequence(200, "b", sequence="cleanup")
        story.task(201, 202, "b", "cleanup", result="fail")
        story.end(203, sequence, "b", sequence="cleanup", result="fail")
        assert story.said(500) == ("Pass", "Pass")


class TestEndedBeforeTheDeployment:
    def decline(self, story, t, context, version="v1"):
        sequence = story.sequence(t, context, version=version)
        story.task(t + 1, t + 5, context, "approval", result="fail")
        story.end(t + 6, sequence, context, result="fail")

    def test_a_declined_approval_left_production_as_it_was(self):
        story = Story()
        self.decline(story, 0, "a")
        assert story.said(100) == ("Pending", "AwaitingDelivery")
        story.deliver(200, "b")
        self.decline(story, 400, "c", "v2")
        assert story.said(500) == ("Pass", "Pass")
        assert story.said(500, version="v1") == ("Pass", "Pass")

    def test_it_is_the_end_for_the_wanted_version(self):
        story = Story()
        self.decline(story, 0, "a")
        judgement = story.judge(100, version="v1")
        assert (judgement.verdict, judgement.passed.reason) == ("Fail", "TaskFailed")
        assert judgement.passed.message == "v1: approval in stage production was declined"

    def test_an_abort_before_the_anchor_too(self):
        story = Story()
        story.end(50, story.sequence(0, "a", version="v1"), "a", status="aborted")
        assert story.said(100) == ("Pending", "AwaitingDelivery")
        assert story.said(100, version="v1") == ("Fail", "SequenceAborted")

    def test_a_sequence_that_keptn_could_not_start_too(self):
        story = Story()
        sequence = story.sequence(0, "a", version="v1")
        story.end(1, sequence, "a", result="fail", status="errored", message="Unable to retrieve Shipyard file: x")
        assert story.said(100) == ("Pending", "AwaitingDelivery")
        assert story.said(100, version="v1") == ("Fail", "TaskFailed")
        assert "Unable to retrieve" in story.judge(100, version="v1").passed.message

    def test_a_failed_earlier_stage_too(self):
        story = Story()
        qa = story.sequence(0, "a", "qa", version="v1")
        story.task(1, 2, "a", "je-test", "qa", result="fail", message="slow")
        story.end(3, qa, "a", "qa", result="fail")
        assert story.said(100) == ("Pending", "AwaitingDelivery")
        assert story.judge(100, version="v1").passed.message == "v1: je-test in stage qa failed: slow"

    def test_a_newer_run_of_the_version_is_awaited_instead(self):
        story = Story()
        self.decline(story, 0, "a")
        story.deliver(200, "b")
        assert story.said(205, version="v1") == ("Pending", "AwaitingVersion")
        assert story.said(500, version="v1") == ("Pass", "Pass")

    def test_a_failed_run_is_replaced_as_soon_as_a_newer_one_is_under_way(self):
        story = Story()
        failing_run(story, 0, "a")
        assert story.said(100, version="v1") == ("Fail", "TaskFailed")
        story.deliver(200, "b")
        assert story.said(201, version="v1") == ("Pending", "AwaitingVersion")

    def test_a_decline_of_a_version_that_is_proven_changes_nothing(self):
        story = Story()
        story.deliver(0, "a")
        self.decline(story, 200, "b")
        assert story.said(500, version="v1") == ("Pass", "Pass")


class TestWantedVersion:
    def test_another_version_is_awaited_and_the_one_seen_is_named(self):
        story = Story()
        story.deliver(0, "a", "v1")
        judgement = story.judge(500, version="v2")
        assert (judgement.verdict, judgement.passed.reason) == ("Pending", "AwaitingVersion")
        assert judgement.passed.message == "no result of v2 yet; the newest deployment to production is v1"

    def test_nothing_seen_is_said_so(self):
        assert Story().judge(0, version="v2").passed.message == "no result of v2 yet; no deployment seen"

    def test_the_tag_of_the_image_stands_in_for_a_label(self):
        story = Story()
        sequence = story.sequence(0, "a", image="registry:5000/x/y:v3@sha256:00")
        story.task(1, 5, "a", "je-deployment")
        story.task(6, 80, "a", "je-test")
        story.evaluate(81, 82, "a", (20, 80))
        story.end(83, sequence, "a")
        assert story.said(100, version="v3") == ("Pass", "Pass")
        assert story.said(100, version="v1") == ("Pending", "AwaitingVersion")

    def test_a_stand_alone_evaluation_has_the_version_of_the_newest_deployment(self):
        story = Story()
        story.deliver(0, "a", "v1", window=(-30, 30))
        story.stand_alone(200, 205, "b", (140, 200), labels={"version": "v9"})
        judgement = story.judge(500, version="v1")
        assert (judgement.verdict, judgement.context, judgement.version) == ("Pass", "b", "v1")
        assert story.said(500, version="v9") == ("Pending", "AwaitingVersion")

    def test_an_older_verdict_of_the_version_never_counts_after_another_deployment(self):
        story = Story()
        story.deliver(0, "a", "v1")
        story.deliver(200, "b", "v2")
        assert story.said(150, version="v1") == ("Pass", "Pass")
        assert story.said(219, version="v1") == ("Pass", "Pass")
        assert story.said(221, version="v1") == ("Pending", "AwaitingVersion")
        assert story.said(500, version="v1") == ("Pending", "AwaitingVersion")

    def test_the_version_delivered_again_is_awaited_again(self):
        story = Story()
        story.deliver(0, "a", "v1")
        story.deliver(200, "b", "v1", value=FAIL)
        assert story.said(221, version="v1") == ("Pending", "AwaitingVersion")
        assert story.said(500, version="v1") == ("Fail", "Fail")

    def test_a_window_before_the_deployment_is_inconclusive(self):
        story = Story()
        story.deliver(0, "a", "v1", window=(-30, 30))
        assert story.said(500, version="v1") == ("Inconclusive", "WindowAfterDeployment")

    def test_a_success_without_an_evaluation_leaves_it_awaited(self):
        story = Story()
        sequence = story.sequence(0, "a", version="v1")
        story.task(1, 5, "a", "je-deployment")
        story.end(6, sequence, "a")
        assert story.said(100, version="v1") == ("Pending", "AwaitingVersion")


class TestWaiting:
    STATES = (
        ("paused", "Paused"),
        ("waitingForApproval", "AwaitingApproval"),
        ("triggered", "Queued"),
        ("waiting", "Queued"),
    )

    @pytest.mark.parametrize(("state", "reason"), STATES)
    @pytest.mark.parametrize("stage", ["qa", "production"])
    def test_a_run_that_waits_says_what_for(self, state, reason, stage):
        story = Story()
        story.sequence(0, "a", stage, version="v1")
        story.execution("a", state, stage)
        judgement = story.judge(100, version="v1")
        assert judgement.passed.reason == reason
        assert judgement.pending.paused_since == time(100)

    @pytest.mark.parametrize(("state", "reason"), STATES)
    def test_without_a_wanted_version_all_stays_as_it_was(self, state, reason):
        story = Story()
        story.sequence(0, "a", version="v1")
        story.execution("a", state)
        assert story.said(100) == ("Pending", "AwaitingDelivery")
        assert story.judge(100).pending.paused_since == time(100)

    def test_an_open_approval_shows_in_events_before_it_shows_elsewhere(self):
        story = Story()
        story.sequence(0, "a", version="v1")
        story.task(1, None, "a", "approval")
        assert story.said(100, version="v1") == ("Pending", "AwaitingApproval")

    def test_the_queue_of_another_context_or_sequence_is_not_ours(self):
        story = Story()
        story.sequence(0, "a", version="v1")
        story.execution("b", "waiting")
        story.execution("a", "paused", sequence="rollback")
        assert story.said(100, version="v1") == ("Pending", "AwaitingVersion")

    def test_a_run_that_has_begun_is_not_queued_whatever_an_older_answer_says(self):
        story = Story()
        story.sequence(0, "a", version="v1")
        story.task(1, None, "a", "je-deployment")
        story.execution("a", "triggered")
        assert story.said(100, version="v1") == ("Pending", "AwaitingVersion")


class TestTimeOut:
    def wait(self, story, moments, **changes):
        pending = None
        for now in moments:
            judgement = story.judge(now, pending, **changes)
            pending = judgement.pending
        return judgement

    def test_a_wanted_version_that_nobody_delivers_times_out(self):
        story = Story()
        assert self.wait(story, [0, 1800], version="v1").passed.reason == "AwaitingVersion"
        late = self.wait(story, [0, 1801], version="v1")
        assert (late.verdict, late.passed.status, late.passed.reason) == ("Inconclusive", "Unknown", "ResultTimedOut")
        assert "keptn trigger delivery --project=fulltour" in late.passed.message

    def test_a_run_that_hangs_times_out_and_says_where(self):
        story = Story()
        story.sequence(0, "a", version="v1")
        story.task(1, 5, "a", "je-deployment")
        story.task(6, None, "a", "je-test")
        for version in ("v1", None):
            late = self.wait(story, [10, 1811], version=version)
            assert late.passed.reason == "ResultTimedOut"
            assert "production.delivery hangs, in je-test" in late.passed.message

    def test_without_a_wanted_version_a_run_that_never_deployed_changes_nothing(self):
        story = Story()
        story.deliver(0, "a")
        story.sequence(200, "b", version="v2")
        assert self.wait(story, [201, 9000]).verdict == "Pass"

    def test_without_a_wanted_version_a_run_that_hangs_after_deploying_hides_an_older_pass(self):
        story = Story()
        story.deliver(0, "a")
        story.sequence(200, "b", version="v2")
        story.task(201, 205, "b", "je-deployment")
        assert self.wait(story, [206, 2000]).verdict == "Pass"
        assert self.wait(story, [206, 2007]).passed.reason == "ResultTimedOut"

    def test_a_later_result_ends_it(self):
        story = Story()
        story.deliver(5000, "a")
        assert self.wait(story, [0, 4000, 5200], version="v1").verdict == "Pass"

    def test_a_new_run_starts_the_clock_anew(self):
        story = Story()
        story.sequence(1700, "a", version="v1")
        story.task(1701, None, "a", "je-deployment")
        assert self.wait(story, [0, 1750, 3500], version="v1").passed.reason == "AwaitingVersion"
        assert self.wait(story, [0, 1750, 3551], version="v1").passed.reason == "ResultTimedOut"

    def test_another_wanted_version_starts_the_clock_anew(self):
        story = Story()
        before = self.wait(story, [0, 1700], version="v1").pending
        assert story.judge(1900, before, version="v2").passed.reason == "AwaitingVersion"

    def test_the_clock_stands_still_while_a_run_waits_for_people(self):
        story = Story()
        story.sequence(0, "a", version="v1")
        story.task(1, 10_000, "a", "approval")
        waiting = self.wait(story, [0, 100, 9000], version="v1")
        assert waiting.passed.reason == "AwaitingApproval"
        resumed = story.judge(10_100, waiting.pending, version="v1")
        assert (resumed.passed.reason, resumed.pending.paused_since) == ("AwaitingVersion", None)
        assert resumed.pending.deadline == time(1800 + 10_000)

    def test_what_is_pending_changes_only_when_something_happens(self):
        story = Story()
        story.sequence(0, "a", version="v1")
        first = story.judge(10, None, version="v1").pending
        assert story.judge(20, first, version="v1").pending == first
        story.execution("a", "paused")
        paused = story.judge(30, first, version="v1").pending
        assert story.judge(40, paused, version="v1").pending == paused

    def test_the_way_from_one_stage_to_the_next_is_no_end(self):
        story = Story()
        qa = story.sequence(0, "a", "qa", version="v1")
        story.end(5, qa, "a", "qa")
        first = story.judge(1, None, version="v1").pending
        assert story.judge(6, first, version="v1").pending == first
        assert story.judge(60, first, version="v1").pending.context == ""


def test_a_lost_end_is_forgotten_once_another_run_deployed():
    story = Story()
    story.sequence(0, "lost", version="v1")
    story.task(1, 5, "lost", "je-deployment")
    story.deliver(200, "b", "v2")
    judgement = story.judge(500)
    assert (judgement.verdict, judgement.context, judgement.pending) == ("Pass", "b", None)


def test_tasks_of_two_sequences_in_one_context_are_told_apart():
    """Both are triggered by the same event; Keptn runs the first, then the second."""
    story = Story()
    first = story.sequence(0, "a", version="v1")
    second = story.sequence(0.001, "a", sequence="smoke", version="v1")
    story.task(1, 5, "a", "je-deployment")
    story.task(6, 8, "a", "je-test", result="fail")
    story.end(9, first, "a", result="fail")
    story.task(10, 12, "a", "smoke-test")
    story.end(13, second, "a", sequence="smoke")
    assert story.said(100) == ("Fail", "TaskFailed")


def test_a_result_whose_trigger_is_unknown_is_no_candidate():
    story = Story()
    story.deliver(0, "a")
    story.raw = [event for event in story.raw if event["type"] != "sh.keptn.event.evaluation.triggered"]
    assert story.said(500)[0] == "Pending"


def test_a_stand_alone_evaluation_after_the_deployment_speaks_for_a_run_that_hangs():
    story = Story()
    story.sequence(0, "a", version="v1")
    story.task(1, 5, "a", "je-deployment")
    story.task(6, None, "a", "je-test")
    story.stand_alone(200, 205, "b", (140, 200))
    pending = story.judge(210).pending
    assert pending.context == "a"
    assert story.said(9000, pending) == ("Pass", "Pass")


def test_an_old_window_is_no_verdict_while_the_run_of_the_version_is_under_way():
    story = Story()
    story.sequence(0, "a", version="v1")
    story.task(1, 100, "a", "je-deployment")
    story.stand_alone(110, 115, "b", (40, 100))
    assert story.said(120, version="v1") == ("Pending", "AwaitingVersion")


def test_an_end_before_the_first_sync_is_not_told_of_the_wanted_version():
    story = Story()
    story.end(50, story.sequence(0, "a", version="v1"), "a", result="fail")
    assert story.said(100, version="v1", first_sync=time(49)) == ("Fail", "TaskFailed")
    assert story.said(100, version="v1", first_sync=time(51)) == ("Pending", "AwaitingVersion")


def test_a_failed_run_of_the_version_never_counts_after_another_deployment():
    story = Story()
    failing_run(story, 0, "a", "v1")
    story.deliver(200, "b", "v2")
    assert story.said(500, version="v1") == ("Pending", "AwaitingVersion")


def test_the_label_that_counts_is_the_one_of_the_stage():
    story = Story()
    story.sequence(0, "a", "qa", version="v1")
    sequence = story.sequence(10, "a", version="v2")
    story.task(11, 15, "a", "je-deployment")
    story.task(16, 80, "a", "je-test")
    story.evaluate(81, 82, "a", (20, 80))
    story.end(83, sequence, "a")
    assert story.judge(100).version == "v2"


def test_the_question_to_the_sli_provider_is_no_task():
    story = Story()
    story.sequence(0, "a", version="v1")
    story.task(1, 5, "a", "je-deployment")
    story.evaluate(6, None, "a", None)
    story.add(7, "get-sli.triggered", "a", source="lighthouse-service")
    assert story.judge(100, version="v1").passed.message == "v1: production.delivery is under way, in evaluation"
