"""The story: six lines of YAML, a build that is good in production, and one that is good everywhere else."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from demo.gitserver import git
from demo.installation import KEPTN_TOKEN, ROOT, OperatorSettings, install, operator, put_git_credentials
from demo.keptn.deliver import deliver, delivery
from demo.keptn.engine import Settings
from demo.keptn.server import DemoKeptn, demo_keptn
from demo.keptn.services import WorldServices
from demo.tools import build
from demo.upstream import STAGES
from demo.world import World, local_world
from prodeval.adapters.keptn import KeptnClient

NAMESPACE = "team-a"
PROJECT = "fulltour"
NAME = SERVICE = "helloservice"
RESOURCE = ROOT / "examples" / "helloservice.yaml"
IMAGE = "ghcr.io/podtato-head/podtatoserver"
VERDICT_SECONDS = 420.0
"""Two load tests, two evaluations, and a lot of patience for a slow machine."""

_TASK = ("task", "kind")
"""What the type of a task's event is made of."""

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One delivery, and the verdict that it should get."""

    version: str
    expected: str
    about: str


CHAPTERS = (
    Chapter("v0.1.1", "Pass", "the good build"),
    Chapter("v0.1.2", "Fail", "the next build, which is slow in production only"),
)


class StoryError(Exception):
    """The story did not go as it should."""


@dataclass(frozen=True, slots=True)
class Stage:
    """All that the story plays with."""

    world: World
    keptn: DemoKeptn
    client: KeptnClient
    tell: Callable[[str], None]
    told: set[str] = field(default_factory=set)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the team's namespace."""
        return self.world.api.kubectl("--namespace", NAMESPACE, *arguments)

    def resource(self) -> Body:
        """The ProductionEvaluation as it is now."""
        found: Body = json.loads(self.kubectl("get", "prodeval", NAME, "--output=json"))
        return found

    def deliver(self, version: str) -> None:
        """Trigger a delivery, as `keptn trigger delivery` does."""
        deliver(self.keptn.url, KEPTN_TOKEN, delivery((PROJECT, STAGES[0], SERVICE), IMAGE, version))

    def wait_for(self, done: Callable[[Body], bool], seconds: float) -> Body:
        """Look at the resource until it is as wanted, and tell of each change that a person would see."""
        deadline, seen = time.monotonic() + seconds, ""
        while True:
            self._tell_of_keptn()
            body = self.resource()
            line = self.kubectl("get", "prodevals", "--no-headers").strip()
            if without_age(line) != without_age(seen):
                self.tell(line)
                seen = line
            if done(body):
                return body
            if time.monotonic() > deadline:
                raise StoryError(f"after {seconds:.0f} s it still says: {message(body)}")
            time.sleep(1)

    def _tell_of_keptn(self) -> None:
        """Tell what Keptn's tasks did since the last look."""
        for event in self.client.events(PROJECT, datetime.now(UTC) - timedelta(minutes=10)).events:
            if event.id in self.told or event.kind not in {"started", "finished"} or len(event.parts) != len(_TASK):
                continue
            self.told.add(event.id)
            if event.parts[0] != "get-sli":
                outcome = event.text("result") if event.kind == "finished" else ""
                task = f"{event.parts[0]} {event.kind}"
                self.tell(f"  {event.time:%H:%M:%S} Keptn  {event.text('stage'):11}{task:24}{outcome}")


def without_age(line: str) -> list[str]:
    """The cells of a row of the table but the last, which changes by itself."""
    return line.split()[:-1]


def condition(body: Body, name: str) -> Body:
    """One condition of a resource; empty if it has none."""
    found: list[Body] = body.get("status", {}).get("conditions", [])
    return next((one for one in found if one["type"] == name), {})


def message(body: Body) -> str:
    """What Passed says, else Synced."""
    return str(condition(body, "Passed").get("message") or condition(body, "Synced").get("message") or "nothing")


def judged(version: str) -> Callable[[Body], bool]:
    """Whether a resource has a verdict about a version."""

    def is_judged(body: Body) -> bool:
        status = body.get("status", {})
        return bool(status.get("verdict") != "Pending" and status.get("lastEvaluation", {}).get("version") == version)

    return is_judged


