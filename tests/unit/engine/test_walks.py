"""Random walks through everything that may happen, checked against the model: on the way, and once all is at rest.

`PRODEVAL_WALKS=5000` walks longer, and differently each time.
`PRODEVAL_SHRINK=1` looks for the shortest walk that fails.
"""

import functools
import logging
import os
from collections import Counter, defaultdict
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from prodeval.domain.verdict.timeline import read_timeline
from tests.support.walk_actions import PATIENCE, Killed, People, Servers
from tests.support.walk_checks import AtRest, Errors, OnTheWay, Posts
from tests.support.walk_choices import (
    DELIVERIES,
    FAULTS,
    FIELD,
    GIT,
    HAPPENS,
    HOW,
    KEPTN,
    NAMES,
    OBJECTS,
    PLACES,
    PROJECTS,
    RECOVERIES,
    SERVICES,
    SPECS,
    VERSIONS,
)
from tests.support.world import World

LOGGER = logging.getLogger("prodeval")

PURE = ("shipyard.model.compose", "preflight.job_config.compose", "preflight.slo_checks.compose")
"""What reads texts, the same ones again and again; most of the time would be theirs."""


def timelines():
    """Reads a service's events once for as long as they are the same."""
    known = {}

    def read(expectation, events):
        key = expectation, id(events)
        if key not in known:
            known[key] = events, read_timeline(expectation, events)
        return known[key][1]

    return read


