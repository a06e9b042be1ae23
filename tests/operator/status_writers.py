"""Three writers of one status at once, again and again.

    python -m tests.operator.status_writers NAMESPACE NAME shared|separate ROUNDS

Two lanes report a sync and a verdict as the operator does: with one Reporter if they share it, with one each, as in two
processes, if not. None of them has a watch: each learns what the others wrote from a refused write alone. A stranger
writes a condition of its own meanwhile. Printed are, as JSON, the rounds after which one of the three was lost.
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
    key, cluster = ResourceKey(namespace, name), Cluster()
    sync = new_reporter(cluster, key)
    observe = sync if writers == "shared" else new_reporter(cluster, key)
    rounds = Rounds(key, cluster, sync, observe)
    with ThreadPoolExecutor(3) as threads:
        lost = [number for number in range(int(count)) if not rounds.run(threads, str(number))]
    sys.stdout.write(json.dumps(lost))


def new_reporter(cluster, key):
    registry = Registry(SystemClock())
    registry.put(cluster.read(key))
    return Reporter(cluster, registry, SystemClock(), str)


class Rounds:
    def __init__(self, key, cluster, sync_lane, observe_lane):
        self.key, self.cluster = key, cluster
        self.sync_lane, self.observe_lane = sync_lane, observe_lane
        self.uid = cluster.read(key)["metadata"]["uid"]
        config.load_kube_config()
        self.strangers_client = client.CustomObjectsApi()

    def run(self, threads, number):
        """Let all three write at once; whether each condition is there afterwards."""
        start = threading.Barrier(3)
        ended = [threads.submit(write, start, number) for write in (self.sync, self.judge, self.be_strange)]
        written = [one.result() for one in ended]
        found = self.cluster.read(self.key)["status"]["conditions"]
        said = {one["type"]: one["message"] for one in found}
        return all(written) and [said.get(name) for name in ("Synced", "Passed", "Strange")] == [number] * 3

    def sync(self, start, number):
        start.wait()
        report = Report(synced=Condition("Synced", "True", "Synced", number))
        return self.sync_lane.report(self.uid, lambda _: report)

    def judge(self, start, number):
        start.wait()
        report = Report(judgement=Judgement("Pending", Condition("Passed", "Unknown", "AwaitingDelivery", number)))
        return self.observe_lane.report(self.uid, lambda _: report)

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
        return self.strangers_client.patch_namespaced_custom_object_status(
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


if __name__ == "__main__":
    main(*sys.argv[1:])
