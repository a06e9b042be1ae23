"""Whose state is written: an object is its uid, whatever order the watch tells things in, or leaves out."""

from prodeval.domain.resource import ResourceKey
from tests.support.world import NAMESPACE, World
from tests.unit.verdict.keptn_events import Story

SYNC_NOW = "prodeval.dev/reconcile-requested-at"


def synced(**spec):
    world = World(("fulltour", "elsewhere"))
    world.cluster.apply(**spec)
    world.run(20)
    return world


def judged():
    world = synced()
    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story)
    world.run(150)
    assert world.passed() == ("Pass", "Pass")
    return world


def test_made_anew_while_a_sync_is_under_way_it_is_synced_itself():
    world = World()

    def recreate():
        world.cluster.delete()
        world.cluster.apply(shipyard={"timeframe": "3m"})

    world.git.during = recreate
    world.cluster.apply()
    world.run(30)
    body = world.cluster.get()
    assert world.row()[1]["Synced"] == "True Synced"
    assert body["metadata"]["uid"] == "uid-2"
    assert "3m" in world.git.branches["fulltour"]["main"]["shipyard.yaml"].decode()


def test_made_anew_it_does_not_get_the_pass_of_its_predecessor():
    world = judged()

    def recreate():
        world.cluster.delete()
        world.cluster.apply(project="elsewhere")

    story = Story()
    story.deliver(world.clock.seconds, "c2", "v2")
    world.keptn.tell(story)
    world.cluster.before_patch = recreate
    world.run(200)
    assert world.cluster.status()["verdict"] == "Pending"
    assert "lastEvaluation" not in world.cluster.status()


def test_swapped_deletion_and_creation_leave_the_new_object():
    """The watch tells of the new object first, and of the old one's end afterwards."""
    world = synced()
    world.cluster.deaf = True
    old = world.cluster.delete()
    new = world.cluster.apply(service="hello")
    world.engine.told("ADDED", new, new["metadata"]["uid"])
    world.engine.told("DELETED", old, old["metadata"]["uid"])
    world.engine.told("MODIFIED", old, old["metadata"]["uid"])
    world.cluster.deaf = False
    world.run(30)
    assert {key: one.uid for key, one in world.registry.identities().items()} == {
        ResourceKey(NAMESPACE, "hello"): new["metadata"]["uid"]
    }
    assert world.row()[1]["Synced"] == "True Synced"


def test_a_deletion_that_the_watch_missed_pushes_nothing():
    world = synced()
    world.cluster.deaf = True
    world.cluster.delete()
    world.git.commit("fulltour", "production", **{"hello/locust/locust.conf": "users = 99\n"})
    pushed = len(world.git.pushes)
    world.sync.turn("fulltour", [one.uid for one in world.registry.identities().values()])
    world.clock.seconds += 100
    world.run(1300)
    assert len(world.git.pushes) == pushed
    assert world.registry.identities() == {}


def test_a_missed_deletion_does_not_block_its_successor():
    world = synced()
    world.cluster.deaf = True
    world.cluster.delete()
    world.cluster.deaf = False
    world.cluster.apply("heir")
    world.run(900)
    assert world.row("heir")[1]["Synced"] == "True Synced"


def test_a_late_answer_brings_no_deleted_object_back():
    world = synced()
    body = world.cluster.get()
    world.cluster.delete()
    world.registry.put(body | {"metadata": body["metadata"] | {"resourceVersion": "999"}})
    assert world.registry.identities() == {}


def test_what_waited_for_a_place_is_tried_when_it_is_free():
    world = synced()
    world.clock.seconds += 1
    world.cluster.apply("heir")
    world.run(5)
    assert world.row("heir")[1]["Synced"] == "False DuplicateTarget"
    world.cluster.delete()
    world.run(1)
    assert world.row("heir")[1]["Synced"] == "True Synced"


