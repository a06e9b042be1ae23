"""What goes wrong in one project or resource delays no other, and comes to rest."""

import logging

import pytest

from prodeval.domain.errors import (
    ClusterUnavailableError,
    GitOperationFailedError,
    KeptnUnavailableError,
    StatusRefusedError,
)
from tests.support.world import World
from tests.unit.verdict.keptn_events import Story

HANGS = 35.0


def tenants(count):
    return tuple(f"p{number}" for number in range(count))


def world_of(projects, *, resources=1):
    world = World(projects)
    for project in projects:
        for number in range(resources):
            service = "hello" if number == 0 else f"hello{number}"
            world.git.add_service(project, service)
            world.cluster.apply(f"{project}-{number}", project=project, service=service)
    return world


def when_synced(world, name):
    """The second at which a resource was synced."""
    for _ in range(2000):
        if world.row(name)[1].get("Synced") == "True Synced":
            return world.clock.seconds
        world.run(1)
    raise AssertionError(f"{name} was never synced")


def test_ten_projects_on_a_keptn_that_hangs_do_not_stop_the_engine():
    projects = tenants(10)
    world = world_of(projects)
    world.run(10)
    for project in projects:
        world.pool.takes["look", project] = HANGS
        world.keptn.failures[project] = KeptnUnavailableError("no whole answer within 30 s")
    oldest = 0.0
    for _ in range(3600):
        world.run(1)
        oldest = max(oldest, world.engine.age)
    assert oldest <= 1.0


def test_many_resources_on_a_hanging_git_server_delay_no_other_tenant():
    world = world_of(("slow",), resources=130)
    world.grants |= World(("quick",)).grants
    world.pool.takes["sync", "slow"] = 60.0
    world.git.failures["slow"] = GitOperationFailedError("no answer within 60 s")
    world.run(30)
    world.git.add_service("quick", "hello")
    world.cluster.apply("quick", project="quick")
    assert when_synced(world, "quick") - 30 <= 1


def test_more_hanging_projects_than_places_delay_a_change_by_seconds():
    world = world_of(tenants(40))
    for project in tenants(40):
        world.pool.takes["sync", project] = 60.0
        world.git.failures[project] = GitOperationFailedError("no answer within 60 s")
    world.grants |= World(("quick",)).grants
    world.run(1)
    world.cluster.apply("quick", project="quick")
    assert when_synced(world, "quick") <= 20


def test_a_status_that_is_refused_stops_no_other_tenant_and_is_tried_again():
    world = world_of(("mine", "theirs"))
    world.cluster.refuses["mine-0"] = StatusRefusedError("denied by a policy")
    world.run(300)
    assert world.row("theirs-0")[1]["Synced"] == "True Synced"
    asked = world.keptn.asked.count("theirs")
    world.run(80)
    assert world.keptn.asked.count("theirs") - asked >= 5
    world.cluster.refuses.clear()
    world.run(700)
    assert world.row("mine-0")[1]["Synced"] == "True Synced"


def test_a_status_that_is_one_too_many_is_left_alone_for_as_long_as_it_was_asked():
    world = world_of(("mine", "theirs"))
    world.cluster.refuses["mine-0"] = StatusRefusedError("one too many (HTTP 429)", retry_after=120.0)
    world.run(5)
    world.cluster.refuses.clear()
    world.run(114)
    assert world.row("theirs-0")[1]["Synced"] == "True Synced"
    assert "Synced" not in world.row("mine-0")[1]
    world.run(200)
    assert world.row("mine-0")[1]["Synced"] == "True Synced"


@pytest.mark.parametrize("fault", [AttributeError("x"), ValueError("label empty or too long"), UnicodeError("x")])
def test_an_error_of_our_own_becomes_a_condition_and_comes_to_rest(fault):
    world = world_of(("mine", "theirs"))
    world.git.failures["mine"] = fault
    world.run(30)
    assert world.row("theirs-0")[1]["Synced"] == "True Synced"
    assert world.row("mine-0")[1]["Synced"] == "False InternalError"
    assert world.row("mine-0")[1]["Reconciling"] == "True ProgressingWithRetry"
    world.git.failures.clear()
    world.run(60)
    assert world.row("mine-0")[1]["Synced"] == "True Synced"


