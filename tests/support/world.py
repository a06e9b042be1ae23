"""The whole engine over servers in memory and a clock that the test moves: nothing sleeps, nothing is left to chance.

The fakes can hang, fail, be late and let something else happen in the middle of a call, as the real ones can.
"""

import itertools
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta

from prodeval.domain.errors import DependencyNotReadyError
from prodeval.domain.events import EventAnswer, parse_event, parse_executions
from prodeval.domain.masking import Mask
from prodeval.domain.resource import GROUP, KIND, VERSION, Identity, ResourceKey
from prodeval.domain.tenancy import Grant, Tenancy
from prodeval.domain.upstream import Pushed
from prodeval.runtime.engine import Engine
from prodeval.service.event_log import EventLog
from prodeval.service.evidence_files import FileReader
from prodeval.service.guarded_cluster import GuardedCluster
from prodeval.service.inquiry import Inquiry
from prodeval.service.judging import Judge
from prodeval.service.observe_turn import ObserveTurns
from prodeval.service.outage import Outage
from prodeval.service.planning import PlanSettings
from prodeval.service.presence import Presence
from prodeval.service.refreshing import Refresher
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter
from prodeval.service.sweep import Sweep
from prodeval.service.sync_turn import SyncTurns
from prodeval.service.syncing import Syncer
from prodeval.service.uniform import Uniform
from prodeval.service.upstreams import Upstreams
from tests.unit.service.snapshots import MemorySnapshot, tutorial
from tests.unit.verdict.keptn_events import SLO, START

NAMESPACE = "team-a"
TUTORIAL = tutorial(qa={"hello/slo.yaml": SLO})


class MovedClock:
    """Stands still until somebody moves it."""

    def __init__(self, start=START):
        self._start, self.seconds = start, 0.0

    def now(self):
        return self._start + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds


class FakeCluster:
    """Objects as the API server keeps them: uids, resource versions, a status that others may write.

    Attributes:
        watch: called with (type, body) for each change, unless `deaf`.
        missed: the changes that nobody was told of, in order.
        on_patch: called with the body before and after each status that is taken.
        failure: raised instead of each answer.
        refuses: by name, raised instead of taking a status.
        before_patch: called once before the next status is taken.
    """

    def __init__(self, clock):
        self._clock = clock
        self.objects, self.config_maps, self.secrets = {}, {}, {}
        self.watch = lambda kind, body: None
        self.deaf, self.missed = False, []
        self.on_patch = lambda before, after: None
        self.failure = None
        self.refuses, self.patches, self.posted, self.reads = {}, [], [], []
        self.before_patch = None
        self.pruned = ()
        self._versions, self._uids = itertools.count(1), itertools.count(1)

    def store(self, body):
        """Have an object that was there before, as it is."""
        metadata = body["metadata"]
        self.objects[ResourceKey(metadata["namespace"], metadata["name"])] = body
        self._versions = itertools.count(max(next(self._versions), int(metadata["resourceVersion"]) + 1))

    def apply(self, name="hello", *, namespace=NAMESPACE, annotations=None, **spec):
        """Create, or change the spec of, a ProductionEvaluation, as kubectl apply does."""
        key = ResourceKey(namespace, name)
        known = self.objects.get(key)
        spec = {"project": "fulltour", "service": "hello"} | spec
        if known is None:
            uid = f"uid-{next(self._uids)}"
            created = self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
            metadata = {"namespace": namespace, "name": name, "uid": uid, "generation": 1, "creationTimestamp": created}
            body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "metadata": metadata, "spec": spec}
            return self._store("ADDED", key, body)
        metadata = dict(known["metadata"])
        if known["spec"] != spec:
            metadata["generation"] += 1
        if annotations is not None:
            metadata["annotations"] = annotations
        if (metadata, spec) == (known["metadata"], known["spec"]):
            return known
        return self._store("MODIFIED", key, known | {"metadata": metadata, "spec": spec})

    def set_status(self, name, status, namespace=NAMESPACE):
        """Write a whole status as somebody else would."""
        key = ResourceKey(namespace, name)
        return self._store("MODIFIED", key, self.objects[key] | {"status": status})

    def delete(self, name="hello", namespace=NAMESPACE):
        body = self.objects.pop(ResourceKey(namespace, name))
        next(self._versions)
        self._tell("DELETED", body)
        return body

    def get(self, name="hello", namespace=NAMESPACE):
        return self.objects[ResourceKey(namespace, name)]

    def status(self, name="hello", namespace=NAMESPACE):
        return self.get(name, namespace).get("status", {})

    def secret(self, namespace, name):
        self._answer()
        if name in self.secrets:
            found = self.secrets[name]
            if found is None:
                raise DependencyNotReadyError(f"Secret {name!r} in namespace {namespace!r} does not exist yet")
            return found
        return {"git-credentials": f'{{"remoteURL": "https://git.test/{name}.git", "user": "u"}}'.encode()}

    def config_map(self, namespace, name):
        self._answer()
        if name not in self.config_maps:
            raise DependencyNotReadyError(f"ConfigMap {name!r} in namespace {namespace!r} does not exist yet")
        return self.config_maps[name]

    def read(self, key):
        self._answer()
        self.reads.append(key)
        return self.objects.get(key)

    def identities(self, namespaces):
        self._answer()
        found = {key: body["metadata"] for key, body in self.objects.items()}
        return {key: Identity(one["uid"], int(one["resourceVersion"])) for key, one in found.items()}

    def patch_status(self, key, patch, resource_version):
        self._answer()
        if self.before_patch is not None:
            happens, self.before_patch = self.before_patch, None
            happens()
        if key.name in self.refuses:
            raise self.refuses[key.name]
        body = self.objects.get(key)
        if body is None or body["metadata"]["resourceVersion"] != resource_version:
            return None
        self.patches.append((key.name, patch))
        status = merged(body.get("status", {}), deepcopy(patch))
        for path in self.pruned:
            prune(status, path)
        if status == body.get("status", {}):
            return body
        after = self._store("MODIFIED", key, body | {"status": status})
        self.on_patch(body, after)
        return after

    def post_event(self, body, kind, reason, message):
        self.posted.append((body["metadata"]["name"], kind, reason, message))

    def _answer(self):
        if self.failure is not None:
            raise self.failure

    def _store(self, kind, key, body):
        metadata = body["metadata"] | {"resourceVersion": str(next(self._versions))}
        self.objects[key] = body = body | {"metadata": metadata}
        self._tell(kind, body)
        return body

    def _tell(self, kind, body):
        if self.deaf:
            self.missed.append((kind, body))
        else:
            self.watch(kind, body)


