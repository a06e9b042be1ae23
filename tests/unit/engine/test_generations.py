"""Between a changed spec and its sync no status says that it was synced, whoever writes it then."""

from tests.support.world import World


def about(world):
    """The generation of the whole status, and of each condition."""
    status = world.cluster.status()
    conditions = {one["type"]: one["observedGeneration"] for one in status["conditions"]}
    return status["observedGeneration"], conditions["Synced"], conditions["Ready"], conditions["Passed"]


def test_a_look_at_keptn_that_is_faster_than_the_sync_claims_no_sync():
    world = World()
    world.cluster.apply()
    world.run(60)
    assert about(world) == (1, 1, 1, 1)
    world.pool.takes["sync", "fulltour"] = 30
    world.cluster.apply(version="v2")
    world.run(20)
    assert about(world) == (1, 1, 1, 2)
    world.run(20)
    assert about(world)[1:] == (2, 2, 2)


def test_a_suspended_resource_is_at_rest_at_once():
    world = World()
    world.cluster.apply()
    world.run(60)
    world.cluster.apply(suspend=True)
    world.run(20)
    assert about(world)[:3] == (2, 2, 2)
