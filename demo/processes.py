"""Child processes that never outlive this one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")

_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
"""Linux kills a child with the thread that started it: one thread, as old as this process, starts all."""


class ServerError(Exception):
    """A server of the local world did not start, or did not do what it was told."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running program, the leader of its own process group."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """The id of the process, which is that of its group, too."""
        return self.popen.pid

    def running(self) -> bool:
        """Tell whether it still runs."""
        return self.popen.poll() is None


def start(
    command: Sequence[str | Path],
    *,
    name: str,
    logs: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Child:
    """Start a program in its own process group, its output appended to `<logs>/<name>.log`.

    Args:
        command: The program and its arguments.
        name: What messages and the log file call it.
        logs: The folder of the log; made if it is absent.
        environment: Variables that are set beside those of this process.
        folder: The working folder; that of this process if None.
    """
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name}.log"
    bound = [sys.executable, "-I", "-S", LAUNCHER, str(os.getpid()), *command]
    with log.open("ab") as output:
        popen = _spawner.submit(
            subprocess.Popen,
            bound,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | dict(environment or {}),
            cwd=folder,
            start_new_session=True,
        ).result()
    return Child(name, popen, log)


def stop(child: Child, grace: float = 5.0) -> None:
    """End a child and what it started: SIGTERM, and SIGKILL after `grace` seconds."""
    _signal(child, signal.SIGTERM)
    try:
        child.popen.wait(grace)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal(child, signal.SIGKILL)
        child.popen.wait()


def _signal(child: Child, number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return


@contextmanager
def running(
    command: Sequence[str | Path], *, name: str, logs: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a program for the length of a block."""
    child = start(command, name=name, logs=logs, environment=environment)
    try:
        yield child
    finally:
        stop(child)


class Restartable:
    """A program that is ended and started again while others use it; it runs from `start` to `stop`."""

    def __init__(self, command: Sequence[str | Path], *, name: str, logs: Path, ready: Callable[[], bool]) -> None:
        self._command, self._name, self._logs, self._ready = command, name, logs, ready
        self._child: Child | None = None

    def start(self) -> None:
        """Start it, unless it runs, and return once it is ready; ServerError if it does not get there."""
        if self._child is None:
            self._child = start(self._command, name=self._name, logs=self._logs)
            wait_until(self._ready, self._child)

    def stop(self) -> None:
        """End it, if it runs."""
        if self._child is not None:
            child, self._child = self._child, None
            stop(child)


def wait_until(ready: Callable[[], bool], child: Child, seconds: float = 60.0) -> None:
    """Return once `ready` says so.

    Raises:
        ServerError: if the child ends first, or is not ready in time; with the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if not child.running():
            raise ServerError(f"{child.name} ended with {child.popen.returncode}, see {child.log}:\n{_tail(child.log)}")
        if time.monotonic() > deadline:
            raise ServerError(f"{child.name} is not ready after {seconds:.0f} s, see {child.log}:\n{_tail(child.log)}")
        time.sleep(0.05)


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
