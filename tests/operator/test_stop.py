"""SIGTERM ends the operator in time and writes nothing, whoever hangs at that moment."""

import logging
import threading
import time
from urllib.parse import urlsplit

import pytest

from tests.operator.harness import resource, until
from tests.operator.silent import relay, silent_server

logger = logging.getLogger(__name__)

SERVICE = "helloservice"
GRACE = 5
"""Seconds that a signal may take to end the operator."""
MARGIN = 10
"""Seconds that a busy machine may add."""
MANY = 200


@pytest.fixture
def stop():
    """Tell a team's operator to stop; it ends well, in time, and changes no status on its way."""

    def stop(team):
        before = team.get_all()
        began = time.monotonic()
        team.operator.popen.terminate()
        assert team.operator.popen.wait(GRACE + MARGIN) == 0
        logger.info("ended within %.2f s", time.monotonic() - began)
        assert team.get_all() == before
        assert "Traceback" not in team.log

    return stop


@pytest.fixture
def silent():
    with silent_server() as server:
        yield server


def test_idle(new_team, stop):
    team = new_team({"idle": {}})
    team.project("idle")
    team.apply(SERVICE, "idle")
    team.start()
    team.wait_reason(SERVICE, "Passed", "KeptnUnavailable", 60)
    stop(team)


def test_a_push_in_flight(new_team, gitserver, stop):
    reached, released = threading.Event(), threading.Event()

    def hang():
        reached.set()
        released.wait()
        raise ConnectionAbortedError

    team = new_team({"pushing": {}}, git=gitserver(accepted=hang))
    team.project("pushing")
    team.apply(SERVICE, "pushing")
    team.start()
    try:
        assert reached.wait(60)
        stop(team)
    finally:
        released.set()


def test_keptn(new_team, silent, stop):
    team = new_team({"asking": {}}, keptn_url=f"http://{silent.address}/api")
    team.project("asking")
    team.apply(SERVICE, "asking")
    team.start()
    team.wait_reason(SERVICE, "Synced", "Synced", 60)
    until(lambda: silent.connections, 60)
    stop(team)


@pytest.mark.parametrize("moment", ["watching", "writing"])
def test_the_api_server(new_team, stop, moment):
    team = new_team({moment: {}})
    team.project(moment)
    address = urlsplit(team.cluster.url)
    with relay(address.hostname, address.port) as between:
        kubeconfig = team.cluster.service_account_kubeconfig(
            team.folder / "operator.kubeconfig", "prodeval", "prodeval"
        )
        kubeconfig.write_text(kubeconfig.read_text().replace(address.netloc, between.address))
        team.apply(SERVICE, moment)
        team.start()
        team.wait_reason(SERVICE, "Passed", "KeptnUnavailable", 60)
        if moment == "writing":
            reads = team.reads(moment)
            team.request_sync(SERVICE, "now")
            until(lambda: team.reads(moment) > reads, 60)
        between.hang()
        stop(team)


@pytest.mark.parametrize("projects", [1, MANY])
def test_a_git_server_with_many_resources(new_team, silent, stop, projects):
    names = [f"many-{projects}-{number}" for number in range(projects)]
    team = new_team({name: {} for name in names})
    team.give_access({name: f"http://{silent.address}/{name}.git" for name in names})
    team.apply_all(
        resource(f"{SERVICE}-{number}", spec={"project": names[number % projects], "service": f"{SERVICE}-{number}"})
        for number in range(MANY)
    )
    team.start()
    until(lambda: len(silent.connections) >= min(projects, 16), 60)
    stop(team)
