"""What fails while the operator ends, because it ends, is nobody's news."""

from prodeval.domain.errors import GitOperationFailedError
from tests.support.world import World
from tests.unit.verdict.keptn_events import Story

CLOSED = GitOperationFailedError("it was closed, as when the operator stops")


def closed(world):
    """The operator is told to stop while a server hangs, whose connection is closed then."""
    world.engine.stop()
    world.git.failures["fulltour"] = CLOSED
    world.run(60)


def test_a_sync_that_is_cut_off_leaves_the_status_alone():
    world = World()
    world.pool.takes["sync", "fulltour"] = 30
    world.cluster.apply()
    world.run(5)
    closed(world)
    assert world.cluster.status() == {}
    assert world.cluster.posted == []


def test_evidence_that_is_cut_off_is_not_said_to_be_outstanding():
    world = World()
    world.cluster.apply()
    world.run(60)
    story = Story()
    story.deliver(70, "c1")
    world.keptn.tell(story)
    world.run(90)
    before = world.cluster.status()
    assert world.passed()[0] == "Pending"
    world.pool.takes["look", "fulltour"] = 30
    world.run(20)
    closed(world)
    assert world.cluster.status() == before
