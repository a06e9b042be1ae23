"""A project's Git upstream as Keptn's resource-service reads and writes it: through a clone that it keeps.

Branch layout: the project at the root of the default branch, a branch for each stage, a directory for each service.

A read brings one branch of the clone up to date; a write commits to one branch and pushes all of them. A branch that
somebody else moved and that was not read since is behind in the clone, and the whole push is refused.
"""

import json
import os
import posixpath
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


class PushRefusedError(UpstreamError):
    """A branch of the clone is behind the upstream; the message is go-git's."""


class NotThereError(Exception):
    """There is no such stage, service or file; the message is Keptn's."""


class AlreadyThereError(Exception):
    """There is such a service; the message is Keptn's."""


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
        self._git("clone", "--quiet", "--bare", url, str(folder), folder=folder.parent)
        self.default_branch = self._git("symbolic-ref", "--short", "HEAD").decode().strip()

    def tip(self, stage: str) -> str:
        """The newest commit of a stage's branch, or of the default branch if `stage` is empty.

        Raises:
            NotThereError: no such branch when the clone was made.
            UpstreamError: the branch cannot be brought up to date.
        """
        with self._lock:
            return self._pull(stage)

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

    def write(self, files: Mapping[str, bytes], *, stage: str = "", service: str = "") -> str:
        """Commit files below project, stage or service, and push; returns the commit.

        Raises:
            NotThereError: no such stage or service.
            PushRefusedError: a branch, not only the one written to, moved upstream and was not read since.
            UpstreamError: the upstream cannot be read or written.
        """
        with self._lock:
            before = self._pull(stage)
            if service and not self._list(before, f"{service}/"):
                raise NotThereError("Service not found")
            return self._push(stage, before, {posixpath.join(service, path): files[path] for path in files})

    def create_service(self, stage: str, service: str, metadata: bytes) -> str:
        """Make a service's directory on the branch of a stage; returns the commit. Raises as `write` does.

        Raises:
            AlreadyThereError: there is such a directory.
        """
        with self._lock:
            before = self._pull(stage)
            if self._list(before, f"{service}/"):
                raise AlreadyThereError("Service already exists")
            files = {f"{service}/metadata.yaml": metadata}
            return self._push(stage, before, files, f"Added service: {service}")

    def _pull(self, stage: str) -> str:
        """Move one branch of the clone forward; a branch that was made upstream after the clone is not seen."""
        ref = self._ref(stage)
        if not self._exists(ref):
            raise NotThereError("Stage not found" if stage else "Project not found")
        self._git("fetch", "--quiet", "origin", f"{ref}:{ref}")
        return self._commit_of(ref)

    def _push(self, stage: str, before: str, files: Mapping[str, bytes], message: str = "Updated resource") -> str:
        """Commit, also if nothing changes, and push all branches; a commit that does not arrive is taken back."""
        ref = self._ref(stage)
        self._git("fast-import", "--quiet", "--date-format=now", stdin=_commit(ref, before, files, message))
        try:
            self._check_fast_forward()
            self._git("push", "--quiet", "origin", "refs/heads/*:refs/heads/*")
        except UpstreamError:
            self._git("update-ref", ref, before)
            raise
        return self._commit_of(ref)

    def _check_fast_forward(self) -> None:
        """Refuse as go-git does, before anything is sent, because of whatever branch. Raises PushRefusedError."""
        for line in self._git("ls-remote", "--heads", "origin").decode().splitlines():
            theirs, ref = line.split("\t")
            if not self._exists(ref):
                continue
            try:
                self._git("merge-base", "--is-ancestor", theirs, ref)
            except UpstreamError as error:
                raise PushRefusedError(f"non-fast-forward update: {ref}") from error

    def _exists(self, ref: str) -> bool:
        try:
            self._git("show-ref", "--verify", "--quiet", ref)
        except UpstreamError:
            return False
        return True

    def _ref(self, stage: str) -> str:
        return f"refs/heads/{stage or self.default_branch}"

    def _commit_of(self, ref: str) -> str:
        return self._git("rev-parse", "--verify", f"{ref}^{{commit}}").decode().strip()

    def _list(self, commit: str, path: str) -> list[str]:
        output = self._git("ls-tree", "-r", "-z", "--name-only", commit, *(["--", path] if path else []))
        return [name for name in output.decode().split("\0") if name]

    def _git(self, *arguments: str, folder: Path | None = None, stdin: bytes = b"") -> bytes:
        command = ["git", "-C", str(folder or self._folder), *arguments]
        environment = {**os.environ, **_ENVIRONMENT}
        try:
            return subprocess.run(
                command, env=environment, input=stdin, capture_output=True, check=True, timeout=_TIMEOUT
            ).stdout
        except subprocess.CalledProcessError as error:
            problem = error.stderr.decode(errors="replace").strip()
            if self._secret:
                problem = problem.replace(self._secret, "")
            raise UpstreamError(f"git {arguments[0]}: {problem}") from error
        except subprocess.TimeoutExpired as error:
            raise UpstreamError(f"git {arguments[0]}: no answer in {_TIMEOUT} s") from error


def _commit(ref: str, parent: str, files: Mapping[str, bytes], message: str) -> bytes:
    """One commit as git fast-import reads it."""
    head = f"commit {ref}\ncommitter keptn <keptn@keptn.sh> now\ndata {len(message.encode())}\n{message}\nfrom {parent}"
    blobs = [
        f"M 100644 inline {json.dumps(posixpath.normpath(path), ensure_ascii=False)}\ndata {len(content)}\n".encode()
        + content
        for path, content in files.items()
    ]
    return b"\n".join([head.encode(), *blobs, b""])
