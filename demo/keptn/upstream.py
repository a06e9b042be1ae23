"""A project's Git upstream as Keptn's resource-service reads it: a clone that is brought up to date on every read.

Branch layout: the project at the root of the default branch, a branch for each stage, a directory for each service.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit, urlunsplit

_TIMEOUT = 60
_ENVIRONMENT: Mapping[str, str] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class UpstreamError(Exception):
    """The upstream, or the commit asked for, cannot be read."""


class NotThereError(Exception):
    """There is no such stage, service or file; the message is Keptn's."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A file, and the commit it was read from."""

    content: bytes
    commit: str


class Upstream:
    """One project's repository; safe to use from many threads.

    Args:
        url: with user and password if it needs them.
        folder: where the clone goes; must not exist.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._folder, self._lock = folder, Lock()
        parts = urlsplit(url)
        userinfo, at, host = parts.netloc.rpartition("@")
        self.user = parts.username or ""
        self.url = urlunsplit(parts._replace(netloc=host))
        self._secret = userinfo + at
        self._git("clone", "--quiet", "--mirror", url, str(folder), folder=folder.parent)
        self._git("config", "remote.origin.fetch", "refs/heads/*:refs/heads/*")
        self.default_branch = self._git("symbolic-ref", "--short", "HEAD").decode().strip()

    def tip(self, stage: str) -> str:
        """The newest commit of a stage's branch, or of the default branch if `stage` is empty."""
        with self._lock:
            self._git("fetch", "--quiet")
        branch = stage or self.default_branch
        try:
            return self._git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}").decode().strip()
        except UpstreamError as error:
            raise NotThereError("Stage not found" if stage else "Project not found") from error

    def read(self, path: str, *, stage: str = "", service: str = "", commit: str = "") -> Resource:
        """A file below project, stage or service, at a commit or at the newest one.

        Raises:
            NotThereError: no such stage, service or file.
            UpstreamError: the upstream cannot be read, or has no such commit.
        """
        wanted = commit or self.tip(stage)
        if commit:
            self._git("cat-file", "-e", f"{commit}^{{commit}}")
        if service and not self._list(wanted, f"{service}/"):
            raise NotThereError("Service not found")
        full = f"{service}/{path}" if service else path
        if full not in self._list(wanted, full):
            raise NotThereError("Resource not found")
        return Resource(self._git("cat-file", "blob", f"{wanted}:{full}"), wanted)

    def paths(self, *, stage: str = "", service: str = "") -> tuple[list[str], str]:
        """All files below project, stage or service, relative to it, and the commit they are of."""
        commit = self.tip(stage)
        prefix = f"{service}/" if service else ""
        found = self._list(commit, prefix)
        if service and not found:
            raise NotThereError("Service not found")
        return [path.removeprefix(prefix) for path in found], commit

    def _list(self, commit: str, path: str) -> list[str]:
        output = self._git("ls-tree", "-r", "-z", "--name-only", commit, *(["--", path] if path else []))
        return [name for name in output.decode().split("\0") if name]

    def _git(self, *arguments: str, folder: Path | None = None) -> bytes:
        command = ["git", "-C", str(folder or self._folder), *arguments]
        try:
            environment = {**os.environ, **_ENVIRONMENT}
            return subprocess.run(command, env=environment, capture_output=True, check=True, timeout=_TIMEOUT).stdout
        except subprocess.CalledProcessError as error:
            problem = error.stderr.decode(errors="replace").strip()
            if self._secret:
                problem = problem.replace(self._secret, "")
            raise UpstreamError(f"git {arguments[0]}: {problem}") from error
        except subprocess.TimeoutExpired as error:
            raise UpstreamError(f"git {arguments[0]}: no answer in {_TIMEOUT} s") from error
