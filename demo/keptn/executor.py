"""The job executor: answers its tasks by local processes, if the service's job/config.yaml has an action for them."""

import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from demo.keptn.events import EXECUTOR, Event, answer, image_version, kind, scope_data, task_name
from demo.keptn.jobs import PATH, Action, Job, JobConfigError, action_for, read_actions
from demo.keptn.services import Services, Target
from demo.keptn.upstream import NotThereError, Upstream, UpstreamError
from demo.processes import Child, ServerError, start, stop
from prodeval.domain.json_values import as_object

SUBSCRIBED = ("je-deployment", "je-test", "rollback")
"""The tasks that the executor is registered for."""

_LONGEST_LOG = 8000
_MOUNT = "/keptn/"


class JobFailedError(Exception):
    """A job that did not do its work; `log` is the end of what it printed."""

    def __init__(self, problem: str, log: str = "") -> None:
        super().__init__(problem)
        self.log = log


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the executor works with.

    Attributes:
        upstreams: by project.
        logs: where the output of the jobs goes.
    """

    upstreams: Mapping[str, Upstream]
    services: Services
    logs: Path


class JobExecutor:
    """Answers task triggers, each in a thread of its own."""

    def __init__(self, surroundings: Surroundings, send: Callable[[Event], None]) -> None:
        self._around, self._send = surroundings, send
        self._earlier: dict[Target, list[str]] = defaultdict(list)
        self._running: set[Child] = set()
        self._ended = False

    def handle(self, event: Event) -> None:
        """Take up a task; silent if it is not for the executor."""
        if task_name(event.type) in SUBSCRIBED and kind(event.type) == "triggered":
            Thread(target=self._run, args=(event,), name=event.type, daemon=True).start()

    def end(self) -> None:
        """End what runs; nothing is started any more."""
        self._ended = True
        for child in list(self._running):
            stop(child)

    def _run(self, event: Event) -> None:
        action = self._action(event)
        if action is None:
            return
        self._send(answer(event, "started", EXECUTOR, scope_data(event.data), commit=True))
        try:
            messages = [self._perform(event, job) for job in action.jobs]
            outcome = {"status": "succeeded", "result": "pass", "message": "".join(messages)}
        except (JobFailedError, NotThereError, UpstreamError) as error:
            log = error.log if isinstance(error, JobFailedError) else ""
            problem = f"Execution of task '{task_name(event.type)}' failed: {error}\n\nLogs:\n{log}\n\n"
            outcome = {"status": "errored", "result": "fail", "message": problem}
        self._send(answer(event, "finished", EXECUTOR, scope_data(event.data, **outcome), commit=True))

    def _action(self, event: Event) -> Action | None:
        """The action of the service's, the stage's or the project's file, the first that can be read."""
        project, stage, service = event.target
        if project not in self._around.upstreams:
            return None
        upstream = self._around.upstreams[project]
        places = ((stage, service, event.commit), (stage, "", event.commit), ("", "", ""))
        for in_stage, of_service, commit in places:
            try:
                found = upstream.read(PATH, stage=in_stage, service=of_service, commit=commit)
                return action_for(event, read_actions(found.content.decode()))
            except (NotThereError, UpstreamError, JobConfigError, UnicodeDecodeError):
                continue
        return None

    def _perform(self, event: Event, job: Job) -> str:
        work = {"je-deployment": self._deploy, "rollback": self._roll_back}.get(task_name(event.type))
        log = work(event) if work else self._execute(event, job)
        return f"Task '{job.name}' finished successfully!\n\nLogs:\n{log}\n\n"

    def _deploy(self, event: Event) -> str:
        version = image_version(event.data)
        if not version:
            raise JobFailedError("the delivery names no image and no version")
        before = self._restart(event.target, version)
        if before not in ("", version):
            self._earlier[event.target].append(before)
        return f"{event.text('service')} {version} runs in {event.text('project')}-{event.text('stage')}"

    def _roll_back(self, event: Event) -> str:
        if not self._earlier[event.target]:
            raise JobFailedError("there is no version before the one that runs")
        version = self._earlier[event.target].pop()
        self._restart(event.target, version)
        return f"rolled back to {version}"

    def _restart(self, target: Target, version: str) -> str:
        """Deploy a version, and return the one that ran before."""
        if target not in self._around.services.targets():
            raise JobFailedError(f"{'/'.join(target)} stands in no services file")
        before = self._around.services.version(target)
        try:
            self._around.services.deploy(target, version)
        except ServerError as error:
            raise JobFailedError(f"{version} did not start", str(error)) from error
        return before

    def _execute(self, event: Event, job: Job) -> str:
        """Run the job's command in a folder that holds its files; its exit code decides."""
        name = f"{'-'.join(event.target)}-{task_name(event.type)}-{event.id[:8]}"
        with tempfile.TemporaryDirectory(prefix="job-") as folder:
            self._mount(event, job, Path(folder))
            variables = _variables(event)
            command = [self._local(word, event, variables, folder) for word in job.command]
            child = start(command, name=name, logs=self._around.logs, environment=variables, folder=Path(folder))
            return self._wait(child, job.timeout)

    def _wait(self, child: Child, seconds: float) -> str:
        """The end of what the job printed, once it has ended well."""
        self._running.add(child)
        if self._ended:
            stop(child)
        try:
            code = child.popen.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise JobFailedError(f"not finished after {seconds:.0f} s", _end_of(child.log)) from error
        finally:
            stop(child)
            self._running.discard(child)
        if code:
            raise JobFailedError(f"exit code {code}", _end_of(child.log))
        return _end_of(child.log)

    def _mount(self, event: Event, job: Job, folder: Path) -> None:
        """Put the files of the service into the folder, from the tip of the stage's branch."""
        project, stage, service = event.target
        upstream = self._around.upstreams[project]
        paths, _ = upstream.paths(stage=stage, service=service)
        for wanted in job.files:
            found = [path for path in paths if path == wanted or path.startswith(f"{wanted}/")]
            if not found:
                raise JobFailedError(f"could not find file {wanted} for task {job.name}")
            for path in found:
                content = upstream.read(path, stage=stage, service=service).content
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content.replace(_MOUNT.encode(), f"{folder}/".encode()))

    def _local(self, word: str, event: Event, variables: Mapping[str, str], folder: str) -> str:
        """A word of the command with variables filled in, and the cluster's names turned into this machine's."""
        filled = re.sub(r"\$\((\w+)\)", lambda found: variables.get(found[1], found[0]), word)
        project, stage, service = event.target
        address = re.escape(f"http://{service}.{project}-{stage}") + r"(\.svc\.cluster\.local)?(:\d+)?(?=/|$)"
        if event.target in self._around.services.targets():
            filled = re.sub(address, self._around.services.url(event.target), filled)
        return filled.replace(_MOUNT, f"{folder}/")


def _variables(event: Event) -> Mapping[str, str]:
    """What the job executor sets for each job, and a PATH that finds the programs of this environment."""
    labels = {f"LABELS_{key.upper()}": str(value) for key, value in as_object(event.data.get("labels")).items()}
    target = dict(zip(("KEPTN_PROJECT", "KEPTN_STAGE", "KEPTN_SERVICE"), event.target, strict=True))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**labels, **target, "PATH": path}


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-_LONGEST_LOG:].strip()
