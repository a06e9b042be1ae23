"""Ten resources in five projects, round after round: a spec edit, its push, a delivery to production, its verdict.

A run is the same each time it is done, whatever the operator does meanwhile; two runs differ by their name alone.
"""

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from subprocess import DEVNULL, Popen

from demo.gitserver import git
from prodeval.domain.events import parse_time
from tests.operator.harness import Team, commit, conditions, resource, until
from tests.operator.scripted_keptn import TIME, ScriptedKeptn, replay
from tests.unit.verdict.recordings import recording

PROJECTS, SERVICES = range(5), ("helloservice", "cartservice")
ENDS = {"02-pass": "Pass", "04-fail": "Fail", "03-warning": "Warning", "08-je-test-fails": "Fail", "12-aborted": "Fail"}
"""Recorded deliveries, all with the same slo.yaml, and what each ends with."""
HEAD = recording("02-pass").head
PACE = 1 / 30
"""A recorded minute takes two seconds."""
PARTS = (0.25, 0.6, 1.0)
"""How much of a delivery Keptn knows, second by second."""
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
COLUMNS = "NAME:.metadata.name,VERDICT:.status.verdict,EVENT:.status.lastEvaluation.eventID"
DEPLOYED = ("job/config.yaml", "metadata.yaml")
PATIENCE = 300
"""Seconds until a step of a run counts as never done."""


@dataclass(frozen=True)
class Gate:
    """One resource of a run."""

    number: int
    project: str
    service: str

    @property
    def name(self):
        """What the resource is called; the same in all runs."""
        return f"{self.service}-{self.number // len(SERVICES)}"

    def recording(self, turn):
        """The name of the recording that is delivered in a round."""
        return list(ENDS)[(self.number + turn) % len(ENDS)]

    def version(self, turn):
        """What is delivered in a round."""
        return recording(self.recording(turn)).head["spec"]["version"]

    def spec(self, turn):
        """The spec in a round: another locust.conf each time; every other resource names the version that it wants."""
        version = {"version": self.version(turn)} if self.number % 2 else {}
        texts = {"slo.yaml": HEAD["slo"], "prometheus/sli.yaml": HEAD["sli"], "locust/locust.conf": load(turn)}
        inline = [{"inline": {"path": path, "content": text}} for path, text in texts.items()]
        files = [{"stage": {"name": "qa", "paths": ["locust/basic.py"]}}, *inline]
        return {"project": self.project, "service": self.service, "files": files, **version}


def watch(team, columns, output):
    """Write some columns of each resource, as often as it changes."""
    command = [team.cluster.programs / "kubectl", f"--kubeconfig={team.cluster.kubeconfig}", "get", "prodevals"]
    command += [f"--namespace={team.namespace}", "--watch", "--no-headers", f"--output=custom-columns={columns}"]
    return Popen(command, stdout=output, stderr=DEVNULL)


def load(turn):
    """locust.conf in a round."""
    return f"headless\nusers = {turn + 1}\nrun-time = 60s\n"


