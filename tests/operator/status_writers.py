"""Three writers of one status at once, again and again.

    python -m tests.operator.status_writers NAMESPACE NAME shared|separate ROUNDS

One lane reports a sync and another a verdict as the operator does: with one Reporter if they share it, with one each,
as in two processes, if not. A stranger writes a condition of its own meanwhile. Printed are, as JSON, the rounds
after which one of the three conditions was lost.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from kubernetes import client, config

from prodeval.adapters.cluster import Cluster
from prodeval.domain.conditions import Condition
from prodeval.domain.report import Report
from prodeval.domain.resource import GROUP, KIND, PLURAL, VERSION, ResourceKey
from prodeval.domain.verdict import Judgement
from prodeval.service.clock import SystemClock
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter


def main(namespace, name, writers, count):
    key = ResourceKey(namespace, name)
    syncing = new_reporter(key)
    judging = syncing if writers == "shared" else new_reporter(key)
    rounds = Rounds(key, syncing, judging)
    with ThreadPoolExecutor(3) as threads:
        lost = [number for number in range(int(count)) if not rounds.run(threads, str(number))]
    sys.stdout.write(json.dumps(lost))


def new_reporter(key):
    """A reporter that knows the object as it is now, and hears no watch."""
    cluster, clock = Cluster(), SystemClock()
    registry = Registry(clock)
    registry.put(cluster.read(key))
    return Reporter(cluster, registry, clock, lambda text: text)


class Rounds:
    def __init__(self, key, syncing, judging):
        self.key, self.syncing, self.judging = key, syncing, judging
        self.cluster = Cluster()
        self.uid = self.cluster.read(key)["metadata"]["uid"]
        config.load_kube_config()
        self.strangers_client = client.CustomObjectsApi()

    def run(self, threads, number):
        """Let all three write at once; whether each condition is there afterwards."""
        start = threading.Barrier(3)
        ended = [threads.submit(write, start, number) for write in (self.sync, self.judge, self.be_strange)]
        for one in ended:
            one.result()
        found = self.cluster.read(self.key)["status"]["conditions"]
        said = {one["type"]: one["message"] for one in found}
        return [said.get(name) for name in ("Synced", "Passed", "Strange")] == [number] * 3

    def sync(self, start, number):
        start.wait()
        report(self.syncing, self.uid, Report(synced=Condition("Synced", "True", "Synced", number)))

    def judge(self, start, number):
        start.wait()
        passed = Condition("Passed", "Unknown", "AwaitingDelivery", number)
        report(self.judging, self.uid, Report(judgement=Judgement("Pending", passed)))

    def be_strange(self, start, number):
        """Apply one condition, of which the API server makes an entry of the list."""
        condition = {"type": "Strange", "status": "True", "reason": "Strange", "message": number}
        condition["lastTransitionTime"] = "2026-01-01T00:00:00Z"
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "metadata": {"name": self.key.name},
            "status": {"conditions": [condition]},
        }
        start.wait()
        self.strangers_client.patch_namespaced_custom_object_status(
            GROUP,
            VERSION,
            self.key.namespace,
            PLURAL,
            self.key.name,
            body,
            field_manager="stranger",
            force=True,
            _content_type="application/apply-patch+yaml",
        )


def report(reporter, uid, what):
    """Report something, whatever others write meanwhile."""
    if not reporter.report(uid, lambda newest: what):
        raise RuntimeError("the status was not written")


if __name__ == "__main__":
    main(*sys.argv[1:])