def merged(old, patch):
    """RFC 7386."""
    result = dict(old)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = merged(result[name] if isinstance(result.get(name), dict) else {}, value)
        else:
            result[name] = value
    return result


def prune(value, path):
    """What an API server does with a field that its CRD does not know; `[]` stands for all entries of a list."""
    name, *rest = path
    places = value if name == "[]" else [value[name]] if rest and name in value else []
    for place in places:
        prune(place, rest)
    if not rest:
        value.pop(name, None)


class FakeKeptn:
    """Stored events of projects.

    Attributes:
        raw: by project, as the API has them.
        stored_late: seconds by which events are stored later than they happened, by id.
        failures: raised instead of an answer, by project; "" for all.
        told: ids of the events that somebody was told of, by project.
        most: events in an answer at most: the newest, and the answer is cut.
        during: called once in the middle of the next question.
    """

    def __init__(self, clock):
        self._clock = clock
        self.raw = defaultdict(list)
        self.executions, self.raw_executions = defaultdict(list), defaultdict(list)
        self.stored_late, self.failures = {}, {}
        self.most = self.most_joined = 10_000
        self.asked, self.joined, self.read = [], [], []
        self.told, self._parsed = defaultdict(set), {}
        self.during = None

    def tell(self, story, project="fulltour", service="hello"):
        """What happened in a story, in another project and service; ids of one context are its own."""
        for event in story.raw:
            ids = {name: f"{event['shkeptncontext']}/{event[name]}" for name in ("id", "triggeredid") if name in event}
            self.raw[project].append(event | ids | {"data": event["data"] | {"project": project, "service": service}})

    def events(self, project, since):
        self.asked.append(project)
        return self._answer(project, since, self.most)

    def service_events(self, project, service, since):
        self.joined.append((project, service))
        return self._answer(project, since, self.most_joined, service)

    def event(self, project, event_id):
        return next((one for one in self._known(project) if one.id == event_id), None)

    def newest_event(self, project, stage, service, event_type):
        found = [
            one
            for one in self._known(project)
            if (one.text("stage"), one.text("service"), one.type) == (stage, service, event_type)
        ]
        return max(found, key=lambda one: one.order, default=None)

    def events_of_context(self, project, context):
        found = tuple(one for one in self._known(project) if one.context == context)
        self.told[project].update(one.id for one in found)
        return found

    def sequence_executions(self, project):
        self._fail(project)
        return (*self.executions[project], *parse_executions(self.raw_executions[project]))

    def registrations(self):
        self._fail("")
        return ()

    def read_default_branch(self, project):
        self._fail(project)
        self.read.append((project, "main"))

    def read_stage_branch(self, project, stage):
        self._fail(project)
        self.read.append((project, stage))

    def _answer(self, project, since, most, service=None):
        found = [one for one in self._known(project) if one.time >= since and service in {None, one.text("service")}]
        answered = self._clock.now()
        if self.during is not None:
            happens, self.during = self.during, None
            happens()
        self.told[project].update(one.id for one in found[-most:])
        return EventAnswer(tuple(found[-most:]), complete=len(found) <= most, answered=answered)

    def _known(self, project):
        self._fail(project)
        now = self._clock.now()
        events = [self._parse(one) for one in self.raw[project]]
        stored = [one for one in events if one.time + timedelta(seconds=self.stored_late.get(one.id, 0)) <= now]
        return sorted(stored, key=lambda one: one.order)

    def _parse(self, raw):
        """The event, read once; what was read is kept beside it, so that its identity stays its own."""
        if id(raw) not in self._parsed:
            self._parsed[id(raw)] = raw, parse_event(raw)
        return self._parsed[id(raw)][1]

    def _fail(self, project):
        error = self.failures.get(project) or self.failures.get("")
        if error is not None:
            raise error


