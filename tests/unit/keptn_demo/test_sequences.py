import pytest

from demo.keptn.events import answer, new_event
from demo.keptn.shipyard import ShipyardError, read_shipyard
from tests.unit.keptn_demo.controllers import SHIPYARD, World


def names(world: World, context: str = "") -> list[str]:
    return [f"{event.text('stage')} {event.type.split('.')[3]}" for event in world.triggers(context)]


def run_all(world: World, context: str, results: dict[str, str] | None = None) -> None:
    """Finish every task of a context as it comes, with a result by `stage task`."""
    done = 0
    while done < len(world.triggers(context)):
        name, trigger = names(world, context)[done], world.triggers(context)[done]
        world.finish(trigger, (results or {}).get(name, "pass"))
        done += 1


class TestOrder:
    def test_a_delivery_runs_through_all_stages(self):
        world = World()
        world.deliver("a")
        run_all(world, "a")

        assert names(world) == [
            "qa je-deployment",
            "production je-deployment",
            "production je-test",
            "production evaluation",
        ]
        assert world.state("a") == "finished"

    @pytest.mark.parametrize(
        "outcome", [("fail", "succeeded"), ("pass", "errored"), ("pass", "odd"), ("odd", "succeeded")]
    )
    def test_a_failed_task_ends_its_sequence_and_chains_nothing(self, outcome: tuple[str, str]):
        world = World()
        world.deliver("a")
        world.finish(world.triggers()[0], *outcome)

        assert names(world) == ["qa je-deployment"]
        assert world.finished("qa.delivery")[0].text("result") == "fail"
        assert world.state("a") == "finished"

    def test_a_warning_goes_on(self):
        world = World()
        world.deliver("a")
        world.finish(world.triggers()[0], "warning")

        assert names(world)[-1] == "production je-deployment"

    @pytest.mark.parametrize(
        ("results", "rolled_back"),
        [
            ({"production evaluation": "fail"}, True),
            ({"production je-test": "fail"}, False),
            ({}, False),
        ],
    )
    def test_a_selector_asks_for_the_result_of_the_last_task(self, results: dict[str, str], rolled_back: bool):
        world = World()
        world.deliver("a")
        run_all(world, "a", results)

        assert ("production rollback" in names(world)) is rolled_back

    def test_the_built_in_evaluation_needs_no_sequence(self):
        world = World()
        scope = {"project": "p", "stage": "production", "service": "s"}
        trigger = new_event("production.evaluation.triggered", "api", "a", scope)
        world.take(world.controller.trigger(trigger, world.shipyard, ""))

        assert names(world) == ["production evaluation"]

    def test_a_task_is_finished_when_all_who_started_have_finished_and_the_worst_result_counts(self):
        world = World()
        world.deliver("a")
        trigger = world.triggers()[0]
        scope = {"project": "p", "stage": "qa", "service": "s", "status": "succeeded"}
        for kind, result in [("started", ""), ("started", ""), ("finished", "warning"), ("finished", "pass")]:
            assert not world.finished("qa.delivery")
            world.take(world.controller.answered(answer(trigger, kind, "x", {**scope, "result": result})))

        assert world.finished("qa.delivery")[0].text("result") == "warning"

    @pytest.mark.parametrize(
        ("trigger", "shipyard", "message"),
        [
            ("nowhere.delivery", SHIPYARD, "Unable to start sequence delivery: no stage"),
            ("qa.nothing", SHIPYARD, "Unable to start sequence nothing: no sequence"),
            ("qa.delivery", "apiVersion: spec.keptn.sh/0.1.7", "Unable to retrieve Shipyard file: invalid version"),
            ("qa.delivery", "a: [", "Unable to retrieve Shipyard file: could not decode"),
        ],
    )
    def test_what_cannot_start_is_finished_as_errored(self, trigger: str, shipyard: str, message: str):
        world = World()
        try:
            known = read_shipyard(shipyard)
        except ShipyardError as error:
            known = error
        scope = {"project": "p", "stage": trigger.split(".", maxsplit=1)[0], "service": "s"}
        world.take(world.controller.trigger(new_event(f"{trigger}.triggered", "cli", "a", scope), known, ""))

        (finished,) = world.finished(trigger)
        assert (finished.text("status"), finished.text("result")) == ("errored", "fail")
        assert finished.text("message").startswith(message)
        assert world.state("a") == "finished"


class TestData:
    def test_results_properties_and_labels_are_carried_along(self):
        world = World()
        world.deliver("a", labels={"version": "v1"}, configurationChange={"values": {"image": "i:v1"}})
        world.finish(world.triggers()[0], message="deployed", more={"list": [1]})
        world.finish(world.triggers()[1], more={"list": [2]})
        world.finish(world.triggers()[2])

        evaluation = world.triggers()[3].data
        assert evaluation == {
            "project": "p",
            "stage": "production",
            "service": "s",
            "labels": {"version": "v1"},
            "configurationChange": {"values": {"image": "i:v1"}},
            "more": {"list": [1, 2]},
            "message": "",
            "result": "pass",
            "status": "succeeded",
            "evaluation": {"timeframe": "1m"},
        }

    def test_the_end_of_a_sequence_has_the_last_message_and_no_details(self):
        world = World()
        world.deliver("a", labels={"version": "v1"}, configurationChange={})
        world.finish(world.triggers()[0], message="deployed", more=1)

        assert world.finished("qa.delivery")[0].data == {
            "project": "p",
            "stage": "qa",
            "service": "s",
            "labels": {"version": "v1"},
            "status": "succeeded",
            "result": "pass",
            "message": "deployed",
        }


