"""The liveness probe: it fails if a loop stands still, and only then."""

import asyncio
from types import SimpleNamespace

import kopf
import pytest

from prodeval.handlers import heartbeat
from prodeval.handlers.activities import probe_loops
from prodeval.handlers.heartbeat import Heartbeat


@pytest.fixture
def clock(monkeypatch):
    """A monotonic clock that the test moves."""
    moved = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(heartbeat, "time", SimpleNamespace(monotonic=lambda: moved.now))
    return moved


@pytest.fixture
def runner(clock):
    return SimpleNamespace(poller=Heartbeat("the poller"), scheduler=Heartbeat("the scheduler"))


def probe(runner):
    return asyncio.run(probe_loops(memo=SimpleNamespace(runner=runner)))


def test_slow_servers_are_no_reason_to_fail(clock, runner):
    for _ in range(10):  # ten projects on a Keptn that hangs, each until its time-outs
        clock.now += 35
        runner.poller.beat()
        runner.scheduler.beat()
    clock.now += 35
    assert probe(runner) == 35


def test_a_pause_that_was_announced_is_no_standstill(clock, runner):
    runner.poller.beat(300)
    clock.now += 299
    runner.scheduler.beat()
    assert probe(runner) == 0
    clock.now += 300
    runner.scheduler.beat()
    assert probe(runner) == 299


@pytest.mark.parametrize("name", ["poller", "scheduler"])
def test_a_loop_that_stands_still_fails(clock, runner, name):
    clock.now += 301
    next(loop for loop in (runner.poller, runner.scheduler) if loop.name != f"the {name}").beat()
    with pytest.raises(kopf.PermanentError, match=f"the {name} stands still since 301 s"):
        probe(runner)
