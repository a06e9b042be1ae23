"""What people, Keptn, servers and the process do on a walk, each remembered as the model needs it."""

import base64
import math

from prodeval.domain.errors import (
    ClusterUnavailableError,
    GitOperationFailedError,
    KeptnUnavailableError,
    StatusRefusedError,
)
from tests.support.model import Run, attribute_versions
from tests.support.walk_choices import FILES, SLOS
from tests.support.world import TUTORIAL
from tests.unit.verdict.keptn_events import Story

PATIENCE = 220.0
"""Seconds until all is at rest: pauses that servers asked for, an interval, a result that times out."""


class Killed(BaseException):
    """The process ends in the middle of something."""


class People:
    """Edits of resources, runs in Keptn, commits of others; what it needs is made by the walk."""

    def act(self, what):
        name, arguments = what
        getattr(self, name)(**arguments)

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


class Servers:
    """Servers that are away, slow or refuse, a watch that tells late, a process that ends."""

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
            self.unheard |= {body["metadata"]["uid"] for kind, body in missed if kind == "DELETED"}
            self.patience = max(self.patience, 500.0)  # who was deleted unseen is missed by the sweep
            for body in list(cluster.objects.values()):
                cluster.watch(None, body)
        self.check_known()

    def lose(self):
        """Keptn's store is cleaned up of all that is over, and somebody restarts the operator."""
        if any(one.get("suspend") for one in self.specs().values()):
            return
        for (project, _), runs in self.runs.items():
            gone = {run.context for run in runs if run.finished is not None}
            attribute_versions(runs)
            for run in runs:
                run.lost = run.lost or run.context in gone
            raw = self.world.keptn.raw
            raw[project] = [one for one in raw[project] if one["shkeptncontext"] not in gone]
        self.restart()
