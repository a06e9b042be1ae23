"""Stories that a real Keptn was recorded with, told again to the demo Keptn."""

import gzip
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from demo.gitserver import GitServer, git
from demo.keptn.server import DemoKeptn

RECORDINGS = Path(__file__).parents[1] / "data" / "keptn_demo"
SERVICE = "helloservice"

LOAD = """\
import json, os, pathlib, sys, time, urllib.error, urllib.parse, urllib.request

os.environ["no_proxy"] = "*"
service, prometheus, project, gate = sys.argv[1:]
rate = f'sum(rate(http_request_duration_seconds_count{{project="{project}",stage="production"}}[1m])) > 0'
query = prometheus + "/api/v1/query?" + urllib.parse.urlencode({"query": rate})
sent, measured = 0, []
while sent < 5 or not measured or not pathlib.Path(gate).exists():
    try:
        urllib.request.urlopen(service, timeout=10).read()
    except urllib.error.HTTPError:
        pass
    sent += 1
    time.sleep(0.2)
    measured = json.load(urllib.request.urlopen(query, timeout=10))["data"]["result"]
print("load generated")
"""
"""A load test that ends once Prometheus has measured it and its story lets it end."""

JOBS = """\
apiVersion: v2
actions:
  - name: Deploy
    events: [{name: sh.keptn.event.je-deployment.triggered}]
    tasks: [{name: deploy, image: alpine/helm, cmd: [helm]}]
  - name: Roll back
    events: [{name: sh.keptn.event.rollback.triggered}]
    tasks: [{name: rollback, image: alpine/helm, cmd: [helm]}]
"""

TEST_JOB = """\
  - name: Test
    events: [{name: sh.keptn.event.je-test.triggered}]
    tasks:
      - name: locust
        files: [locust]
        image: python
        cmd: [python3]
        args:
          - /keptn/locust/basic.py
          - "http://$(KEPTN_SERVICE).$(KEPTN_PROJECT)-$(KEPTN_STAGE)/"
          - PROMETHEUS
          - "$(KEPTN_PROJECT)"
          - GATE
"""


def recording(name: str) -> Any:
    """A file of the recordings."""
    return json.loads(gzip.decompress((RECORDINGS / f"{name}.json.gz").read_bytes()))


def create_recorded_upstream(server: GitServer, name: str, prometheus: str, gate: Path) -> None:
    """The repository as it was when the recorded delivery was triggered; the jobs stand on stage level."""
    recorded = recording(name)
    folder = server.create(recorded["project"], branch="master")
    test_job = TEST_JOB.replace("PROMETHEUS", prometheus).replace("GATE", str(gate))
    jobs = JOBS if name == "11-je-test-never-started" else JOBS + test_job
    metadata = {"metadata.yaml": "projectName: x\n"}
    owned = {f"{SERVICE}/metadata.yaml": "servicename: helloservice\n", "job/config.yaml": jobs}
    gated = {
        f"{SERVICE}/slo.yaml": recorded["slo"],
        f"{SERVICE}/prometheus/sli.yaml": recorded["sli"],
        f"{SERVICE}/locust/basic.py": LOAD,
        f"{SERVICE}/locust/locust.conf": "headless = true\n",
    }
    branches = {
        "master": {**metadata, "shipyard.yaml": recorded["shipyard"]},
        "qa": {**metadata, **owned},
        "production": {**metadata, **owned, **{path: text for path, text in gated.items() if text is not None}},
    }
    commits = (_commit(branch, files) for branch, files in branches.items())
    git("-C", str(folder), "fast-import", "--quiet", stdin=b"".join(commits))