def test_an_error_while_judging_one_resource_leaves_the_others_alone():
    world = world_of(("fulltour",), resources=2)
    world.run(20)
    judge = world.judge.judge

    def fails(resource, before=None):
        if resource.key.name.endswith("-0"):
            raise AttributeError("x")
        return judge(resource, before)

    world.judge.judge = fails
    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story, service="hello1")
    other = Story()
    other.deliver(30, "c2")
    world.keptn.tell(other)
    world.run(150)
    assert world.passed("fulltour-1") == ("Pass", "Pass")
    assert world.passed("fulltour-0") == ("Pending", "InternalError")
    assert world.row("fulltour-0")[1]["Reconciling"] == "True InternalError"


def test_an_error_in_judging_is_tried_more_and_more_rarely_and_stops_no_sync(caplog):
    world = World()
    judge, faults = world.judge.judge, []

    def fails(resource, before=None):
        if resource.key.name == "odd":
            faults.append(resource)
            raise AttributeError("x")
        return judge(resource, before)

    world.judge.judge = fails
    world.git.add_service("fulltour", "other")
    world.cluster.apply("odd")
    world.cluster.apply("sound", service="other")
    world.run(600)
    assert world.row("odd")[1]["Synced"] == world.row("sound")[1]["Synced"] == "True Synced"
    assert world.passed("sound") == ("Pending", "AwaitingDelivery")
    assert len(faults) <= 20
    world.cluster.apply("odd", historyLimit=3)
    tried = len(faults)
    world.run(20)
    assert len(faults) > tried
    world.judge.judge = judge
    world.run(600)
    assert world.passed("odd") == ("Pending", "AwaitingDelivery")


def test_a_silent_keptn_is_told_to_all_whatever_is_wrong_with_one(monkeypatch):
    world = world_of(("fulltour",), resources=2)
    world.run(20)
    report = world.reporter.report

    def fails(uid, make):
        if uid == "uid-1":
            raise AttributeError("x")
        return report(uid, make)

    monkeypatch.setattr(world.reporter, "report", fails)
    world.keptn.failures["fulltour"] = KeptnUnavailableError("no answer")
    world.run(60)
    assert world.passed("fulltour-1") == ("Pending", "KeptnUnavailable")


def test_a_pending_resource_speeds_up_its_own_project_only():
    world = World(("mine", "theirs"))
    world.cluster.apply("mine", project="mine", version="v1")
    world.cluster.apply("theirs", project="theirs")
    world.run(60)
    world.keptn.asked.clear()
    world.run(60)
    assert world.keptn.asked.count("theirs") == 4
    assert world.keptn.asked.count("mine") == 12


def test_a_resource_that_retries_takes_no_sibling_along():
    world = World()
    world.git.add_service("fulltour", "other")
    world.cluster.apply("other", service="other")
    world.run(5)
    world.cluster.apply("waits", service="absent")
    planned = []
    plan = world.syncer.sync

    def sync(project, resources, siblings):
        planned.extend(one.key.name for one in resources)
        return plan(project, resources, siblings)

    world.syncer.sync = sync
    world.run(240)
    assert planned.count("waits") > 5
    assert planned.count("other") == 0


def test_waiting_grows_up_to_the_interval_however_long_it_takes():
    world = world_of(("fulltour",))
    world.git.failures["fulltour"] = GitOperationFailedError("refused")
    uid = world.cluster.get("fulltour-0")["metadata"]["uid"]
    waits = [world.sync.turn("fulltour", [uid]).again[uid].seconds for _ in range(2000)]
    assert waits[0] < waits[6] < 60
    assert 400 < waits[-1] <= 600


def test_retry_after_of_git_is_honoured_in_full():
    world = world_of(("fulltour",))
    world.git.failures["fulltour"] = GitOperationFailedError("rate limit", retry_after=3600.0)
    world.run(10)
    world.git.failures.clear()
    world.cluster.apply("fulltour-0", project="fulltour", historyLimit=3)
    world.run(3500)
    assert world.git.listings == []
    world.run(500)
    assert world.row("fulltour-0")[1]["Synced"] == "True Synced"


def test_retry_after_of_keptn_is_honoured_in_full():
    world = world_of(("fulltour",))
    world.run(20)
    world.keptn.failures["fulltour"] = KeptnUnavailableError("slow down", retry_after=900.0)
    world.run(30)
    world.keptn.failures.clear()
    asked = len(world.keptn.asked)
    world.run(800)
    assert len(world.keptn.asked) == asked
    world.run(300)
    assert len(world.keptn.asked) > asked


