"""Upstreams made by the git CLI, and what it says about them afterwards."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENV = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.com",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.com",
}

SHIPYARD = b"apiVersion: spec.keptn.sh/0.2.2\nkind: Shipyard\n"
SLO = b"spec_version: '1.0'\n"


class Upstream:
    """A bare repository on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def config(self, key: str, value: str) -> None:
        self.git("config", key, value)

    def git(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        return git("-C", str(self.path), *args, stdin=stdin, env=env)

    def commit(self, branch: str, files: Mapping[str, bytes], message: str = "by hand", parent: str = "") -> str:
        """Add a commit without a work tree; `files` by path, mode 100644."""
        parent = parent or self.tip(branch)
        index = str(self.path / f"index-{os.urandom(4).hex()}")
        env = {"GIT_INDEX_FILE": index}
        if parent:
            git("-C", str(self.path), "read-tree", parent, env=env)
        for path, content in files.items():
            blob = self.git("hash-object", "-w", "--stdin", stdin=content)
            git("-C", str(self.path), "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=env)
        tree = git("-C", str(self.path), "write-tree", env=env)
        Path(index).unlink(missing_ok=True)
        commit = self.git("commit-tree", tree, "-m", message, *(["-p", parent] if parent else []))
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def commit_if_first(self, branch: str, files: Mapping[str, bytes]) -> bool:
        """Commit as a person does, who pushes again later if somebody else was faster."""
        old = self.tip(branch)
        self.git("update-ref", "refs/heads/tmp-by-hand", old)
        new = self.commit("tmp-by-hand", files)
        try:
            self.git("update-ref", f"refs/heads/{branch}", new, old)
        except AssertionError:
            return False
        return True

    def tip(self, branch: str) -> str:
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def show(self, branch: str, path: str) -> bytes:
        done = subprocess.run(
            ["git", "-C", str(self.path), "show", f"{branch}:{path}"], capture_output=True, env=_ENV, check=True
        )
        return done.stdout

    def changed(self, old: str, new: str) -> list[str]:
        """The paths that differ between two commits, with their kind of change."""
        return self.git("diff-tree", "-r", "--name-status", old, new).splitlines()

    def fsck(self) -> str:
        """What `git fsck --strict` has to say; empty if all is well. Raises if anything is broken."""
        return self.git("fsck", "--strict", "--no-dangling")


def git(*args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(["git", *args], input=stdin, capture_output=True, env=_ENV | dict(env or {}), check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def empty(path: Path, *, default: str = "main") -> Upstream:
    git("init", "-q", "--bare", f"--initial-branch={default}", str(path))
    upstream = Upstream(path)
    upstream.config("http.receivepack", "true")
    upstream.config("uploadpack.allowFilter", "true")
    return upstream


def tutorial(path: Path, *, default: str = "main") -> Upstream:
    """A Keptn project in the branch layout: shipyard on the default branch, one branch for each stage."""
    upstream = empty(path, default=default)
    upstream.commit(default, {"metadata.yaml": b"projectName: fulltour\n"})
    for stage in ("qa", "production"):
        upstream.git("branch", stage, default)
        upstream.commit(stage, {"helloservice/metadata.yaml": b"servicename: helloservice\n"})
    upstream.commit("qa", {"helloservice/slo.yaml": SLO, "helloservice/locust/basic.py": b"# load\n"})
    upstream.commit(default, {"shipyard.yaml": SHIPYARD})
    return upstream


def hook(upstream: Upstream, name: str, script: str) -> None:
    """Install a server-side hook, in shell."""
    path = upstream.path / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