@dataclass
class Run:
    """One run: a team of its own, a Keptn of its own."""

    name: str
    team: Team
    keptn: ScriptedKeptn
    gates: list = field(default_factory=list)
    upstreams: dict = field(default_factory=dict)
    watch: Popen | None = None

    def prepare(self, *, also=()):
        """Make the upstreams of all projects, and watch all statuses from now on; grant other projects, too."""
        projects = [f"{self.name}-{number}" for number in PROJECTS]
        self.team.grant({name: {} for name in (*projects, *also)})
        self.gates = [
            Gate(number, projects[number // len(SERVICES)], SERVICES[number % len(SERVICES)])
            for number in range(len(projects) * len(SERVICES))
        ]
        self.upstreams = {project: self.team.project(project) for project in projects}
        for upstream in self.upstreams.values():
            add_service(upstream, SERVICES[1])
        with self.changes_file.open("w") as changes:
            self.watch = watch(self.team, COLUMNS, changes)

    @property
    def changes_file(self):
        """Where the watch writes to."""
        return self.team.folder / "changes"

    def edit(self, turn):
        """Change all specs."""
        self.team.apply_all([resource(gate.name, spec=gate.spec(turn)) for gate in self.gates])

    def unsynced(self):
        """The resources whose conditions are not about their newest spec, or tell of a problem."""
        return {name: body.get("status") for name, body in self.team.get_all().items() if not _is_synced(body)}

    def deliver(self, turn, part, begin):
        """Let Keptn know so much of this round's deliveries."""
        for project, upstream in self.upstreams.items():
            tip = git("-C", str(upstream), "rev-parse", "production").strip()
            for gate in self.gates:
                if gate.project == project:
                    tell(self.keptn, gate, context(gate, turn), delivery(gate, turn, part, begin, tip))

    def unjudged(self, turn):
        """The resources that lack the verdict about this round's delivery."""
        found, wrong = self.team.get_all(), {}
        for gate in self.gates:
            status, wanted = found[gate.name]["status"], (ENDS[gate.recording(turn)], context(gate, turn))
            if (status["verdict"], status.get("lastEvaluation", {}).get("context")) != wanted:
                wrong[gate.name] = (*wanted, status)
        return wrong

    def changes(self):
        """(verdict, event id) of each resource, as everybody could see them one after the other."""
        seen = {gate.name: [] for gate in self.gates}
        for line in self.changes_file.read_text().splitlines():
            name, *shown = line.split()
            if shown[0] != "<none>" and seen[name][-1:] != [tuple(shown)]:
                seen[name].append(tuple(shown))
        return seen

    def statuses(self):
        """All statuses, without times, commit ids and the name of the run."""
        found = {name: body["status"] for name, body in self.team.get_all().items()}
        for status in found.values():
            status["sync"].pop("lastPushTime", None)
        text = json.dumps(found).replace(f"{self.name}-", "run-").replace(self.team.git.url, "git")
        text = re.sub(r"\b[0-9a-f]{7}(?:[0-9a-f]{33})?\b", "commit", text)
        return json.loads(re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "time", text))

    def contents(self, branch, path):
        """What a file held after each commit that changed it, oldest first, by project."""
        texts = {}
        for project, upstream in self.upstreams.items():
            commits = git("-C", str(upstream), "log", "--reverse", "--format=%H", branch, "--", path).split()
            texts[project] = [git("-C", str(upstream), "show", f"{one}:{path}") for one in commits]
        return texts

    def verdict_events(self):
        """How often each Event about a verdict was posted, by resource, reason and message."""
        counts = {}
        for item in json.loads(self.team.kubectl("get", "events", "--output=json"))["items"]:
            key = item["involvedObject"]["name"], item["reason"], item["message"]
            if item["reason"].startswith("Verdict"):
                counts[key] = counts.get(key, 0) + item.get("count", 1)
        return counts

    def close(self):
        """End the watch."""
        if self.watch is not None:
            self.watch.kill()
            self.watch.wait()


def delivery(gate, turn, part, begin, tip):
    """(events, sequence executions) of so much of a round's delivery, as if it had begun at a moment.

    Args:
        tip: the commit of the stage when it began.
    """
    run = recording(gate.recording(turn))
    until = part * run.answers[-1]["t"] + 1
    events, executions = replay(run, until, gate.project, lambda time: time + (begin - run.start), tip)
    text = json.dumps([[one for one in events if one["data"].get("service")], executions])
    text = text.replace(json.dumps(SERVICES[0]), json.dumps(gate.service))
    text = UUID.sub(lambda found: _renamed(gate, turn, found[0]), text)
    return json.loads(TIME.sub(lambda found: _hastened(found[0], begin), text))


def context(gate, turn):
    """The Keptn context of a round's delivery."""
    events = recording(gate.recording(turn)).raw_events(float("inf"))
    trigger = next(one for one in events if one["type"].endswith("production.delivery.triggered"))
    return _renamed(gate, turn, trigger["shkeptncontext"])


def tell(keptn, gate, name, told):
    """Let Keptn know a delivery, instead of what it knew of this one before."""
    events, executions = told
    others = [one for one in keptn.events.get(gate.project, []) if one["shkeptncontext"] != name]
    runs = [one for one in keptn.executions.get(gate.project, []) if one["scope"]["keptnContext"] != name]
    keptn.events[gate.project], keptn.executions[gate.project] = others + events, executions + runs


def go(runs, turn):
    """One round of several runs at once."""
    for run in runs:
        run.edit(turn)
    for run in runs:
        _until_none(run, run.unsynced)
    begin = datetime.now(UTC)
    for part in PARTS:
        for run in runs:
            run.deliver(turn, part, begin)
        time.sleep(1)
    for run in runs:
        _until_none(run, lambda run=run: run.unjudged(turn))


def _until_none(run, find):
    try:
        until(lambda: not find(), PATIENCE)
    except AssertionError as error:
        log = "\n".join(run.team.log.splitlines()[-100:])
        raise AssertionError(f"{run.name}: {json.dumps(find(), indent=1)}\n{log}") from error


def add_service(upstream, service):
    """Give each stage a second service, as Keptn and its users would."""
    for stage in ("qa", "production"):
        texts = {path: git("-C", str(upstream), "show", f"{stage}:{SERVICES[0]}/{path}") for path in DEPLOYED}
        if stage == "qa":
            texts["locust/basic.py"] = git("-C", str(upstream), "show", f"qa:{SERVICES[0]}/locust/basic.py")
        commit(upstream, stage, {f"{service}/{path}": text for path, text in texts.items()})


def _is_synced(body):
    generation = body["metadata"]["generation"]
    status = body.get("status", {})
    if not status.get("conditions") or conditions(body).get("Synced") != "True Synced":
        return False
    about = {one["type"]: one["observedGeneration"] for one in status["conditions"]}
    return about["Synced"] == about["Passed"] == generation


def _renamed(gate, turn, identifier):
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{gate.name} {turn} {identifier}"))


def _hastened(time_, begin):
    moment = begin + (parse_time(time_) - begin) * PACE
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