class TestQueue:
    def test_one_runs_and_the_others_wait_in_order(self):
        world = World()
        for context in ("a", "b", "c"):
            world.deliver(context)
        assert [event.context for event in world.triggers()] == ["a"]
        assert [world.state(context) for context in ("a", "b", "c")] == ["started", "waiting", "waiting"]

        world.finish(world.triggers("a")[0])
        assert [event.context for event in world.triggers() if event.text("stage") == "qa"] == ["a", "b"]

    def test_a_run_that_waits_for_approval_blocks_nobody(self):
        world = World(read_shipyard(SHIPYARD.replace("[{name: je-deployment}]", "[{name: approval}]")))
        world.deliver("a")
        world.deliver("b")

        assert names(world) == ["qa approval", "qa approval"]
        assert [run.state for run in world.controller.runs] == ["waitingForApproval"] * 2
        assert world.state("a") == "started"


class TestControl:
    def test_an_abort_ends_the_run_lets_the_next_one_start_and_a_late_answer_changes_only_the_stage(self):
        world = World()
        world.deliver("a")
        world.deliver("b")
        world.take(world.controller.abort("p", "a", ""))
        assert [event.text("status") for event in world.finished("qa.delivery")] == ["aborted"]
        assert [event.context for event in world.triggers()] == ["a", "b"]

        world.finish(world.triggers("a")[0])
        assert names(world, "a") == ["qa je-deployment"]
        assert (world.state("a"), world.summary("a")["stages"][0]["state"]) == ("aborted", "triggered")

    def test_an_abort_reaches_what_is_queued(self):
        world = World()
        world.deliver("a")
        world.deliver("b")
        world.take(world.controller.abort("p", "b", ""))
        world.finish(world.triggers("a")[0])

        assert names(world, "b") == []
        assert world.state("b") == "aborted"

    def test_a_paused_run_shows_the_next_task_and_sends_it_when_resumed(self):
        world = World()
        world.deliver("a", "production")
        world.take(world.controller.pause("p", "a", ""))
        world.finish(world.triggers()[0])
        assert names(world) == ["production je-deployment"]
        assert world.summary("a")["stages"][0]["latestEvent"]["type"] == "sh.keptn.event.je-test.triggered"
        assert (world.state("a"), world.controller.runs[0].state) == ("paused", "paused")

        world.take(world.controller.resume("p", "a", ""))
        assert names(world) == ["production je-deployment", "production je-test"]
        assert (world.state("a"), world.controller.runs[0].state) == ("started", "started")

    @pytest.mark.parametrize("scope", [("other", "a", ""), ("p", "b", ""), ("p", "a", "production")])
    def test_what_is_not_meant_goes_on(self, scope: tuple[str, str, str]):
        world = World()
        world.deliver("a")

        assert world.controller.abort(*scope) == []
        assert world.state("a") == "started"


class TestTime:
    def test_a_delayed_task_is_shown_at_once_and_sent_when_its_time_has_come(self):
        delayed = SHIPYARD.replace("{name: evaluation,", "{name: evaluation, triggeredAfter: 1m30s,")
        world = World(read_shipyard(delayed))
        world.deliver("a", "production")
        world.finish(world.triggers()[0])
        world.finish(world.triggers()[1])
        (held,) = world.held
        assert held.after == 90
        assert "production evaluation" not in names(world)
        assert world.summary("a")["stages"][0]["latestEvent"]["id"] == held.event.id

        world.take(world.controller.due(held.event))
        assert world.triggers()[-1].id == held.event.id
        assert world.triggers()[-1].time > held.event.time

    def test_an_aborted_run_sends_no_delayed_task(self):
        world = World(
            read_shipyard(SHIPYARD.replace("{name: je-deployment}", "{name: je-deployment, triggeredAfter: 1h}"))
        )
        world.deliver("a")
        world.take(world.controller.abort("p", "a", ""))

        assert world.controller.due(world.held[0].event) == []

    def test_a_task_that_nobody_starts_times_out_and_chains_nothing(self):
        world = World()
        world.deliver("a")
        world.take(world.controller.expired(world.triggers()[0]))

        (finished,) = world.finished("qa.delivery")
        assert finished.text("message").startswith(
            "sequence timed out while waiting for task sh.keptn.event.je-deployment"
        )
        assert (world.state("a"), names(world)) == ("timedOut", ["qa je-deployment"])

    def test_a_task_that_was_started_never_times_out(self):
        world = World()
        world.deliver("a")
        trigger = world.triggers()[0]
        world.take(world.controller.answered(answer(trigger, "started", "x", dict(trigger.data))))

        assert world.controller.expired(trigger) == []
        assert world.state("a") == "started"
