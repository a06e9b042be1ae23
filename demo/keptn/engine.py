"""The running Keptn: a store, the controller, the services that answer tasks, and one thread that hands events on."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import RLock, Thread, Timer

from demo.keptn.approval import ApprovalService
from demo.keptn.evaluation import Lighthouse, Measurements
from demo.keptn.events import Event, kind, sequence_name, task_name
from demo.keptn.executor import JobExecutor, Surroundings
from demo.keptn.projects import Project, creation_events
from demo.keptn.sequences import Controller, Send, is_task_answer
from demo.keptn.services import Services
from demo.keptn.shipyard import Shipyard, ShipyardError, read_shipyard
from demo.keptn.store import EventStore
from demo.keptn.upstream import NotThereError, UpstreamError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """How this Keptn is set up.

    Attributes:
        prometheus: base URL; empty if no SLI provider is configured.
        task_timeout: seconds in which somebody has to start a triggered task.
        logs: folder for the output of jobs.
    """

    services: Services
    prometheus: str
    logs: Path
    task_timeout: float = 600


class Engine:
    """Runs until `close`; what the API reads goes through `lock`."""

    def __init__(self, projects: Iterable[Project], settings: Settings) -> None:
        self.projects: dict[str, Project] = {project.name: project for project in projects}
        self.store, self.controller, self.lock = EventStore(), Controller(), RLock()
        self._timeout = settings.task_timeout
        self._inbox: SimpleQueue[Event | None] = SimpleQueue()
        self._timers: set[Timer] = set()
        upstreams = {name: project.upstream for name, project in self.projects.items()}
        self._executor = JobExecutor(Surroundings(upstreams, settings.services, settings.logs), self.publish)
        self._listeners = (
            ApprovalService(self.publish),
            self._executor,
            Lighthouse(Measurements(upstreams, self.store, settings.prometheus), self.publish),
        )
        for project in self.projects.values():
            for event in creation_events(project, monitored=bool(settings.prometheus)):
                self.store.add(event)
        self._worker = Thread(target=self._work, name="keptn", daemon=True)
        self._worker.start()

    def publish(self, event: Event) -> None:
        """Hand an event over; it is stored and handled after those before it."""
        self._inbox.put(event)

    def add_service(self, project: str, service: str) -> None:
        """Make a service known, in each stage."""
        with self.lock:
            known = self.projects[project]
            self.projects[project] = replace(known, services=tuple(sorted({*known.services, service})))

    def control(self, project: str, context: str, stage: str, state: str) -> None:
        """Abort, pause or resume a context, or one stage of it; an unknown context or state changes nothing."""
        actions = {
            "abort": self.controller.abort,
            "pause": self.controller.pause,
            "resume": self.controller.resume,
        }
        if state in actions:
            with self.lock:
                self._send(actions[state](project, context, stage))

    def close(self) -> None:
        """Handle no event any more, and end the jobs that run."""
        self._inbox.put(None)
        self._worker.join()
        self._executor.end()
        with self.lock:
            for timer in self._timers:
                timer.cancel()

    def _work(self) -> None:
        for event in iter(self._inbox.get, None):
            try:
                self._handle(event)
            except Exception:  # noqa: BLE001 - one bad event must not end the thread that all others go through
                _log.exception("%s could not be handled", event.type)

    def _handle(self, event: Event) -> None:
        _log.info("%s %s %s", event.context[:8], event.text("stage"), event.type)
        self.store.add(event)
        if kind(event.type) == "triggered" and sequence_name(event.type) != ("", ""):
            shipyard, commit = self._read(event)
            with self.lock:
                self._send(self.controller.trigger(event, shipyard, commit))
        elif is_task_answer(event):
            with self.lock:
                self._send(self.controller.answered(event))
        for listener in self._listeners:
            listener.handle(event)

    def _read(self, event: Event) -> tuple[Shipyard | ShipyardError, str]:
        """The shipyard of now, and the tip of the stage's branch; a tip that cannot be read is only missing."""
        project, stage, _ = event.target
        if project not in self.projects:
            return ShipyardError("Could not find credentials for upstream repository"), ""
        upstream = self.projects[project].upstream
        try:
            shipyard = read_shipyard(upstream.read("shipyard.yaml").content.decode(errors="replace"))
        except (NotThereError, UpstreamError) as error:
            return ShipyardError(str(error)), ""
        except ShipyardError as error:
            return error, ""
        try:
            return shipyard, event.commit or upstream.tip(stage)
        except (NotThereError, UpstreamError) as error:
            _log.warning("no commit for stage %s: %s", stage, error)
            return shipyard, ""

    def _send(self, sends: Iterable[Send]) -> None:
        for send in sends:
            if send.after:
                self._later(send.after, partial(self.controller.due, send.event))
                continue
            self.publish(send.event)
            if task_name(send.event.type):
                self._later(self._timeout, partial(self.controller.expired, send.event))

    def _later(self, seconds: float, step: Callable[[], Iterable[Send]]) -> None:
        def run() -> None:
            with self.lock:
                self._send(step())

        timer = Timer(seconds, run)
        timer.daemon = True
        self._timers = {other for other in self._timers if other.is_alive()} | {timer}
        timer.start()
