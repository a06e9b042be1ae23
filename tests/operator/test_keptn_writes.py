"""The operator pushes, and Keptn goes on writing to the same upstream."""

from contextlib import closing

from demo.keptn.engine import Settings
from demo.keptn.server import demo_keptn
from demo.loopback import free_ports
from tests.adapters.keptn_writes import REFUSED, WORKS, KeptnUser, NothingToDeploy
from tests.operator.harness import KEPTN_TOKEN, commit, subjects, until


def test_after_a_push_of_the_operator_keptn_writes_to_every_stage(new_team, tmp_path):
    (port,) = free_ports(1)
    team = new_team({"fulltour": {}}, keptn_url=f"http://127.0.0.1:{port}/api")
    upstream = team.project("fulltour")
    settings = Settings(NothingToDeploy(), "", tmp_path)
    with (
        demo_keptn(team.git.authenticated_url_of, settings, token=KEPTN_TOKEN, port=port) as running,
        closing(KeptnUser(running.url, KEPTN_TOKEN)) as user,
    ):
        team.apply("hello", "fulltour")
        team.start()
        team.wait_reason("hello", "Passed", "AwaitingDelivery")
        assert team.pushes("fulltour") == 1
        until(lambda: user.add_resource("/stage/qa")[0] == 201)
        assert user.writes("new") == WORKS
        assert subjects(upstream, "production")[1:3] == [
            "Updated resource",
            "gate(helloservice): sync production evaluation",
        ]
        commit(upstream, "production", {"theirs": "x"})
        assert user.add_resource("/stage/qa") == REFUSED, "what others push is theirs to let Keptn read"
        team.stop()
