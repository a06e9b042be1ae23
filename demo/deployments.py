"""What runs in each stage: one instance of the service, on a port that stays the same."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import MappingProxyType

from demo import loopback
from demo.helloservice import Behaviour
from demo.processes import Child, start, stop, wait_until
from demo.prometheus import Target

Builds = Mapping[str, Mapping[str, Behaviour]]
"""What sets a build apart: by version, then by stage. All others answer like `Behaviour()`."""

BUILDS: Builds = MappingProxyType({"v0.1.2": {"production": Behaviour(delay=0.8)}})
"""v0.1.2 is good everywhere but in production, where it is slow."""


@dataclass(frozen=True, slots=True)
class Deployments:
    """The instances of one service of one project."""

    project: str
    service: str
    ports: Mapping[str, int]
    """By stage."""
    builds: Builds
    logs: Path
    _running: dict[str, Child] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def url(self, stage: str) -> str:
        """Give the address of the stage's instance, whether it runs or not."""
        return f"http://{loopback.ADDRESS}:{self.ports[stage]}"

    def targets(self) -> list[Target]:
        """List what Prometheus is to scrape."""
        return [
            Target(f"{self.service}-{self.project}-{stage}", f"{loopback.ADDRESS}:{port}")
            for stage, port in self.ports.items()
        ]

    def version(self, stage: str) -> str:
        """Ask the instance for its version; empty if none runs."""
        return loopback.request("GET", f"{self.url(stage)}/version").text if stage in self._running else ""

    def deploy(self, stage: str, version: str) -> None:
        """Restart the stage's instance at a version, and return once it answers.

        Raises:
            ServerError: if it does not start.
        """
        with self._lock:
            self._end(stage)
            child = start(self._command(stage, version), name=f"{self.service}-{stage}", logs=self.logs)
            self._running[stage] = child
        wait_until(lambda: loopback.answers(f"{self.url(stage)}/version"), child)

    def end(self) -> None:
        """End all instances."""
        with self._lock:
            for stage in self.ports:
                self._end(stage)

    def _end(self, stage: str) -> None:
        child = self._running.pop(stage, None)
        if child:
            stop(child)

    def _command(self, stage: str, version: str) -> list[str]:
        behaviour = self.builds.get(version, {}).get(stage, Behaviour())
        return [
            *(sys.executable, "-m", "demo.helloservice"),
            f"--port={self.ports[stage]}",
            f"--version={version}",
            f"--project={self.project}",
            f"--stage={stage}",
            f"--service={self.service}",
            f"--delay={behaviour.delay}",
            f"--error-rate={behaviour.error_rate}",
        ]


@contextmanager
def deployments(
    logs: Path,
    stages: Sequence[str],
    *,
    project: str = "fulltour",
    service: str = "helloservice",
    builds: Builds = BUILDS,
) -> Iterator[Deployments]:
    """Make room for one instance per stage, none of them running yet, and end them all after the block."""
    ports = dict(zip(stages, loopback.free_ports(len(stages)), strict=True))
    made = Deployments(project, service, MappingProxyType(ports), builds, logs)
    try:
        yield made
    finally:
        made.end()
