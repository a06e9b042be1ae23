"""One tenant's servers hang, with two hundred resources on them: another tenant is synced and judged meanwhile.

How much later than otherwise is measured by benchmarks/hanging.py.
"""

from datetime import UTC, datetime

import pytest

from demo.gitserver import git
from tests.operator.gated_run import SERVICES, Gate, context, delivery, tell
from tests.operator.hanging import add_mute_tenant, hanging_servers, mute_projects
from tests.operator.harness import conditions, resource, until

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("count", [1, 40])
def test_another_tenant_is_synced_and_judged_meanwhile(new_team, count):
    projects, gate = mute_projects(count), Gate(0, f"lively-{count}", SERVICES[0])
    with hanging_servers() as (keptn, silent):
        team = new_team({name: {} for name in (*projects, gate.project)}, keptn_url=keptn.url)
        upstream = team.project(gate.project)
        add_mute_tenant(team, silent, projects)
        team.start()
        until(lambda: silent.connections and keptn.events.waiting, 60)
        team.apply_all([resource("lively", spec=gate.spec(0))])
        team.wait_reason("lively", "Synced", "Synced", 120)
        tip = git("-C", str(upstream), "rev-parse", "production").strip()
        tell(keptn, gate, context(gate, 0), delivery(gate, 0, 1, datetime.now(UTC), tip))
        team.wait("lively", "{.status.lastEvaluation.context}", context(gate, 0), 120)
        assert keptn.events.waiting <= set(projects)
        others = [body for name, body in team.get_all().items() if name != "lively"]
        assert "True Synced" not in {conditions(body).get("Synced") for body in others}
        team.stop()