class Walk(People, Servers, OnTheWay, AtRest, RuleBasedStateMachine):
    """One operator and all that may happen to it."""

    @initialize(specs=st.lists(SPECS, min_size=2, max_size=3), first=st.one_of(st.none(), DELIVERIES, DELIVERIES))
    def begin(self, specs, first):
        self.world = world = World(PROJECTS)
        for project in PROJECTS:
            world.git.add_service(project, "other")
        self.services = {(project, service) for project in PROJECTS for service in SERVICES[:2]}
        self.runs = defaultdict(list)
        self.stories = {}
        self.free = defaultdict(float)
        self.first, self.kept = {}, {}
        self.faults = []
        self.contexts = 0
        self.settled_at = 0.0
        self.patience = PATIENCE
        self.stains = defaultdict(list)
        self.slos = defaultdict(lambda: [(0.0, None)])
        self.foreign = {}
        self.pushed = defaultdict(list)
        self.wishes = defaultdict(list)
        self.shown = Counter()
        self.targets = {}
        self.unheard = set()
        self.process_told()
        world.cluster.on_patch, world.git.on_push = self.noted(self.on_patch), self.noted(self.on_push)
        world.cluster.posted = Posts(self.noted(self.on_post), world.cluster.objects)
        self.log = Errors(self.faults)
        LOGGER.addHandler(self.log)
        LOGGER.propagate = False
        self.remember()
        for name, spec in zip("abc", specs, strict=False):
            self.create(name, spec)
        if first:
            self.elapse(20)
            self.act(first)
            self.elapse(130)

    def remember(self):
        """Let pure functions remember their answers for as long as this walk goes on."""
        self.patches = [mock.patch("prodeval.domain.verdict.selection.read_timeline", timelines())]
        for place in PURE:
            patch = mock.patch(f"prodeval.domain.{place}")
            patch.new = functools.cache(patch.get_original()[0])
            self.patches.append(patch)
        for patch in self.patches:
            patch.start()

    def noted(self, check):
        """A check in the middle of a turn, which catches all errors: what is wrong is said after it."""

        def checked(*facts):
            try:
                check(*facts)
            except Exception as error:  # noqa: BLE001 - of the check itself, too
                self.faults.append(error)

        return checked

    @property
    def now(self):
        return self.world.clock.seconds

    def elapse(self, seconds):
        """Time passes; a process that is killed is started again."""
        ends = self.now + seconds
        is_over = False
        while not is_over:
            try:
                self.world.run(ends - self.now)
                is_over = True
            except Killed:
                self.restart()
        assert not self.faults, self.faults[0]

    def process_told(self):
        """A new process has to be told everything again."""
        self.world.keptn.told = defaultdict(set)

    @rule(what=OBJECTS, seconds=st.sampled_from((0, 3, 30)))
    def change(self, what, seconds):
        self.act(what)
        self.elapse(seconds)

    @rule(what=KEPTN, seconds=st.sampled_from((30, 130)))
    def run_something(self, what, seconds):
        self.act(what)
        self.elapse(seconds)

    @rule(what=DELIVERIES, change=OBJECTS, seconds=st.sampled_from((40, 95, 100)))
    def change_while_something_runs(self, what, change, seconds):
        self.act(what)
        self.elapse(seconds)
        self.act(change)

    @rule(what=DELIVERIES)
    def deliver_something(self, what):
        self.act(what)
        self.elapse(130)

    @rule(name=NAMES, place=PLACES, version=VERSIONS, wanted=VERSIONS, seconds=st.sampled_from((90, 94, 95)))
    def want_another_version_while_one_is_judged(self, name, place, version, wanted, seconds):
        self.deliver(name, version, "pass", 0)
        self.elapse(seconds)
        self.hook(place, lambda: self.edit(name, ("version", wanted)))
        self.elapse(40)

    @rule(changes=st.lists(OBJECTS, min_size=1, max_size=4), how=HOW)
    def change_unheard(self, changes, how):
        """Objects change while the watch is cut; then it tells of all that, in some order."""
        self.deaf()
        for change in changes:
            self.act(change)
        self.hear(how)
        self.elapse(10)

    @rule(name=NAMES, field=FIELD)
    def change_during_a_push(self, name, field):
        self.hook("git", lambda: self.edit(name, field))
        self.request(name)
        self.elapse(10)

    @rule(what=GIT)
    def change_upstream(self, what):
        self.act(what)

    @rule(what=FAULTS, seconds=st.sampled_from((0, 40, 130)), lasts=st.booleans())
    def break_something(self, what, seconds, lasts):
        self.act(what)
        self.elapse(seconds)
        if not lasts:
            self.heal()

    @rule(what=FAULTS, delivery=DELIVERIES, change=OBJECTS, seconds=st.sampled_from((20, 100)))
    def break_something_while_something_runs(self, what, delivery, change, seconds):
        self.act(delivery)
        self.elapse(seconds)
        self.act(what)
        self.act(change)
        self.elapse(40)
        self.heal()

    @rule(seconds=st.sampled_from((1, 7, 40, 120)))
    def wait(self, seconds):
        self.elapse(seconds)

    @rule(what=DELIVERIES, place=PLACES, happens=HAPPENS, seconds=st.sampled_from((0, 20, 94, 94)))
    def meanwhile(self, what, place, happens, seconds):
        """Something happens in the middle of the next question to a server."""
        self.act(what)
        self.elapse(seconds)
        self.hook(place, lambda: self.act(happens))
        self.elapse(40)

    @rule(what=RECOVERIES, seconds=st.sampled_from((0, 60)))
    def recover(self, what, seconds):
        self.act(what)
        self.elapse(seconds)

    @precondition(lambda self: not self.settled_at)
    @rule(then=st.sampled_from(("nothing", "restart", "lose")))
    def rest(self, then):
        self.settle()
        if then == "lose":
            self.lose()
        elif then == "restart":
            patches = len(self.world.cluster.patches)
            self.restart()
            self.elapse(60)
            assert self.world.cluster.patches[patches:] == [], "a restart writes"

    def settle(self):
        """All servers answer, all that is under way ends: then everything is as the model says, and stays."""
        world = self.world
        self.heal()
        world.git.during = world.keptn.during = world.cluster.before_patch = None
        if world.cluster.deaf:
            self.hear("listed")
        last = max([self.now, *self.free.values()])
        self.elapse(last - self.now + self.patience)
        self.patience = PATIENCE
        for body in list(world.cluster.objects.values()):
            self.check_rest(body)
        patches, pushes = len(world.cluster.patches), len(world.git.pushes)
        self.elapse(91)
        assert world.cluster.patches[patches:] == [], "a write although nothing happened"
        assert world.git.pushes[pushes:] == []
        assert "closed" not in world.keptn.asked
        assert "closed" not in world.git.listings
        self.check_foreign()
        self.settled_at = self.now

    def teardown(self):
        try:
            if hasattr(self, "world") and not self.faults:
                self.settle()
        finally:
            for patch in self.patches:
                patch.stop()
            LOGGER.propagate = True
            LOGGER.handlers.clear()


WALKS = os.environ.get("PRODEVAL_WALKS")
Walk.TestCase.settings = settings(
    max_examples=int(WALKS or 100),
    stateful_step_count=12,
    derandomize=WALKS is None,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink) if os.environ.get("PRODEVAL_SHRINK") else (Phase.generate,),
    report_multiple_bugs=False,
    print_blob=False,
)
TestWalks = Walk.TestCase
TestWalks.pytestmark = [pytest.mark.timeout(0)]