class FakeGit:
    """Upstreams of projects.

    Attributes:
        branches: by project: branch -> path -> bytes.
        ids: by project: the commit at the tip of a branch that nobody moved yet; invented where absent.
        failures: raised instead of an answer, by project.
        rejections: raised instead of taking a push, by project.
        during: called once between the listing and the push.
        pushes: (project, path) of each file that arrived.
        on_push: called with project, branch, path, and the bytes before (None: no file) and after.
    """

    def __init__(self):
        self.branches = defaultdict(lambda: {name: dict(files) for name, files in TUTORIAL.branches.items()})
        self.tips = defaultdict(lambda: defaultdict(int))
        self.ids = defaultdict(dict)
        self.failures, self.rejections, self.pushes, self.listings = {}, {}, [], []
        self.on_push = lambda project, branch, path, before, after: None
        self.during = None
        self.listener = lambda project, branches, default: None

    def open(self, project, credentials):
        return FakeRepository(self, project)

    def commit(self, project, branch, **files):
        """Somebody else's commit; None deletes a file, `__` stands for `/` and a last `_yaml` for `.yaml`."""
        for path, text in files.items():
            if text is None:
                self.branches[project][branch].pop(path, None)
            else:
                self.branches[project][branch][path] = text.encode()
        self.tips[project][branch] += 1

    def add_service(self, project, service):
        """Another service in all stages, with the files of the tutorial's."""
        for files in self.branches[project].values():
            copies = {
                path.replace("hello/", f"{service}/", 1): content
                for path, content in files.items()
                if path.startswith("hello/")
            }
            files.update({path: content for path, content in copies.items() if path not in files})


class Snapshot(MemorySnapshot):
    """With tips that move with each commit."""

    def __init__(self, branches, tips, ids):
        super().__init__(branches)
        object.__setattr__(self, "_tips", tips)
        object.__setattr__(self, "_ids", ids)

    @property
    def tips(self):
        made = {name: f"{number:x}{self._tips[name]:039x}" for number, name in enumerate(self.branches, 1)}
        return made | {name: one for name, one in self._ids.items() if not self._tips[name]}


@dataclass
class FakeRepository:
    git: FakeGit
    project: str

    def write_all(self, requests):
        self._fail()
        self.git.listings.append(self.project)
        branches = self.git.branches[self.project]
        answers, planned = [], []
        snapshot = self._snapshot()
        for request in requests:
            try:
                write = request.plan(snapshot)
            except Exception as error:  # noqa: BLE001 - a planner's error is its own, as in the real one
                answers.append(error)
                continue
            changes = [one for one in write.changes if snapshot.branches[one.branch].get(one.path) != one.content]
            snapshot = Snapshot(
                {
                    name: files | {one.path: one.content for one in changes if one.branch == name}
                    for name, files in snapshot.branches.items()
                },
                self.git.tips[self.project],
                self.git.ids[self.project],
            )
            planned.append(changes)
            answers.append(changes)
        if self.git.during is not None:
            happens, self.git.during = self.git.during, None
            happens()
            return self.write_all(requests)  # somebody was faster: plan again
        if self.project in self.git.rejections and any(planned):
            return tuple(
                self.git.rejections[self.project] if one and not isinstance(one, Exception) else one for one in answers
            )
        moved = {one.branch for changes in planned for one in changes}
        if moved:
            self.git.listener(self.project, moved, "main")
        for changes in planned:
            for one in changes:
                before = branches[one.branch].get(one.path)
                branches[one.branch][one.path] = one.content
                self.git.on_push(self.project, one.branch, one.path, before, one.content)
                self.git.pushes.append((self.project, one.path))
                self.git.tips[self.project][one.branch] += 1
        tips = self._snapshot().tips
        return tuple(one if isinstance(one, Exception) else Pushed(tips, "main", tuple(one)) for one in answers)

    def look(self, branches, at):
        self._fail()
        return at(self._snapshot())

    def _snapshot(self):
        return Snapshot(self.git.branches[self.project], self.git.tips[self.project], self.git.ids[self.project])

    def _fail(self):
        if self.project in self.git.failures:
            raise self.git.failures[self.project]


