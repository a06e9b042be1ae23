"""The operator ended in the middle of a push: at once by its own, or by the Git server that had just accepted it."""

import signal
import socket
import threading

import pytest

from tests.operator.harness import conditions, show, subjects

SERVICE = "helloservice"
COMMIT = "gate(helloservice): sync production evaluation"
GRACE = 5
"""Seconds that a signal may take to end the operator."""
MARGIN = 3
"""Seconds that a busy machine may add."""


class Accepted:
    """What the Git server calls after it accepted a push; `then` is what happens before it answers."""

    def __init__(self):
        self.called, self.then = threading.Event(), lambda: None

    def __call__(self):
        self.called.set()
        self.then()


@pytest.fixture
def accepted():
    return Accepted()


@pytest.fixture
def team(new_team, gitserver, accepted, request):
    return new_team({request.param: {}}, git=gitserver(accepted=accepted))


def commits(upstream):
    return [subjects(upstream, branch).count(COMMIT) for branch in ("main", "production")]


@pytest.mark.parametrize("team", ["killed"], indirect=True)
def test_killed_right_after_the_push_was_accepted_it_recovers_without_a_second_commit(team, accepted):
    def kill():
        team.kill()
        raise ConnectionAbortedError

    upstream = team.project("killed")
    accepted.then = kill
    team.apply(SERVICE, "killed")
    team.start()
    assert team.operator.popen.wait(30) == -signal.SIGKILL
    assert commits(upstream) == [1, 1]
    assert team.get(SERVICE)["status"] == {"observedGeneration": -1}
    accepted.then = lambda: None
    team.start()
    status = team.wait_reason(SERVICE, "Synced", "Synced")["status"]
    assert commits(upstream) == [1, 1]
    assert team.pushes("killed") == 0
    assert [(file["path"], file["from"]) for file in status["sync"]["files"]][-1] == ("slo.yaml", "stage/qa")
    assert '- name: "je-test"' in show(upstream, "main", "shipyard.yaml").partition('name: "production"')[2]


@pytest.mark.parametrize("team", ["stalled"], indirect=True)
def test_told_to_stop_with_a_push_in_flight_it_ends_in_time_and_pushes_nothing_twice(team, accepted):
    released = threading.Event()
    upstream = team.project("stalled")
    accepted.then = released.wait
    team.apply(SERVICE, "stalled")
    team.start()
    try:
        assert accepted.called.wait(30)
        team.operator.popen.terminate()
        assert team.operator.popen.wait(GRACE + MARGIN) == 0
    finally:
        accepted.then = lambda: None
        released.set()
    team.start()
    assert conditions(team.wait_reason(SERVICE, "Synced", "Synced"))["Ready"] == "True Synced"
    assert commits(upstream) == [1, 1]


@pytest.fixture
def silent():
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"


def test_a_keptn_that_never_answers_holds_neither_the_sync_nor_the_exit(new_team, silent):
    team = new_team({"silent": {}}, keptn_url=silent)
    team.project("silent")
    team.apply(SERVICE, "silent")
    team.start()
    team.wait_reason(SERVICE, "Synced", "Synced")
    assert conditions(team.get(SERVICE))["Passed"] == "Unknown AwaitingDelivery"
    team.operator.popen.terminate()
    assert team.operator.popen.wait(GRACE + MARGIN) == 0
