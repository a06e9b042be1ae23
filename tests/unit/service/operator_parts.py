"""Registry, reporter, reconciler and observer together, over ports in memory; the real ones are in tests/operator."""

from datetime import UTC, datetime, timedelta

from prodeval.domain.errors import DependencyNotReadyError
from prodeval.domain.resource import ResourceKey
from prodeval.domain.upstream import Pushed
from prodeval.service.event_log import EventLog
from prodeval.service.evidence_files import FileReader
from prodeval.service.observe import Observer
from prodeval.service.reconcile import Reconciler
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter
from prodeval.service.status import StatusWriter
from prodeval.service.syncing import Synced
from prodeval.service.uniform import Uniform
from tests.unit.service.snapshots import tutorial
from tests.unit.service.test_planning import plan

SYNCED = {"sync": {"firstSyncTime": "2025-12-31T00:00:00Z"}, "observedGeneration": -1}
NAMESPACE = "team-a"


def body(name="hello", *, generation=1, project="fulltour", status=None, **spec):
    return {
        "metadata": {
            "namespace": NAMESPACE,
            "name": name,
            "uid": name,
            "generation": generation,
            "resourceVersion": "1",
        },
        "spec": {"project": project, "service": name, **spec},
        "status": status or {},
    }


def merged(old, patch):
    """A JSON merge patch (RFC 7386), as the API server applies it."""
    if not isinstance(patch, dict):
        return patch
    old = old if isinstance(old, dict) else {}
    kept = {name: value for name, value in old.items() if patch.get(name, value) is not None}
    return kept | {name: merged(old.get(name), value) for name, value in patch.items() if value is not None}


class Cluster:
    """Objects with resource versions, as the API server keeps them."""

    def __init__(self):
        self.objects, self.patches = {}, []

    def put(self, one):
        self.objects[ResourceKey(NAMESPACE, one["metadata"]["name"])] = one

    def read(self, key):
        return self.objects.get(key)

    def patch_status(self, key, patch, resource_version):
        found = self.objects.get(key)
        if found is None or found["metadata"]["resourceVersion"] != resource_version:
            return None
        self.patches.append((key.name, patch))
        metadata = found["metadata"] | {"resourceVersion": str(int(resource_version) + 1)}
        self.objects[key] = found | {"metadata": metadata, "status": merged(found["status"], patch)}
        return self.objects[key]


class Keptn:
    """Knows no events; `failures` has what is raised instead, by project (None: whatever is asked)."""

    def __init__(self):
        self.asked, self.failures = [], {}

    def events(self, project, since):
        return self._answer(project)

    def newest_event(self, project, stage, service, event_type):
        self._answer(f"{project}/newest")

    def sequence_executions(self, project):
        return self._answer(f"{project}/executions")

    def registrations(self):
        return self._answer("registrations")

    def _answer(self, about):
        self.asked.append(about)
        failure = self.failures.get(about) or self.failures.get(None)
        if failure:
            raise failure()
        return ()


class Syncer:
    """Finds everything in place, or `fails`."""

    def __init__(self):
        self.fails = None

    def sync(self, resource, others):
        if self.fails:
            raise self.fails()
        made = plan(tutorial())
        return Synced(made, Pushed(dict.fromkeys(("main", "production"), "0" * 40), "main", ()), "https://git/x.git")

    def look(self, resource, at):
        raise DependencyNotReadyError("no Git here")


class Parts:
    """The operator without kopf and threads; `now` is moved by the test."""

    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.cluster, self.registry, self.keptn, self.syncer = Cluster(), Registry(), Keptn(), Syncer()
        writer = StatusWriter(self.cluster, self.registry)
        self.reporter = Reporter(self.registry, writer, lambda *_: None, self.clock)
        log, uniform = EventLog(self.keptn, self.clock), Uniform(self.keptn, self.clock)
        self.observer = Observer(self.registry, self.reporter, log, uniform, FileReader(self.syncer), self.clock)
        self.reconciler = Reconciler(self.registry, self.syncer, self.observer, self.reporter)

    def clock(self):
        return self.now

    def put(self, *bodies):
        for one in bodies:
            self.cluster.put(one)
            self.registry.put(one)

    def turn(self):
        """One turn of the poller: the seconds until the next."""
        return self.observer.turn(lambda: None)

    def run(self, seconds, *, interval=600.0):
        """Poll, and reconcile each resource once in an interval, as the runner does; returns the number of turns."""
        ends, turn_at, turns = self.now + timedelta(seconds=seconds), self.now, 0
        keys = list(self.cluster.objects)
        due = {key: self.now + timedelta(seconds=interval * n / len(keys)) for n, key in enumerate(keys)}
        while self.now < ends:
            for key in [key for key, time in due.items() if time <= self.now]:
                self.reconciler.reconcile(key)
                due[key] = self.now + timedelta(seconds=interval)
                if self.observer.has_unread(key):
                    turn_at = self.now
            if turn_at <= self.now:
                turn_at, turns = self.now + timedelta(seconds=self.turn()), turns + 1
            self.now = min([turn_at, *due.values()])
        return turns

    def message(self, name, condition="Passed"):
        """Reason and message of a condition."""
        status = self.cluster.objects[ResourceKey(NAMESPACE, name)]["status"]
        found = next(one for one in status["conditions"] if one["type"] == condition)
        return found["reason"], found["message"]
