"""What the deployment task changes: the running instance of a service in a stage."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Protocol

from demo import loopback
from demo.deployments import Deployments
from demo.processes import Child, start, stop, wait_until
from prodeval.domain.json_values import JSON, as_list, as_object, as_text, child

Target = tuple[str, str, str]
"""Project, stage and service."""


class Services(Protocol):
    """The instances of all services."""

    def targets(self) -> Iterable[Target]:
        """All that can be deployed."""

    def url(self, target: Target) -> str:
        """Where the instance answers."""

    def version(self, target: Target) -> str:
        """What runs; empty if nothing does."""

    def deploy(self, target: Target, version: str) -> None:
        """Restart the instance at a version; raises ServerError if it does not start."""


@dataclass(frozen=True, slots=True)
class WorldServices:
    """Those of the local world, when the demo Keptn runs in the same process."""

    deployments: Deployments

    def targets(self) -> Iterable[Target]:
        """One per stage."""
        return [(self.deployments.project, stage, self.deployments.service) for stage in self.deployments.ports]

    def url(self, target: Target) -> str:
        """Where the stage's instance answers."""
        return self.deployments.url(target[1])

    def version(self, target: Target) -> str:
        """What the stage's instance says."""
        return self.deployments.version(target[1])

    def deploy(self, target: Target, version: str) -> None:
        """Restart the stage's instance."""
        self.deployments.deploy(target[1], version)


@dataclass(frozen=True, slots=True)
class Command:
    """How an instance is started.

    Attributes:
        url: where the instance answers, without a slash at the end.
        ready: path that is answered with a success once the instance is up.
        arguments: program and arguments, `{version}` in them stands for the version.
        builds: by version, further arguments.
    """

    url: str
    ready: str
    arguments: tuple[str, ...]
    builds: Mapping[str, tuple[str, ...]]

    def at(self, version: str) -> list[str]:
        """Program and arguments for a version."""
        return [word.replace("{version}", version) for word in (*self.arguments, *self.builds.get(version, ()))]


@dataclass(frozen=True, slots=True)
class CommandServices:
    """Child processes of the demo Keptn itself, one for each entry of its services file."""

    commands: Mapping[Target, Command]
    logs: Path
    _running: dict[Target, Child] = field(default_factory=dict)
    _versions: dict[Target, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def targets(self) -> Iterable[Target]:
        """One for each entry."""
        return list(self.commands)

    def url(self, target: Target) -> str:
        """As the entry says."""
        return self.commands[target].url

    def version(self, target: Target) -> str:
        """What was started last."""
        return self._versions.get(target, "")

    def deploy(self, target: Target, version: str) -> None:
        """Stop the instance, start it at the version, and wait until it is up."""
        command = self.commands[target]
        with self._lock:
            self._end(target)
            started = start(command.at(version), name="-".join(target), logs=self.logs)
            self._running[target], self._versions[target] = started, version
        wait_until(lambda: loopback.answers(command.url + command.ready), started)

    def end(self) -> None:
        """End all instances."""
        with self._lock:
            for target in self.commands:
                self._end(target)

    def _end(self, target: Target) -> None:
        running = self._running.pop(target, None)
        if running:
            stop(running)


def read_services(path: Path, logs: Path) -> CommandServices:
    """Read a services file.

    It is a JSON list of `{"project", "stage", "service", "url", "ready", "restart": [program, argument, ...],
    "builds": {version: [further argument, ...]}}`; `builds` may be absent. See `Command` for their meaning.
    """
    document: JSON = json.loads(path.read_text())
    return CommandServices(dict(map(_entry, as_list(document))), logs)


def _entry(value: JSON) -> tuple[Target, Command]:
    texts = {key: as_text(item) for key, item in as_object(value).items()}
    builds = {version: _words(words) for version, words in as_object(child(value, "builds")).items()}
    command = Command(texts["url"], texts["ready"], _words(child(value, "restart")), builds)
    return (texts["project"], texts["stage"], texts["service"]), command


def _words(value: JSON) -> tuple[str, ...]:
    return tuple(map(str, as_list(value)))
