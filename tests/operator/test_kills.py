"""The operator killed at random moments, and started again each time, ends where it ends undisturbed.

`KILLS=100 SEED=7 pytest tests/operator/test_kills.py` kills it more often, after the same waits as another run with
this seed. `--log-cli-level=INFO` shows the seed and what was lost.
"""

import logging
import os
import random
from contextlib import ExitStack
from itertools import groupby, pairwise

import pytest

from tests.operator.gated_run import ENDS, SERVICES, Run, go, load
from tests.operator.harness import KEPTN_TOKEN, until
from tests.operator.killer import Killer
from tests.operator.scripted_keptn import scripted_keptn

logger = logging.getLogger(__name__)

KILLS = int(os.environ.get("KILLS", "8"))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
FEWEST_ROUNDS = 2
pytestmark = pytest.mark.timeout(300 + 15 * KILLS)


@pytest.fixture(scope="module")
def ended(new_team, gitserver):
    """Two runs that are over, one undisturbed and one with kills; and how many rounds they had."""
    logger.info("%d kills, SEED=%d", KILLS, SEED)
    with ExitStack() as open_:
        runs = []
        for name in ("calm", "killed"):
            keptn = open_.enter_context(scripted_keptn(KEPTN_TOKEN))
            run = Run(name, new_team({}, keptn_url=keptn.url, git=gitserver()), keptn)
            open_.callback(run.close)
            run.prepare()
            run.team.start()
            runs.append(run)
        killer = Killer(runs[1], KILLS, random.Random(SEED))
        killer.start()
        turns = 0
        while turns < FEWEST_ROUNDS or killer.left:
            go(runs, turns)
            turns += 1
        killer.join()
        logger.info("%d rounds; %d kills after the operator had asked something", turns, killer.at_work)
        assert killer.ended_alone == 0
        go(runs, turns)
        yield *runs, turns + 1


def differences(one, other, place=""):
    """The places where two JSON values differ, with both."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from differences(one.get(name), other.get(name), f"{place}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{place}[{number}]")
    elif one != other:
        yield place, one, other


def test_statuses_are_the_same(ended):
    calm, killed, _ = ended
    assert [*differences(calm.statuses(), killed.statuses())] == []


@pytest.mark.parametrize("service", SERVICES)
def test_each_wanted_file_was_committed_once(ended, service):
    *runs, turns = ended
    for run in runs:
        assert all(
            texts[-turns:] == [load(turn) for turn in range(turns)] and len(texts) == turns
            for texts in run.contents("production", f"{service}/locust/locust.conf").values()
        )
        once = run.contents("production", f"{service}/slo.yaml") | run.contents(
            "production", f"{service}/prometheus/sli.yaml"
        )
        assert {len(texts) for texts in once.values()} == {1}


def test_the_tasks_were_added_once(ended):
    *runs, _ = ended
    for run in runs:
        for texts in run.contents("main", "shipyard.yaml").values():
            assert [text.count('"je-test"') for text in texts] == [1, 2]


def test_nobody_saw_a_wrong_verdict_on_the_way(ended):
    """Whether a run under way is seen to be judged depends on when Keptn is asked; what it ended with does not."""
    calm, killed, turns = ended
    for gate in calm.gates:
        verdicts = verdicts_of(calm, gate)
        assert [verdict for verdict, _ in verdicts] == [ENDS[gate.recording(turn)] for turn in range(turns)]
        until(lambda gate=gate, verdicts=verdicts: verdicts_of(killed, gate) == verdicts)


def verdicts_of(run, gate):
    """(verdict, event id) of a resource, one after the other; while one is awaited, the last event stays."""
    changes = run.changes()[gate.name]
    for before, after in pairwise(changes):
        assert after[0] != "Pending" or after[1] == before[1]
    return [one for one, _ in groupby(change for change in changes if change[0] != "Pending")]


def test_no_verdict_is_announced_twice(ended):
    """A kill between the write of a status and its Event loses that Event; the status is the record."""
    calm, killed, turns = ended
    wanted, posted = calm.verdict_events(), killed.verdict_events()
    assert sum(wanted.values()) == turns * len(calm.gates)
    assert {key: count for key, count in posted.items() if count > wanted.get(key, 0)} == {}
    logger.info("%d of %d Events were posted", sum(posted.values()), sum(wanted.values()))
