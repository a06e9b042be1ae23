"""Three writers of one status at once, again and again.

    python -m tests.operator.status_writers NAMESPACE NAME shared|separate ROUNDS

A handler reports a sync and a poller a verdict as the operator does: with one StatusWriter if they share it, with one
each, as in two processes, if not. A stranger writes a condition of its own meanwhile. Printed are, as JSON, the rounds
after which one of the three conditions was lost.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from kubernetes import client, config
from prodeval.service.status import StatusWriter

from prodeval.adapters.cluster import Cluster
from prodeval.domain.conditions import Condition
from prodeval.domain.report import Report
from prodeval.domain.resource import GROUP, KIND, PLURAL, VERSION, ResourceKey, read_resource
from prodeval.domain.verdict import Judgement
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter


def main(namespace, name, writers, count):
    key = ResourceKey(namespace, name)
    handler = new_reporter()
    poller = handler if writers == "shared" else new_reporter()
    rounds = Rounds(key, handler, poller)
    with ThreadPoolExecutor(3) as threads:
        lost = [number for number in range(int(count)) if not rounds.run(threads, str(number))]
    sys.stdout.write(json.dumps(lost))


def new_reporter():
    registry = Registry()
    return Reporter(registry, StatusWriter(Cluster(), registry), lambda *event: None, lambda: datetime.now(UTC))


class Rounds:
    def __init__(self, key, handler, poller):
        self.key, self.handler, self.poller = key, handler, poller
        self.cluster = Cluster()
        self.resource = read_resource(self.cluster.read(key))
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
        self.handler.report(self.resource, Report(synced=Condition("Synced", "True", "Synced", number)))

    def judge(self, start, number):
        start.wait()
        passed = Condition("Passed", "Unknown", "AwaitingDelivery", number)
        self.poller.report(self.resource, Report(judgement=Judgement("Pending", passed)))

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


if __name__ == "__main__":
    main(*sys.argv[1:])
