"""Random walks through everything that may happen, checked against the model: on the way, and once all is at rest.

`PRODEVAL_WALKS=5000` walks longer, and differently each time; `PRODEVAL_SHRINK=1` looks for the shortest failing walk.
"""

import base64
import functools
import itertools
import logging
import math
import os
from collections import Counter, defaultdict
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from prodeval.domain.errors import (
    ClusterUnavailableError,
    GitOperationFailedError,
    KeptnUnavailableError,
    StatusRefusedError,
)
from prodeval.domain.verdict.timeline import read_timeline
from tests.support.model import NO_VERDICT, Run, Seen, synced
from tests.support.world import TUTORIAL, World
from tests.unit.verdict.keptn_events import SLO, Story

PROJECTS = ("p", "q")
SERVICES = ("hello", "other", "late")
SLOS = {f"slo{number}": SLO.replace("<=1", f"<={number}") for number in (1, 2, 3)}
LOCUST = [{"stage": {"name": "qa"}}, {"inline": {"path": "locust/locust.conf", "content": "users = 9\n"}}]
FILES = {name: [{"inline": {"path": "slo.yaml", "content": text}}] for name, text in SLOS.items()} | {"locust": LOCUST}
FIELDS = {
    "version": (None, "v1", "v2"),
    "historyLimit": (None, 0, 2),
    "files": (None, "slo1", "slo2", "locust"),
    "suspend": (None, None, True),
    "interval": ("1m", "90s", "banana"),
    "resultTimeout": ("1m", "90s"),
    "shipyard": ({"timeframe": "2m"}, {"timeframe": "2m"}, {"timeframe": "3m"}),
}
LOGGER = logging.getLogger("prodeval")
PATIENCE = 220.0
"""Seconds until all is at rest: pauses that servers asked for, an interval, a result that times out."""
FRESH = 31.0
"""For so long the operator may believe what the API server told it."""


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


class Killed(BaseException):
    """The process ends in the middle of something."""


def action(kind, /, **arguments):
    return st.tuples(st.just(kind), st.fixed_dictionaries(arguments))


NAMES = st.sampled_from(["a", "b", "c"])
PROJECT = st.sampled_from(PROJECTS)
FIELD = st.sampled_from(sorted(FIELDS)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(FIELDS[name])))
ENDS = ("pass", "pass", "pass", "fail", "abort early", "abort late", "hang early", "hang late")
VERSIONS = st.sampled_from(("v1", "v1", "v2"))
TARGETS = st.sampled_from(
    (*itertools.product(PROJECTS, SERVICES[:2]), ("p", "hello"), ("p", "late"), ("closed", "hello"))
)
SPECS = st.tuples(TARGETS, st.sampled_from(FIELDS["version"]), st.sampled_from(FIELDS["files"]))
EDITS = action("edit", name=NAMES, field=FIELD)
OBJECTS = st.one_of(
    EDITS,
    EDITS,
    action("create", name=NAMES, spec=SPECS),
    action("request", name=NAMES),
    action("delete", name=NAMES),
    action("recreate", name=NAMES, project=PROJECT),
)
DELIVERIES = action(
    "deliver", name=NAMES, version=VERSIONS, end=st.sampled_from(ENDS), late=st.sampled_from((0, 0, 25, 45))
)
KEPTN = st.one_of(
    DELIVERIES,
    DELIVERIES,
    action("evaluate", name=NAMES, passed=st.booleans(), back=st.sampled_from((10, 60, 200))),
    action("invalidate", name=NAMES),
    action("abort_run", name=NAMES),
)
GIT = st.one_of(
    action("swap", name=NAMES, slo=st.sampled_from(sorted(SLOS))),
    action("commit", project=PROJECT, path=st.sampled_from(("hello/notes.txt", "hello/locust/locust.conf", "x/y"))),
    action("make_late", project=PROJECT),
)
RETRY = st.sampled_from((None, 60.0))
FAULTS = st.one_of(
    action("git_away", project=PROJECT, retry=RETRY),
    action("keptn_away", project=st.sampled_from((*PROJECTS, "")), retry=RETRY),
    action("api_away"),
    action("refused", name=NAMES),
    action("slow", project=PROJECT, kind=st.sampled_from(("sync", "look")), seconds=st.sampled_from((4.0, 12.0, 35.0))),
    action("busy_neighbour", project=PROJECT),
    action("deaf"),
)
ACTIONS = st.one_of(OBJECTS, OBJECTS, KEPTN, KEPTN, GIT, FAULTS)
HAPPENS = st.one_of(ACTIONS, action("kill"), action("kill"))
PLACES = st.sampled_from(("git", "keptn", "patch"))
RECOVERIES = st.one_of(
    action("heal"), action("restart"), action("hear", how=st.sampled_from(("late", "twice", "swapped", "listed")))
)


