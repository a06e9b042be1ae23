"""The API server fails in each way it can, with a verdict under way in two namespaces.

In none of them is a namespace delayed that is not hit itself; everything heals without a restart, and each verdict is
told once.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import pytest

from demo.apiserver import KubectlError
from tests.operator.api_proxy import Answer, api_proxy
from tests.operator.frozen import FROZEN, frozen
from tests.operator.harness import KEPTN_TOKEN, Team, conditions, until
from tests.operator.recorded_runs import SERVICE, Part, scored_upstream, set_back, tell
from tests.operator.scripted_keptn import scripted_keptn

pytestmark = pytest.mark.timeout(300)  # each test waits several times for what takes seconds on an idle machine

RUN, ENDS, VERSION = "02-pass", 74, "v0.1.1"
FAULTS = ("restarted", "cut", "conflict", "busy", "asleep", "policy", "token")
ROLES = ("hit", "other", "new", "heir")
HEALED = 90
"""Seconds that a machine under load may need for what takes about ten."""
AWAY = "The Kubernetes API is away"


@pytest.fixture(scope="module")
def keptn():
    with scripted_keptn(KEPTN_TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(installed, tmp_path_factory):
    with api_proxy(installed, tmp_path_factory.mktemp("proxy")) as running:
        yield running


@dataclass(frozen=True)
class Gate:
    """A resource in a project of its own, with everything that a verdict needs but the delivery."""

    team: Team
    name: str
    upstream: Path

    def deliver(self, keptn):
        """Let Keptn have delivered and judged, within the last seconds: what is older is no news to the operator."""
        tell(keptn, self.name, self.upstream, Part(RUN, ENDS, pace=10), datetime.now(UTC))

    @property
    def reason(self):
        return conditions(self.team.get(self.name)).get("Passed", "").partition(" ")[2]

    def is_told_once(self):
        """Whether the push and the verdict have one Event each; the write of a verdict comes before its Event."""
        until(lambda: self.team.event_count(self.name)["VerdictPass"])
        return self.team.event_count(self.name) == {"Pushed": 1, "VerdictPass": 1}


@dataclass(frozen=True)
class World:
    """One operator that serves two namespaces through a proxy."""

    hit: Team
    other: Team
    keptn: object

    @property
    def process(self):
        return self.hit.operator

    def gate(self, team, name):
        """A synced resource that waits for the verdict of a version."""
        gate = self.applied(team, name)
        team.wait_reason(name, "Passed", "AwaitingVersion", HEALED)
        set_back(team, [name], datetime.now(UTC))
        return gate

    def gates(self, fault):
        """One in the namespace that is hit, one in the other."""
        return self.gate(self.hit, f"{fault}-hit"), self.gate(self.other, f"{fault}-other")

    def applied(self, team, name):
        """A resource that was applied just now."""
        upstream = scored_upstream(team, name, RUN)
        team.apply(name, name, service=SERVICE, version=VERSION)
        return Gate(team, name, upstream)


@pytest.fixture(scope="module")
def served(new_team, namespaces, installed, keptn, proxy):
    hit = new_team({}, keptn_url=keptn.url)
    other = replace(hit, namespace=next(namespaces))
    installed.kubectl("create", "namespace", other.namespace)
    both = [hit.namespace, other.namespace]
    hit.grant({f"{fault}-{role}": {"namespaces": both} for fault in FAULTS for role in ROLES})
    proxied = replace(installed, url=proxy.url, ca_file=proxy.ca_file)
    token = installed.kubectl("create", "token", "prodeval", "--namespace=prodeval").strip()
    proxied.write_kubeconfig(hit.folder / "operator.kubeconfig", token)
    hit.start(other.namespace)
    return World(hit, other, keptn)


@pytest.fixture
def world(served):
    """The operator, which must be the same process before and after a test."""
    yield served
    assert served.process.running(), served.hit.log[-4000:]


def statuses_of(team, answer):
    """A fault of all status writes in the namespace of a team."""
    place = f"/namespaces/{team.namespace}/productionevaluations/"
    return lambda method, path: answer if method == "PATCH" and place in path and "/status" in path else None


def watched(proxy):
    """How many watches were answered by the proxy itself."""
    return sum("watch=true" in path for _, path in proxy.answered)


def test_a_restart_of_the_api_server_delays_a_verdict_and_nothing_else(world, installed):
    gates = world.gates("restarted")
    said = world.hit.log.count(AWAY)
    installed.process.stop()
    try:
        for gate in gates:
            gate.deliver(world.keptn)
        until(lambda: world.hit.log.count(AWAY) > said)
    finally:
        installed.process.start()
    for gate in gates:
        gate.team.wait_reason(gate.name, "Passed", "Pass", HEALED)
        assert gate.is_told_once()
    world.applied(world.other, "restarted-new")
    world.other.wait_reason("restarted-new", "Synced", "Synced", HEALED)


def test_a_watch_that_is_cut_each_second_misses_nobody(world, proxy):
    hit, other = gates = world.gates("cut")
    cuts = proxy.cuts
    with proxy.cutting(1.0):
        for gate in gates:
            gate.deliver(world.keptn)
        world.applied(world.hit, "cut-new")
        for gate in gates:
            gate.team.wait_reason(gate.name, "Passed", "Pass", HEALED)
        first = world.hit.wait_reason("cut-new", "Synced", "Synced", HEALED)
        for _ in range(3):  # who comes in place of a deleted one is not taken for it
            world.hit.kubectl("delete", "prodeval", "cut-new")
            world.hit.apply("cut-new", "cut-new", service=SERVICE, version=VERSION)
            second = world.hit.wait_reason("cut-new", "Synced", "Synced", HEALED)
            assert second["metadata"]["uid"] != first["metadata"]["uid"]
            first = second
        world.hit.kubectl("delete", "prodeval", "cut-new")
        world.hit.apply("cut-heir", "cut-new", service=SERVICE, version=VERSION)
        world.hit.wait_reason("cut-heir", "Synced", "Synced", HEALED)
        until(lambda: proxy.cuts > cuts + 10, HEALED)
    assert hit.is_told_once()
    assert other.is_told_once()


STORMS = {
    "conflict": Answer(HTTPStatus.CONFLICT),
    "busy": Answer(HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "3"}),
}


@pytest.mark.parametrize("fault", STORMS)
def test_a_storm_of_refused_writes_in_one_namespace_stays_there(world, proxy, fault):
    hit, other = world.gates(fault)
    with proxy.faulty(statuses_of(world.hit, STORMS[fault])):
        hit.deliver(world.keptn)
        until(lambda: proxy.answered)
        other.deliver(world.keptn)
        world.applied(world.other, f"{fault}-new")
        world.other.wait_reason(other.name, "Passed", "Pass", HEALED)
        world.other.wait_reason(f"{fault}-new", "Synced", "Synced", HEALED)
        assert hit.reason == "AwaitingVersion"
    world.hit.wait_reason(hit.name, "Passed", "Pass", HEALED)
    assert hit.is_told_once()
    assert other.is_told_once()


def test_who_is_told_to_wait_for_two_minutes_holds_up_nobody(world, proxy):
    hit, other = world.gates("asleep")
    answer = Answer(HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "120"})
    with proxy.faulty(statuses_of(world.hit, answer)):
        hit.deliver(world.keptn)
        until(lambda: proxy.answered)
    other.deliver(world.keptn)
    neighbour = world.applied(world.hit, "asleep-new")
    world.other.wait_reason(other.name, "Passed", "Pass", HEALED)
    world.hit.wait_reason(neighbour.name, "Synced", "Synced", HEALED)
    assert hit.reason == "AwaitingVersion", "it was not left alone for as long as it was asked"
    assert len(proxy.answered) == 1
    assert other.is_told_once()


def is_denied(team, name):
    """Whether the API server obeys the policy by now."""
    try:
        patch = ("--subresource=status", "--type=merge", "--patch", '{"status":{"verdict":"Pending"}}')
        team.kubectl("patch", "prodeval", name, "--dry-run=server", *patch)
    except KubectlError as error:
        return FROZEN in str(error)
    return False


def test_a_policy_that_denies_status_writes_in_one_namespace_stays_there(world, installed):
    hit, other = world.gates("policy")
    refusal = f"The status of {world.hit.namespace}/{hit.name} is not written"
    with frozen(installed, world.hit.namespace):
        until(lambda: is_denied(world.hit, hit.name), HEALED)
        hit.deliver(world.keptn)
        until(lambda: refusal in world.hit.log, HEALED)
        other.deliver(world.keptn)
        world.applied(world.other, "policy-new")
        world.other.wait_reason(other.name, "Passed", "Pass", HEALED)
        world.other.wait_reason("policy-new", "Synced", "Synced", HEALED)
        assert hit.reason == "AwaitingVersion"
        assert world.hit.log.count(refusal) == 1
    world.hit.wait_reason(hit.name, "Passed", "Pass", HEALED)
    assert hit.is_told_once()
    assert other.is_told_once()


def test_a_token_that_is_refused_for_a_while_ends_nothing(world, proxy):
    """Kopf ends the process as soon as a login brings credentials that were refused before."""
    gates = world.gates("token")
    with proxy.faulty(lambda *_: Answer(HTTPStatus.UNAUTHORIZED)):
        proxy.cut()
        for gate in gates:
            gate.deliver(world.keptn)
        until(lambda: watched(proxy) >= 6, HEALED)  # both namespaces, three logins
    for gate in gates:
        gate.team.wait_reason(gate.name, "Passed", "Pass", HEALED)
        assert gate.is_told_once()
    world.applied(world.hit, "token-new")
    world.hit.wait_reason("token-new", "Synced", "Synced", HEALED)