@dataclass
class FakePool:
    """Runs turns: at once, or as long after their start as their project's servers take.

    Attributes:
        takes: seconds by (lane's method, project): `sync` or `look`.
    """

    clock: MovedClock
    takes: dict = field(default_factory=dict)
    running: list = field(default_factory=list)
    begun: list = field(default_factory=list)

    def start(self, work):
        turn = work.args[1]
        kind = "sync" if turn.items != (turn.project,) else "look"
        self.begun.append((self.clock.seconds, kind, turn.project))
        seconds = self.takes.get((kind, turn.project), 0.0)
        self.running.append((self.clock.seconds + seconds, len(self.begun), work))

    def next_end(self):
        return min((end for end, _, _ in self.running), default=None)

    def finish(self):
        """Run what ends by now, in order."""
        while over := sorted(one for one in self.running if one[0] <= self.clock.seconds):
            self.running.remove(over[0])
            over[0][2]()


class World:
    """An operator, and everything around it."""

    def __init__(self, projects=("fulltour",), namespaces=(NAMESPACE,), start=START):
        self.clock = MovedClock(start)
        self.cluster, self.keptn, self.git = FakeCluster(self.clock), FakeKeptn(self.clock), FakeGit()
        self.grants = {name: Grant(tuple(namespaces)) for name in projects}
        self.start()

    def start(self):
        """A new process: nothing of the old one's memory is left."""
        self.mask = Mask()
        self.registry = registry = Registry(self.clock)
        tenancy = Tenancy(self.grants, "keptn")
        outage = Outage("The Kubernetes API", self.clock, lambda: 0.5)
        cluster = GuardedCluster(self.cluster, outage)
        upstreams = Upstreams(cluster, self.git.open, credentials_namespace="keptn", allowed_hosts=(), mask=self.mask)
        refresher = Refresher(self.keptn)
        self.git.listener = refresher.pushed
        self.log = EventLog(self.keptn, self.clock)
        self.judge = Judge(registry, self.log, self.clock)
        self.reporter = Reporter(cluster, registry, self.clock, self.mask.mask)
        presence = Presence(registry, cluster, self.clock)
        self.syncer = Syncer(cluster, upstreams, tenancy, lambda project: PlanSettings("gate: sync"), presence)
        uniform = Uniform(self.keptn, self.clock.now)
        self.files = FileReader(upstreams)
        self.inquiry = Inquiry(self.log, self.judge, self.files, uniform, refresher, self._outage)
        self.sync = SyncTurns(registry, self.syncer, self.judge, refresher, self.reporter, outage)
        self.observe = ObserveTurns(registry, tenancy, self.inquiry, self.judge, self.reporter, outage, self.clock)
        self.pool = FakePool(self.clock, getattr(self, "pool", FakePool(self.clock)).takes)
        sweep = Sweep(registry, cluster, ())
        self.engine = Engine(registry, self.sync, self.observe, sweep, self.clock, self.pool.start)
        for body in self.cluster.objects.values():
            registry.put(body)
        self.cluster.watch = lambda kind, body: self.engine.told(kind, body, body["metadata"]["uid"])

    def _outage(self, server):
        return Outage(server, self.clock, lambda: 0.5)

    def run(self, seconds):
        """Let time pass; everything that is due happens at its time."""
        ends = self.clock.seconds + seconds
        self._settle()
        while self.clock.seconds < ends:
            wait = self.engine.tick()
            times = [ends, self.clock.seconds + max(wait, 0.001)]
            times += [end for end in [self.pool.next_end()] if end is not None]
            self.clock.seconds = min(times)
            self._settle()

    def _settle(self):
        while True:
            self.pool.finish()
            begun = len(self.pool.begun)
            self.engine.tick()
            if len(self.pool.begun) == begun and (self.pool.next_end() or self.clock.seconds + 1) > self.clock.seconds:
                return

    def row(self, name="hello", namespace=NAMESPACE):
        """Verdict, and the conditions as `<status> <reason>`."""
        status = self.cluster.status(name, namespace)
        told = {one["type"]: f"{one['status']} {one['reason']}" for one in status.get("conditions", ())}
        return status.get("verdict"), told

    def passed(self, name="hello"):
        """Verdict and reason of Passed."""
        verdict, told = self.row(name)
        return verdict, told.get("Passed", "").partition(" ")[2]
