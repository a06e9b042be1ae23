"""Recorded runs of a real Keptn, as of any moment."""

import gzip
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from prodeval.domain.events import merge_events, parse_events, parse_executions, parse_time
from prodeval.domain.files import sha256
from prodeval.domain.resource import Target
from prodeval.domain.verdict import Expectation, FileFacts, Found, prove, select

DIRECTORY = Path(__file__).parents[2] / "data" / "recordings"
EVENTS = "/mongodb-datastore/event"
EXECUTIONS = "/controlPlane/v1/sequence-execution"


def names():
    return sorted(path.name.removesuffix(".jsonl.gz") for path in DIRECTORY.glob("[0-9]*.gz"))


def read_lines(name):
    with gzip.open(DIRECTORY / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@dataclass(frozen=True)
class Recording:
    head: dict
    answers: list
    git: dict

    @property
    def start(self):
        return parse_time(self.head["start"])

    def now(self, t):
        return self.start + timedelta(seconds=t)

    def body(self, path, query, t):
        """The newest answer at or before a moment."""
        found = None
        for answer in self.answers:
            if answer["t"] <= t and (answer["path"], answer["query"]) == (path, query) and answer["status"] == 200:
                found = answer["body"]
        return found

    def raw_events(self, t):
        """All events of the project, newest first; later pages included."""
        query = {"project": self.head["project"], "pageSize": "100"}
        body = self.body(EVENTS, query, t) or {"events": []}
        events = list(body["events"])
        while "nextPageKey" in body:
            body = self.body(EVENTS, {**query, "nextPageKey": body["nextPageKey"]}, t) or {"events": []}
            events += body["events"]
        return events

    def events(self, t):
        return merge_events(parse_events(self.raw_events(t)))

    def raw_executions(self, t):
        return self.body(EXECUTIONS, {"project": self.head["project"]}, t) or {"sequenceExecutions": []}

    def executions(self, t):
        return parse_executions(self.raw_executions(t)["sequenceExecutions"])

    def expectation(self, t, **changes):
        spec, first_sync = self.head["spec"], parse_time(self.head["firstSyncTime"])
        live = spec.get("shipyard", {}).get("load") == "LiveTraffic"
        usual = {
            "target": Target(self.head["project"], self.head["stage"], spec["service"]),
            "sequence": "delivery",
            "after_task": "je-deployment",
            "test_task": None if live else "je-test",
            "version": spec.get("version"),
            "first_sync": first_sync if first_sync <= self.now(t) else None,
            "result_timeout": timedelta(minutes=30),
        }
        return Expectation(**usual | changes)

    def facts(self, found):
        """What Git says: the slo.yaml that was pushed, and the service's files that others pushed later."""
        directory = self.head["gitLayout"] == "Directory"
        branch = self.git["head"].removeprefix("refs/heads/") if directory else self.head["stage"]
        changed = []
        for commit in self.git["log"]:
            if commit["branch"] != branch:
                continue
            if commit["commit"] == found.commit:
                break
            changed += [path.split("\t")[-1] for path in commit["paths"]]
        return FileFacts(
            slo_sha256=sha256(self.head["slo"].encode()) if self.head["slo"] else "", changed=tuple(changed)
        )

    def judge(self, t, pending=None, remembered=tuple, **changes):
        """The verdict at a moment; `remembered` is what becomes of the events."""
        expectation = self.expectation(t, **changes)
        events = remembered(self.events(t))
        selected = select(expectation, events, self.executions(t), pending, self.now(t))
        return prove(expectation, selected, self.facts(selected)) if isinstance(selected, Found) else selected


@cache
def recording(name):
    head, *answers, git = read_lines(name)
    return Recording(head, answers, git)


def at(text):
    """A time, for tests that need one."""
    return datetime.fromisoformat(text)
