"""Both lanes write one status at the same time, and a stranger with them."""

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("writers", "rounds"), [("shared", 200), ("separate", 60)])
def test_concurrent_pairs_of_writes_lose_no_condition(new_team, writers, rounds):
    team = new_team({})
    team.apply(writers, "fulltour")
    command = [sys.executable, "-m", "tests.operator.status_writers", team.namespace, writers, writers, str(rounds)]
    environment = os.environ | {"KUBECONFIG": str(team.cluster.kubeconfig)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert json.loads(ran.stdout) == []
    refused = [one for one in team.audit() if one["verb"] == "patch" and one["responseStatus"]["code"] == 409]
    assert len(refused) > rounds / 10, "the writers hardly met"