def test_an_api_server_that_is_away_is_said_once_and_asked_by_one(caplog):
    world = world_of(tenants(20), resources=3)
    world.run(30)
    world.cluster.failure = ClusterUnavailableError("no connection")
    caplog.clear()
    for number in range(20):
        story = Story()
        story.deliver(40, f"c{number}")
        world.keptn.tell(story, project=f"p{number}")
    world.run(700)
    lines = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(lines) <= 3, lines
    world.cluster.failure = None
    world.run(200)
    assert all(world.passed(f"p{number}-0") == ("Pass", "Pass") for number in range(20))


def test_a_keptn_that_is_away_is_said_once_and_costs_no_write(caplog):
    projects = tenants(20)
    world = world_of(projects)
    world.run(30)
    world.keptn.failures[""] = KeptnUnavailableError("connection refused", everywhere=True)
    caplog.clear()
    world.run(60)
    written, asked = len(world.cluster.patches), len(world.keptn.asked)
    world.run(600)
    assert len(world.cluster.patches) == written
    assert len(world.keptn.asked) - asked <= 20
    assert len([one for one in caplog.records if one.levelno >= logging.INFO]) <= 5
    world.keptn.failures.clear()
    world.run(120)
    assert all(world.passed(f"{project}-0") == ("Pending", "AwaitingDelivery") for project in projects)


def test_a_crd_that_is_too_old_is_said_once_and_written_once(caplog):
    world = World()
    world.cluster.pruned = (("lastEvaluation", "eventID"), ("lastEvaluation", "tasks"))
    world.cluster.apply()
    world.run(20)
    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story)
    world.run(150)
    written, told = len(world.cluster.patches), len(world.cluster.posted)
    for _ in range(5):
        world.cluster.apply(annotations={"prodeval.dev/reconcile-requested-at": str(world.clock.seconds)})
        world.run(60)
    assert len(world.cluster.posted) == told
    assert len(world.cluster.patches) == written + 5  # the echo of the request
    assert sum("CRD is older" in one.getMessage() for one in caplog.records) == 1


def inline(text):
    return [{"stage": {"name": "qa"}}, {"inline": {"path": "locust/locust.conf", "content": text}}]


def test_a_field_of_a_list_that_is_pruned_is_said_and_written_once(caplog):
    world = World()
    world.cluster.pruned = (("sync", "files", "[]", "changedAt"), ("sync", "files", "[]", "previousSHA256"))
    world.cluster.apply(files=inline("users = 1\n"))
    world.run(20)
    world.cluster.apply(files=inline("users = 2\n"))
    world.run(20)
    written = len(world.cluster.patches)
    assert [one.getMessage().partition(" is lost")[0] for one in caplog.records if "CRD" in one.getMessage()] == [
        "The CRD is older than this operator, status.sync.files[].changedAt, status.sync.files[].previousSHA256"
    ]
    world.run(4000)
    assert len(world.cluster.patches) == written
    world.cluster.apply(files=inline("users = 3\n"))
    world.run(20)
    assert len(world.cluster.patches) == written + 1
    assert not any("changedAt" in one for one in world.cluster.status()["sync"]["files"])


def test_with_a_crd_that_is_too_old_each_start_asks_once_for_all_resources(caplog):
    world = World()
    world.cluster.pruned = (("resolved", "resultTimeout"), ("sync", "filesDigest"))
    for name in ("hello", "other", "third"):
        world.git.add_service("fulltour", name)
        world.cluster.apply(name, service=name)
    world.run(1000)
    for _ in range(3):
        written, body = len(world.cluster.patches), world.cluster.get()
        caplog.clear()
        world.start()
        world.run(1000)
        assert len(world.cluster.patches) <= written + 1
        assert world.cluster.get() == body
        assert sum("CRD is older" in one.getMessage() for one in caplog.records) <= 1


def test_an_hour_with_every_server_hanging_keeps_the_engine_turning():
    projects = tenants(30)
    world = world_of(projects)
    for project in projects:
        world.pool.takes["sync", project] = 60.0
        world.pool.takes["look", project] = HANGS
        world.git.failures[project] = GitOperationFailedError("no answer within 60 s")
    oldest = 0.0
    for _ in range(1200):
        world.run(3)
        oldest = max(oldest, world.engine.age)
    assert oldest <= 3.0
