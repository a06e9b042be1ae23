"""Whoever may send events to one project of Keptn can neither end the operator nor keep others from their verdicts."""

import logging
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.gitserver import git
from tests.operator.gated_run import SERVICES, Gate, context, delivery, tell
from tests.operator.harness import KEPTN_TOKEN, resource, until
from tests.operator.scripted_keptn import scripted_keptn

logger = logging.getLogger(__name__)
pytestmark = pytest.mark.timeout(600)
MOST = 256
"""MiB of memory that the operator may ever take: half of its limit."""
SIZE = 144 * 1024
"""Bytes of each event: a page of a hundred has 14 MB."""
COUNT = 1000
GATES = {name: Gate(0, f"attack-{name}", SERVICES[0]) for name in ("nested", "kept", "bystander")}


def nested():
    """Lists in lists, of which each takes some thirty times its text."""
    return {"anything": [[[[]]]] * (SIZE // 10)}


def kept():
    """What is read of an evaluation, so that it cannot be dropped while it is parsed."""
    return {"evaluation": {"sloFileContent": "x" * SIZE}}


ATTACKS = {GATES["nested"].project: nested(), GATES["kept"].project: kept()}


class Flood(dict):
    """Events by project; those of attacked projects are new with each question, and never end."""

    def get(self, project, otherwise=None):
        if project not in ATTACKS:
            return super().get(project, otherwise)
        run, now = str(uuid.uuid4()), datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        data = {"project": project, "stage": "production", "service": SERVICES[0], **ATTACKS[project]}
        common = {"type": "sh.keptn.event.evaluation.finished", "shkeptncontext": run, "time": now, "data": data}
        return [{"id": str(uuid.uuid4()), **common} for _ in range(COUNT)]


@pytest.fixture
def keptn():
    with scripted_keptn(KEPTN_TOKEN) as server:
        server.events = Flood()
        yield server


def largest(team):
    """The most memory that the operator took so far, in MiB."""
    lines = Path(f"/proc/{team.operator.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def survived(team, keptn, turn):
    """Another delivery is judged while the attack goes on, in little memory."""
    gate, asked = GATES["bystander"], len(keptn.asked)
    until(lambda: set(keptn.asked[asked:]) >= set(ATTACKS), 60)
    tip = git("-C", str(team.git.root / f"{gate.project}.git"), "rev-parse", "production").strip()
    tell(keptn, gate, context(gate, turn), delivery(gate, turn, 1, datetime.now(UTC), tip))
    team.wait("bystander", "{.status.lastEvaluation.context}", context(gate, turn), 60)
    until(lambda: all(keptn.asked[asked:].count(project) > 20 for project in ATTACKS), 100)
    logger.info("%.0f MiB", largest(team))
    assert team.operator.running()
    assert largest(team) < MOST


def test_events_without_end_cost_little_memory_and_nobody_else_a_verdict(new_team, keptn):
    team = new_team({gate.project: {} for gate in GATES.values()}, keptn_url=keptn.url)
    for gate in GATES.values():
        team.project(gate.project)
    team.apply_all(resource(name, spec=gate.spec(0)) for name, gate in GATES.items())
    team.start()
    for name in GATES:
        team.wait_reason(name, "Synced", "Synced", 60)
    survived(team, keptn, 0)
    team.stop()
    team.start()
    survived(team, keptn, 1)