@contextmanager
def stage(folder: Path, tell: Callable[[str], None]) -> Iterator[Stage]:
    """Start everything but the operator's work: servers, Keptn, installation, operator."""
    with local_world(build.directory(), folder) as world:
        settings = Settings(WorldServices(world.deployments), world.prometheus.url, world.logs)
        with demo_keptn(world.git.authenticated_url_of, settings, token=KEPTN_TOKEN) as keptn:
            install(world.api, NAMESPACE)
            put_git_credentials(world.api, world.git, PROJECT)
            wanted = OperatorSettings(keptn.url, {PROJECT: [NAMESPACE]})
            with operator(world.api, wanted, folder / "operator", world.logs):
                client = KeptnClient(keptn.url, lambda: KEPTN_TOKEN)
                yield Stage(world, keptn, client, tell)
                client.close()


def play(on: Stage) -> None:
    """Tell the whole story; raises StoryError if a verdict is not the expected one."""
    repository = on.world.git.root / f"{PROJECT}.git"
    before = {branch: _tip(repository, branch) for branch in ("production", "main")}
    on.tell("\nA service team applies six lines:\n")
    on.tell(RESOURCE.read_text())
    on.kubectl("apply", "--filename", str(RESOURCE))
    on.wait_for(lambda body: condition(body, "Synced").get("status") == "True", 60)
    on.tell("\nThe operator pushed the files for production, and added two tasks to the shipyard:\n")
    for branch, tip in before.items():
        on.tell(git("-C", str(repository), "diff", "--stat", "--patch", tip, branch))
    endings = [_play(chapter, on) for chapter in CHAPTERS]
    _summarize(on, endings)


def _play(chapter: Chapter, on: Stage) -> Body:
    on.tell(f"\nDelivery of {chapter.version}, {chapter.about}: through qa, then production, with real load in both.\n")
    on.deliver(chapter.version)
    body = on.wait_for(judged(chapter.version), VERDICT_SECONDS)
    check_verdict(chapter, body)
    on.tell("\n" + objectives(body) + "\n" + evidence(body))
    return body


def check_verdict(chapter: Chapter, body: Body) -> None:
    """Raise StoryError, naming both verdicts, if a delivery got another than it should."""
    found = body["status"]["verdict"]
    if found != chapter.expected:
        raise StoryError(f"{chapter.version}: expected {chapter.expected}, found {found}: {message(body)}")


def objectives(body: Body) -> str:
    """The last evaluation of a resource as a person reads it."""
    status = body["status"]
    last = status["lastEvaluation"]
    lines = [f"{status['verdict']}: {message(body)}"]
    for one in last.get("objectives", []):
        violated = f"  violated: {', '.join(one['violated'])}" if one.get("violated") else ""
        lines.append(f"  {one['status']:8}{one.get('value', '-'):>10}  {one.get('displayName', one['sli'])}{violated}")
    return "\n".join(lines)


def evidence(body: Body) -> str:
    """Why the last evaluation can be believed."""
    checks = body["status"]["lastEvaluation"].get("evidence", [])
    return "\n".join(f"  {check['check']:24}{check['status']}  {check.get('message', '')}".rstrip() for check in checks)


def _summarize(on: Stage, endings: list[Body]) -> None:
    on.tell("\n----- Summary -----\n")
    on.tell(RESOURCE.read_text())
    for body in endings:
        on.tell(objectives(body) + "\n")
    on.tell("\n$ kubectl get prodevals -o wide\n" + on.kubectl("get", "prodevals", "--output=wide"))
    for name in STAGES:
        on.tell(f"running in {name}: {on.world.deployments.version(name)}")


def _tip(repository: Path, branch: str) -> str:
    return git("-C", str(repository), "rev-parse", branch).strip()


def how_to_reach(on: Stage, folder: Path) -> str:
    """What a person needs to go on by hand."""
    api = on.world.api
    asked = {
        "url": on.keptn.url,
        "token": KEPTN_TOKEN,
        "project": PROJECT,
        "service": SERVICE,
        "image": IMAGE,
        "version": "v0.1.3",
    }
    return "\n".join(
        [
            "Everything stays up until Ctrl-C. To look around:",
            f"  export KUBECONFIG={api.kubeconfig}",
            f"  {api.programs / 'kubectl'} get prodevals -A -o wide",
            f"  git clone {on.world.git.authenticated_url_of(PROJECT)}",
            f"  Prometheus  {on.world.prometheus.url}",
            f"  Keptn's API {on.keptn.url} (x-token: {KEPTN_TOKEN})",
            *(f"  {name:11} {on.world.deployments.url(name)}" for name in STAGES),
            f"  logs        {folder / 'logs'}",
            "To deliver another build:",
            "  .venv/bin/python -m demo.keptn.deliver "
            + " ".join(f"--{name} {value}" for name, value in asked.items()),
        ]
    )