def _commit(branch: str, files: Mapping[str, str]) -> bytes:
    head = f"commit refs/heads/{branch}\ncommitter keptn <keptn@keptn.sh> 1700000000 +0000\ndata 7\nUpdated\n"
    blobs = (f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n" for path, text in files.items())
    return "".join([head, *blobs, "\n"]).encode()


@dataclass(frozen=True)
class Client:
    """Asks the demo Keptn as a recorded client asked the real one."""

    keptn: DemoKeptn
    session: requests.Session = field(default_factory=requests.Session)

    def send(self, method: str, path: str, *, token: str | None = None, **options: Any) -> requests.Response:
        """One request; `token` None is the good one, empty is none; the path goes out as it stands."""
        headers = {"x-token": self.keptn.token if token is None else token} if token != "" else {}
        headers |= options.pop("headers", {})
        self.session.trust_env = False
        url = f"{self.keptn.url}{path}"
        return self.session.request(method, url, headers=headers, timeout=30, allow_redirects=False, **options)

    def get(self, path: str, **query: str) -> Any:
        """The body of a GET."""
        return self.send("GET", path, params=query).json()

    def recorded(self, record: Mapping[str, Any], contexts: Mapping[str, str]) -> tuple[int, Any]:
        """Status and body of a recorded request, with the contexts of today."""
        text = json.dumps([record["path"], record["query"]])
        for then, now in contexts.items():
            text = text.replace(then, now)
        path, query = json.loads(text)
        answer = self.send("GET", path, params=query)
        return answer.status_code, answer.json() if answer.text.startswith(("{", "[")) else answer.text


Answers = dict[str, list[tuple[Mapping[str, Any], int, Any]]]
"""By moment: recorded request and answer, and today's status and body."""


@dataclass
class Story:
    """One recorded story; `tell` runs it, and asks what was recorded at each moment."""

    name: str
    client: Client
    gate: Path
    contexts: dict[str, str] = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.recorded = recording(self.name)
        self.project = self.recorded["project"]
        self.context = self.recorded["contexts"][0]

    def tell(self) -> "Story":
        """Deliver, do what the recorded person did, and wait for the end."""
        self.deliver("v0.1.2" if self.name in ("04-fail", "05-fail-rollback") else "v0.1.1")
        acts = {
            "02-pass": self.watch,
            "07-approved-pass": self.approve,
            "12-aborted": self.abort,
            "14-two-deliveries-queued": self.queue,
        }
        acts.get(self.name, lambda: None)()
        self.gate.touch()
        until(lambda: self.state() in ("finished", "aborted", "timedOut"))
        if self.name == "12-aborted":
            until(lambda: len(self.production()["status"]["currentTask"]["events"]) == 2)
        if self.name == "14-two-deliveries-queued":
            until(lambda: self.state(self.recorded["contexts"][1]) == "finished")
        if self.name == "21-evaluate-now":
            self.evaluate()
        self.ask("end")
        return self

    def deliver(self, version: str, context: str = "") -> None:
        image = f"ghcr.io/podtato-head/podtatoserver:{version}"
        data = {"labels": {"version": version}, "configurationChange": {"values": {"image": image}}}
        self.post("qa", "qa.delivery.triggered", "prodeval", data, shkeptncontext=context or self.context)

    def watch(self) -> None:
        until(lambda: self.current_task() == ("je-test", 1))
        self.ask("je-test runs")

    def approve(self) -> None:
        until(lambda: self.current_task() == ("approval", 1))
        self.ask("waits for approval")
        trigger = self.production()["status"]["currentTask"]["triggeredID"]
        data = {"labels": {"version": "v0.1.1"}, "status": "succeeded", "result": "pass", "message": ""}
        source = "https://github.com/keptn/keptn/bridge#approval.finished"
        self.post("production", "approval.finished", source, data, triggeredid=trigger)

    def abort(self) -> None:
        until(lambda: self.current_task() == ("je-test", 1))
        path = f"/controlPlane/v1/sequence/{self.project}/{self.context}/control"
        assert self.client.send("POST", path, json={"state": "abort"}).json() == {}
        until(lambda: self.client.get("/mongodb-datastore/event", project=self.project, type=FINISHED)["events"])
        self.ask("aborted")

    def queue(self) -> None:
        until(lambda: self.current_task() == ("je-test", 1))
        second = self.recorded["contexts"][1]
        self.deliver("v0.1.2", second)
        until(lambda: self.state(second) == "waiting" and self.production(second))
        self.ask("production waits")

    def evaluate(self) -> None:
        path = f"/controlPlane/v1/project/{self.project}/stage/production/service/{SERVICE}/evaluation"
        body = {"timeframe": "1m", "labels": {"version": "v0.1.1"}}
        self.contexts[self.recorded["contexts"][1]] = context = self.client.send("POST", path, json=body).json()[
            "keptnContext"
        ]
        until(lambda: self.state(context) == "finished")

    def post(self, stage: str, event: str, source: str, data: Mapping[str, Any], **fields: str) -> None:
        body = {
            "type": f"sh.keptn.event.{event}",
            "specversion": "1.0",
            "source": source,
            "contenttype": "application/json",
            "shkeptncontext": self.context,
            "data": {"project": self.project, "stage": stage, "service": SERVICE, **data},
            **fields,
        }
        assert self.client.send("POST", "/v1/event", json=body).json() == {"keptnContext": body["shkeptncontext"]}

    def ask(self, moment: str) -> None:
        records = self.recorded["moments"][moment]
        self.answers[moment] = [(record, *self.client.recorded(record, self.contexts)) for record in records]

    def state(self, context: str = "") -> str:
        path = f"/controlPlane/v1/sequence/{self.project}"
        states = self.client.get(path, keptnContext=context or self.context)["states"]
        return states[0]["state"] if states else ""

    def production(self, context: str = "") -> Any:
        context = context or self.context
        query = {"project": self.project, "stage": "production", "name": "delivery", "keptnContext": context}
        runs = self.client.get("/controlPlane/v1/sequence-execution", **query)["sequenceExecutions"]
        return runs[0] if runs else None

    def current_task(self) -> tuple[str, int]:
        run = self.production()
        task = run["status"]["currentTask"] if run else {"name": "", "events": []}
        return task["name"], len(task["events"])


FINISHED = "sh.keptn.event.production.delivery.finished"


def until(ready: Callable[[], Any], seconds: float = 60) -> None:
    """Wait for a step of a story."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "the story does not go on"
        time.sleep(0.1)


def send_recorded(client: Client, request: Mapping[str, Any]) -> requests.Response:
    """Send a recorded bad request again."""
    token = {"good": None, "bad": "wrong", "none": ""}[request["token"]]
    path = request["path"].replace(" ", quote(" "))
    content = {"data": b"x" * 5_300_041} if str(request.get("rawBody", "")).startswith("<") else {}
    if "rawBody" in request and not content:
        content = {"data": request["rawBody"].encode()}
    if "body" in request:
        content = {"json": request["body"]}
    kind = "text/plain" if request.get("rawBody") == "x" else "application/json"
    headers = {"Content-Type": kind} if request["method"] == "POST" else {}
    return client.send(request["method"], path, token=token, params=request["query"], headers=headers, **content)