class Walk(RuleBasedStateMachine):
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

    # What people and Keptn do.

    def create(self, name, spec):
        (project, service), version, files = spec
        if name not in self.specs():
            spec = {"project": project, "service": service, "interval": "1m", "resultTimeout": "1m"}
            spec["shipyard"] = {"timeframe": "2m"}
            self.apply(
                name, spec | ({"version": version} if version else {}) | ({"files": FILES[files]} if files else {})
            )

    def apply(self, name, spec):
        body = self.world.cluster.apply(name, **spec)
        self.wishes[body["metadata"]["uid"]].append((self.now, body["spec"]))
        self.targets[name] = spec["project"], spec["service"]

    def target(self, name):
        """Where a resource of that name belongs, or did."""
        return self.targets.get(name, ("p", "hello"))

    def specs(self):
        return {key.name: body["spec"] for key, body in self.world.cluster.objects.items()}

    def edit(self, name, field):
        spec = self.specs().get(name)
        if spec is not None:
            key, value = field
            changed = spec | {key: FILES[value] if key == "files" and value else value}
            self.apply(name, {key: value for key, value in changed.items() if value is not None})

    def request(self, name):
        spec = self.specs().get(name)
        if spec is not None:
            self.world.cluster.apply(name, annotations={"prodeval.dev/reconcile-requested-at": str(self.now)}, **spec)

    def delete(self, name):
        if name in self.specs():
            body = self.world.cluster.delete(name)
            self.wishes[body["metadata"]["uid"]].append((self.now, None))

    def recreate(self, name, project):
        spec = self.specs().get(name)
        if spec is not None:
            self.delete(name)
            self.apply(name, spec | {"project": project})

    def begin_run(self, project, service):
        """The next run of a service, which waits for the one before; None if that takes too long."""
        runs = self.runs[project, service]
        if runs and runs[-1].hangs:
            self.abort(project, service)
        start = max(math.ceil(self.now) + 1, self.free[project, service] + 1)
        if start > self.now + 150:
            return None
        self.contexts += 1
        run = Run(f"c{self.contexts}", start, slo=self.slos[project, service][-1][1] or b"")
        self.stories[run.context] = Story()
        runs.append(run)
        return run

    def deliver(self, name, version, end, late):
        project, service = self.target(name)
        run = self.begin_run(project, service)
        if run is None:
            return
        story, t, context = self.stories[run.context], run.began, run.context
        run.version = version
        qa = story.sequence(t, context, "qa", version=version)
        story.task(t + 1, t + 5, context, "je-deployment", "qa")
        over = t + 6
        if end == "abort early":
            run.ending = story.end(t + 6, qa, context, "qa", status="aborted")
            run.finished = run.ended = t + 6
        elif end != "hang early":
            story.end(t + 6, qa, context, "qa")
            over = self.reach(run, story, end)
        self.free[project, service] = over
        self.tell(project, service, run, 0)
        if late:  # in the order in which Keptn stores them
            newest = [one["id"] for one in self.world.keptn.raw[project][-2:]]
            self.world.keptn.stored_late |= dict.fromkeys(newest, late)

    def reach(self, run, story, end):
        """The sequence in production; returns when it is over."""
        t, context = run.began, run.context
        run.reached, run.deploying, run.deployed = t + 7, t + 10, t + 20
        production = story.sequence(t + 7, context, version=run.version)
        story.task(t + 10, t + 20, context, "je-deployment")
        if not run.slo:
            run.finished = t + 21
            story.end(t + 21, production, context)
        elif end == "hang late":
            story.task(t + 21, None, context, "je-test")
        elif end == "abort late":
            story.task(t + 21, None, context, "je-test")
            run.ending = story.end(t + 40, production, context, status="aborted")
            run.finished = run.ended = t + 40
        else:
            story.task(t + 21, t + 89, context, "je-test")
            run.triggered, run.window, run.passed, run.finished = t + 90, t + 30, end == "pass", t + 96
            self.score(run, story, t + 90, t + 95, (t + 30, t + 90))
            story.end(t + 96, production, context, result="pass" if run.passed else "fail")
        return t + 96

    def score(self, run, story, begins, ends, window):
        text = base64.b64encode(run.slo).decode()
        story.evaluate(
            begins, ends, run.context, window, 0.5 if run.passed else 50, evaluation={"sloFileContent": text}
        )
        run.evaluation = story.raw[-1]["id"]

    def evaluate(self, name, passed, back):
        project, service = self.target(name)
        if self.slos[project, service][-1][1] is None:
            return
        run = self.begin_run(project, service)
        if run is None:
            return
        story, t = self.stories[run.context], run.began
        run.alone, run.passed, run.triggered, run.window, run.finished = True, passed, t, t - back, t + 6
        sequence = story.sequence(t, run.context, sequence="evaluation")
        self.score(run, story, t, t + 5, (t - back, t - 5))
        story.end(t + 6, sequence, run.context, sequence="evaluation", result="pass" if passed else "fail")
        self.free[project, service] = t + 6
        self.tell(project, service, run, 0)

    def tell(self, project, service, run, since):
        """Let Keptn know of events; their ids get their context in front."""
        story = self.stories[run.context]
        self.world.keptn.tell(Story(story.raw[since:]), project, service)

    def invalidate(self, name):
        """The newest evaluation that is there."""
        project, service = self.target(name)
        done = [
            run for run in self.runs[project, service] if run.evaluation and run.finished < self.now and not run.lost
        ]
        if done and not done[-1].invalidated:
            run, story = done[-1], self.stories[done[-1].context]
            trigger = next(one["id"] for one in story.raw if one["type"].endswith("evaluation.triggered"))
            since = len(story.raw)
            story.invalidate(self.now, trigger, run.context)
            run.invalidated = True
            self.tell(project, service, run, since)

    def abort_run(self, name):
        self.abort(*self.target(name))

    def abort(self, project, service):
        """A run that hangs is ended by a person."""
        runs = self.runs[project, service]
        if not runs or not runs[-1].hangs or runs[-1].lost or self.now < self.free[project, service]:
            return
        run, story = runs[-1], self.stories[runs[-1].context]
        stage = "production" if run.reached else "qa"
        trigger = [one["id"] for one in story.raw if one["type"].endswith(f"{stage}.delivery.triggered")][-1]
        since = len(story.raw)
        run.ending = story.end(self.now, trigger, run.context, stage, status="aborted")
        run.finished = run.ended = self.now
        self.free[project, service] = self.now
        self.tell(project, service, run, since)

    def swap(self, name, slo):
        project, service = self.target(name)
        self.commit(project, f"{service}/slo.yaml", SLOS[slo])

    def commit(self, project, path, text="users = 77\n"):
        """Somebody else's commit to production."""
        content = self.world.git.branches[project]["production"].get(path)
        if content == text.encode():
            return
        self.world.git.commit(project, "production", **{path: text})
        self.foreign[project, "production", path] = text.encode()
        self.changed(project, path, text.encode(), is_known=False)

    def changed(self, project, path, content, *, is_known):
        service = path.partition("/")[0]
        self.stains[project, service].append((self.now, is_known))
        if path.endswith("/slo.yaml"):
            self.slos[project, service].append((self.now, content))

    def make_late(self, project):
        """Keptn gets to know a service that a resource may wait for."""
        if (project, "late") not in self.services:
            for branch, files in TUTORIAL.branches.items():
                copies = {path: text for path, text in files.items() if path.startswith("hello/")}
                target = self.world.git.branches[project][branch]
                target.update({path.replace("hello/", "late/", 1): text for path, text in copies.items()})
            self.services.add((project, "late"))

    # What servers, the network and the process do.

    def act(self, what):
        name, arguments = what
        getattr(self, name)(**arguments)

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

    def kill(self):
        raise Killed

    def hook(self, place, happens):
        world = self.world
        if place == "git":
            world.git.during = happens
        elif place == "keptn":
            world.keptn.during = happens
        else:
            world.cluster.before_patch = happens

    @rule(what=RECOVERIES, seconds=st.sampled_from((0, 60)))
    def recover(self, what, seconds):
        self.act(what)
        self.elapse(seconds)

    def restart(self):
        self.world.cluster.missed.clear()
        self.world.start()
        self.process_told()

    def git_away(self, project, retry):
        self.world.git.failures[project] = GitOperationFailedError("no answer", retry_after=retry)

    def keptn_away(self, project, retry):
        error = KeptnUnavailableError("no answer", retry_after=retry, everywhere=not project)
        self.world.keptn.failures[project] = error

    def api_away(self):
        self.world.cluster.failure = ClusterUnavailableError("no connection")

    def refused(self, name):
        self.patience = max(self.patience, 700.0)  # what is refused for long is tried again seldom
        self.world.cluster.refuses[name] = StatusRefusedError("denied by a policy")

    def slow(self, project, kind, seconds):
        self.world.pool.takes[kind, project] = seconds

    def busy_neighbour(self, project):
        """Many events of another service: Keptn's answers about the project are cut off."""
        story = Story()
        self.contexts += 1
        for number in range(30):
            story.add(self.now - number, "something.triggered", f"n{self.contexts}")
        self.world.keptn.tell(story, project, "neighbour")
        self.world.keptn.most = 20

    def heal(self):
        world = self.world
        for one in (world.git.failures, world.keptn.failures, world.cluster.refuses, world.pool.takes):
            one.clear()
        world.cluster.failure, world.keptn.most = None, 10_000

    def deaf(self):
        self.world.cluster.deaf = True

    def hear(self, how):
        """What the watch tells when it works again; a new listing shows what is there, not what is gone."""
        cluster = self.world.cluster
        if not cluster.deaf:
            return
        missed, cluster.missed, cluster.deaf = cluster.missed, [], False
        told = {"late": missed, "twice": [*missed, *missed], "swapped": missed[::-1], "listed": []}[how]
        for kind, body in told:
            cluster.watch(kind, body)
        if how == "listed":
            self.patience = max(self.patience, 500.0)  # who was deleted unseen is missed by the sweep
            for body in list(cluster.objects.values()):
                cluster.watch(None, body)

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

    def lose(self):
        """Keptn's store is cleaned up of all that is over, and somebody restarts the operator."""
        if any(one.get("suspend") for one in self.specs().values()):
            return
        for (project, _), runs in self.runs.items():
            gone = {run.context for run in runs if run.finished is not None}
            for run in runs:
                run.lost = run.lost or run.context in gone
            raw = self.world.keptn.raw
            raw[project] = [one for one in raw[project] if one["shkeptncontext"] not in gone]
        self.restart()

    # What must hold on the way.

    def on_patch(self, before, after):
        spec, uid = after["spec"], after["metadata"]["uid"]
        old, new = before.get("status", {}), after["status"]
        if "sync" in new and uid not in self.first:
            self.first[uid] = math.floor(self.now)
        last, verdict = new.get("lastEvaluation", {}), new["verdict"]
        if spec.get("suspend"):
            assert judged(old)[:2] == judged(new)[:2], "a suspended resource is judged"
        if judged(old) == judged(new):
            return
        if verdict == "Pending" or reason(new) in NO_VERDICT:
            self.may_go(old, new, spec, uid)
            return
        assert spec["project"] in PROJECTS, "a verdict without a grant"
        run = self.run_of(spec, last["eventID"])
        assert run, f"a verdict of another target: {last['eventID']}"
        assert spec.get("version") in (None, last.get("version")), "a verdict about another version"
        is_new = self.kept.get(uid) is not run
        if is_new:
            assert (run.triggered if run.evaluation else run.ended) > self.first[uid], (
                "a verdict from before the first sync"
            )
            self.check_proof(spec["project"], spec["service"], run, verdict)
        self.check_newest(spec, run, verdict)
        self.kept[uid] = run

    def check_proof(self, project, service, run, verdict):
        """What is shown is what Keptn told this very process."""
        told = self.world.keptn.told[project]
        assert f"{run.context}/{run.outcome}" in told, "a verdict about an event that nobody told"
        if run.evaluation and verdict != "Inconclusive":
            assert (verdict == "Pass") == run.passed, "another verdict than Keptn's"
        if verdict == "Pass":
            assert run.evaluation, "a pass without an evaluation"
            since = [content for time, content in self.slos[project, service] if time >= run.triggered]
            at = [content for time, content in self.slos[project, service] if time < run.triggered][-1:]
            assert run.slo in at + since, "a pass by another slo.yaml"
            self.check_valid(project, run)

    def check_valid(self, project, run):
        told = self.world.keptn.told[project]
        raw = [one for one in self.world.keptn.raw[project] if one["id"] in told]
        gone = [one for one in raw if one["type"].endswith("invalidated") and one["shkeptncontext"] == run.context]
        assert not gone, "a pass that was invalidated"

    def check_newest(self, spec, run, verdict):
        """A pass is not shown of what was replaced by another deployment of which this process was told."""
        if verdict != "Pass" or run.lost:
            return
        told = self.world.keptn.told[spec["project"]]
        raw = {one["id"]: one for one in self.world.keptn.raw[spec["project"]]}
        for other in self.runs[spec["project"], spec["service"]]:
            ended = any(
                identity in told and raw[identity]["type"].endswith("production.delivery.finished")
                for identity in raw
                if raw[identity]["shkeptncontext"] == other.context
            )
            if other.deployed is not None and ended:
                assert run.window >= other.deployed, "a pass of what was replaced"

    def may_go(self, old, new, spec, uid):
        """A verdict gives way to nothing but another expectation, an invalidation, or a run that deployed."""
        run = self.kept.get(uid)
        if run is None or old["verdict"] == "Pending" or reason(old) in NO_VERDICT:
            return
        wants = spec.get("version")
        runs = self.runs[spec["project"], spec["service"]]
        newer = [
            one for one in runs if (one.deploying or 0) > run.began or (one.began > run.began and one.version == wants)
        ]
        assert run.invalidated or newer or wants not in (None, old["lastEvaluation"].get("version")), (
            "a verdict is lost"
        )

    def run_of(self, spec, event_id):
        runs = self.runs[spec["project"], spec["service"]]
        return next((run for run in runs if f"{run.context}/{run.outcome}" == event_id), None)

    def on_post(self, body, reason_of_event):
        """At most one Event for each verdict of one spec."""
        status, metadata = body["status"], body["metadata"]
        if reason_of_event.startswith("Verdict"):
            about = status.get("lastEvaluation", {}).get("eventID"), status.get("pending", {}).get("deadline")
            self.shown[metadata["uid"], metadata["generation"], reason(status), about] += 1
            assert max(self.shown.values()) <= 1, "a verdict is announced twice"

    def on_push(self, project, branch, path, before, content):
        """Only what a resource that is there wants, and nothing that is somebody else's."""
        assert project in PROJECTS
        if (branch, path) == ("main", "shipyard.yaml"):
            kept = [line for line in before.decode().splitlines() if "timeframe" not in line]
            lines = iter(content.decode().splitlines())
            assert all(line in lines for line in kept), "a line of the shipyard is gone"
            return
        assert branch == "production"
        wishes = self.wishes_now(project, path.partition("/")[0])
        assert wishes, f"{path} is pushed for nobody"
        inline = {
            source["inline"]["content"].encode()
            for spec in wishes
            for source in spec.get("files", [])
            if "inline" in source and path.endswith("/" + source["inline"]["path"])
        }
        if content not in inline:
            qa = self.world.git.branches[project]["qa"].get(path)
            assert content == qa, f"{path}: nobody wants this"
            assert before is None or before == self.ours(project, path), f"{path} is somebody else's"
        again = [time for time, old in self.pushed[project, path] if old == content]
        if again:
            assert (project, "production", path) in self.foreign or self.wished_since(project, path, again[-1]), (
                "pushed twice"
            )
        self.pushed[project, path].append((self.now, content))
        self.foreign.pop((project, "production", path), None)
        self.changed(project, path, content, is_known=not self.is_troubled())

    def ours(self, project, path):
        """What we wrote last, unless somebody wrote since."""
        if (project, "production", path) in self.foreign or not self.pushed[project, path]:
            return None
        return self.pushed[project, path][-1][1]

    def wishes_now(self, project, service):
        """Specs that the operator may still act on: the one that counts, and those that it may not know to be over."""
        found = []
        for wishes in self.wishes.values():
            for number, (_, spec) in enumerate(wishes):
                until = wishes[number + 1][0] if number + 1 < len(wishes) else math.inf
                fresh = FRESH if self.world.cluster.deaf else 0.0
                if spec and (spec["project"], spec["service"]) == (project, service) and until + fresh >= self.now:
                    found.append(spec)
        return [spec for spec in found if not spec.get("suspend") and spec["interval"] != "banana"]

    def wished_since(self, project, path, time):
        service = path.partition("/")[0]
        return any(
            when >= time - FRESH and (spec is None or (spec["project"], spec["service"]) == (project, service))
            for wishes in self.wishes.values()
            for when, spec in wishes
        )

    def is_troubled(self):
        world = self.world
        return bool(
            world.cluster.failure
            or world.cluster.refuses
            or world.cluster.deaf
            or world.pool.takes
            or world.cluster.before_patch
            or world.git.during
        )

    # What must hold at rest.

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

    def check_rest(self, body):
        spec, uid, status = body["spec"], body["metadata"]["uid"], body.get("status", {})
        if spec.get("suspend"):
            return
        objects = list(self.world.cluster.objects.values())
        wanted = synced(body, objects, granted=PROJECTS, services=self.services)
        assert reason(status, "Synced") == wanted, (body["metadata"]["name"], status.get("conditions"))
        if wanted in {"DuplicateTarget", "InvalidSpec", "AccessDenied"} or uid not in self.first:
            assert uid in self.first or judged(status)[:2] == ("Pending", "")
            return
        assert (
            status["observedGeneration"] == body["metadata"]["generation"]
            or wanted == "DependencyNotReady"
            or reason(status, "Reconciling")
        )
        target = spec["project"], spec["service"]
        seen = Seen(
            spec.get("version"),
            self.first[uid],
            self.runs[target],
            self.kept.get(uid),
            lambda run: self.is_stained(target, run),
        )
        allowed = seen.verdicts()
        assert (status["verdict"], reason(status)) in allowed, (
            allowed,
            status,
            self.first[uid],
            spec,
            self.runs[target],
        )
        if wanted == "Synced":
            self.check_files(spec)

    def is_stained(self, target, run):
        """Whether files changed so that a pass may have been seen as unproven."""
        return any(
            time >= run.began or (not is_known and not self.was_settled(time, run.began))
            for time, is_known in self.stains[target]
        )

    def was_settled(self, since, until):
        return since < self.settled_at <= until

    def check_files(self, spec):
        files = self.world.git.branches[spec["project"]]["production"]
        assert files[f"{spec['service']}/slo.yaml"]
        for source in spec.get("files", []):
            if "inline" in source:
                path = f"{spec['service']}/{source['inline']['path']}"
                assert files[path] == source["inline"]["content"].encode(), path

    def check_foreign(self):
        for (project, branch, path), content in self.foreign.items():
            assert self.world.git.branches[project][branch][path] == content, f"{path} was somebody else's"

    def teardown(self):
        try:
            if hasattr(self, "world") and not self.faults:
                self.settle()
        finally:
            for patch in self.patches:
                patch.stop()
            LOGGER.propagate = True
            LOGGER.handlers.clear()


class Posts(list):
    """Events as they are posted."""

    def __init__(self, told, objects):
        super().__init__()
        self.told, self.objects = told, objects

    def append(self, posted):
        super().append(posted)
        body = next((body for key, body in self.objects.items() if key.name == posted[0]), None)
        if body is not None:
            self.told(body, posted[2])


class Errors(logging.Handler):
    """Errors of the operator's own, which it only logs."""

    def __init__(self, faults):
        super().__init__(logging.ERROR)
        self.faults = faults

    def emit(self, record):
        self.faults.append(AssertionError(record.getMessage() + logging.Formatter().formatException(record.exc_info)))


def reason(status, name="Passed"):
    return next((one["reason"] for one in status.get("conditions", ()) if one["type"] == name), "")


def judged(status):
    last = status.get("lastEvaluation", {})
    generation = [one["observedGeneration"] for one in status.get("conditions", ()) if one["type"] == "Passed"]
    told = "" if reason(status) in {"Reconciling", ""} else reason(status)
    return status.get("verdict", "Pending"), last.get("eventID", ""), told, generation


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