def test_an_older_spec_is_not_pushed_when_a_newer_one_comes_during_the_listing():
    world = World()

    def change():
        world.cluster.apply(files=[{"inline": {"path": "locust/locust.conf", "content": "users = 2\n"}}])

    world.cluster.apply(files=[{"inline": {"path": "locust/locust.conf", "content": "users = 1\n"}}])
    world.git.commit("fulltour", "production", **{"hello/slo.yaml": "x"})
    world.git.branches["fulltour"]["production"]["hello/slo.yaml"] = world.git.branches["fulltour"]["qa"][
        "hello/slo.yaml"
    ]
    world.git.during = change
    world.run(30)
    assert [path for _, path in world.git.pushes].count("hello/locust/locust.conf") == 1
    assert world.git.branches["fulltour"]["production"]["hello/locust/locust.conf"] == b"users = 2\n"


def test_a_restored_api_server_is_believed():
    """After a restore of etcd all resource versions are smaller than what is known."""
    world = synced()
    body = world.cluster.get()
    old = body | {"metadata": body["metadata"] | {"resourceVersion": "1"}}
    world.cluster.objects[ResourceKey(NAMESPACE, "hello")] = old
    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story)
    world.run(150)
    assert world.passed() == ("Pass", "Pass")


def test_a_status_that_another_writer_touches_loses_nothing():
    world = synced()
    condition = {
        "type": "Foreign",
        "status": "True",
        "reason": "X",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }

    def touch():
        status = world.cluster.status()
        world.cluster.set_status("hello", status | {"conditions": [*status["conditions"], condition]})

    story = Story()
    story.deliver(30, "c1")
    world.keptn.tell(story)
    world.run(60)
    world.cluster.before_patch = touch
    world.run(90)
    assert world.passed() == ("Pass", "Pass")
    assert world.row()[1]["Foreign"] == "True X"


def test_nothing_new_is_no_write():
    world = judged()
    written = len(world.cluster.patches)
    world.run(4000)
    world.start()
    world.run(4000)
    assert len(world.cluster.patches) == written


def test_what_happened_before_the_first_sync_is_told_by_no_start():
    """An answer may reach further back than was asked for; which one does depends on when the operator started."""
    world = World()
    story = Story()
    story.task(5, 8, "c1", "je-deployment")
    story.sequence(9, "c2", "qa", version="v7")
    world.keptn.tell(story)
    world.run(30)
    world.cluster.apply()
    world.run(60)
    written = len(world.cluster.patches)
    assert "v7" not in str(world.cluster.status())
    world.start()
    world.run(60)
    assert len(world.cluster.patches) == written


def test_a_foreign_commit_is_no_write():
    world = judged()
    written = len(world.cluster.patches)
    world.git.commit("fulltour", "production", **{"other/notes.txt": "hi"})
    world.run(1300)
    assert len(world.cluster.patches) == written


def test_sync_and_first_judgement_are_one_write_and_one_push():
    world = World()
    for name in ("hello", "other", "third"):
        world.git.add_service("fulltour", name)
        world.cluster.apply(name, service=name)
    world.run(60)
    assert len(world.cluster.patches) == 3
    assert world.git.listings == ["fulltour"]


def test_an_object_that_cannot_be_read_says_so_and_stops_no_other():
    world = World()
    world.cluster.apply("odd", interval="banana")
    world.cluster.apply()
    world.run(30)
    assert world.row("odd")[1]["Synced"] == "False InvalidSpec"
    assert world.row()[1]["Synced"] == "True Synced"
    written = len(world.cluster.patches)
    world.run(2000)
    assert len(world.cluster.patches) == written


def test_an_edit_after_a_restore_of_the_api_server_is_seen():
    """Its resource versions are smaller than what was known before the restore."""
    world = synced()
    for _ in range(50):
        world.cluster.apply(annotations={"x": str(_)})
    body = world.cluster.get()
    metadata = body["metadata"] | {"resourceVersion": "3", "generation": 2}
    edited = body | {"metadata": metadata, "spec": body["spec"] | {"shipyard": {"timeframe": "7m"}}}
    world.cluster.objects[ResourceKey(NAMESPACE, "hello")] = edited
    world.cluster.watch("MODIFIED", edited)
    world.run(400)
    assert "7m" in world.git.branches["fulltour"]["main"]["shipyard.yaml"].decode()


def test_a_status_that_was_thrown_away_is_written_again():
    world = judged()
    world.cluster.set_status("hello", {})
    world.run(30)
    assert world.row()[1]["Synced"] == "True Synced"
