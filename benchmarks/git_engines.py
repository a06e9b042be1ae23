"""Ways to bring two files to their branches: prodeval's, two shell scripts, and pygit2."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pygit2

from prodeval.adapters.git import Repositories
from prodeval.domain.credentials import parse_git_credentials
from prodeval.domain.upstream import Change, Snapshot, Write

HERE = Path(__file__).parent
SLO, SHIPYARD = "helloservice/slo.yaml", "shipyard.yaml"
MESSAGE = "gate: sync production evaluation"


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where to write, and how to get in."""

    url: str
    user: str
    password: str
    ca_file: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """The content of slo.yaml on `production` and, if it matters, of shipyard.yaml on `main`."""

    slo: bytes
    shipyard: bytes | None = None


class Engine(Protocol):
    """Something that makes the upstream hold what is wanted."""

    def forget(self) -> None:
        """Be as if it had never run."""

    def sync(self, wanted: Wanted) -> None:
        """Bring the files to their branches."""


class Prodeval:
    """The adapter of the operator."""

    def __init__(self, upstream: Upstream, _: Path) -> None:
        document = {"remoteURL": upstream.url, "user": upstream.user, "https": {"token": upstream.password}}
        data = {"git-credentials": json.dumps(document).encode(), "ca.crt": Path(upstream.ca_file).read_bytes()}
        self._credentials = parse_git_credentials(data, secret="git-credentials-bench")
        self._open()

    def _open(self) -> None:
        self._repositories = Repositories(author_name="prodeval", author_email="prodeval@localhost")

    def forget(self) -> None:
        """Open everything anew."""
        self._repositories.close()
        self._open()

    def sync(self, wanted: Wanted) -> None:
        """Write through the port, as the operator does."""

        def plan(snapshot: Snapshot) -> Write:
            changes = [Change("production", SLO, wanted.slo)]
            if wanted.shipyard is not None:
                changes.append(Change(snapshot.default_branch, SHIPYARD, wanted.shipyard))
            missing = [one for one in changes if not snapshot.holds(one.branch, one.path, one.content)]
            return Write(tuple(missing), MESSAGE)

        self._repositories.open("bench", self._credentials).write(frozenset({"production"}), plan)


class Script:
    """One of the shell scripts.

    They send the password at once, as CI runners do; with a user in the URL, Git would wait to be asked for it.
    """

    def __init__(self, name: str, upstream: Upstream, folder: Path) -> None:
        self._script, self._url, self._folder = HERE / name, upstream.url, folder
        basic = base64.b64encode(f"{upstream.user}:{upstream.password}".encode()).decode()
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_SSL_CAINFO": upstream.ca_file,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
            "GIT_AUTHOR_NAME": "Somebody",
            "GIT_AUTHOR_EMAIL": "somebody@example.com",
            "GIT_COMMITTER_NAME": "Somebody",
            "GIT_COMMITTER_EMAIL": "somebody@example.com",
        }

    def forget(self) -> None:
        """Remove its folder."""
        shutil.rmtree(self._folder / "work", ignore_errors=True)

    def sync(self, wanted: Wanted) -> None:
        """Run the script."""
        contents = {"slo": wanted.slo, "shipyard": wanted.shipyard}
        files = [self._folder / name for name, content in contents.items() if content is not None]
        for file in files:
            file.write_bytes(contents[file.name] or b"")
        command = [str(self._script), self._url, str(self._folder / "work"), *map(str, files)]
        subprocess.run(command, env=self._environment, check=True)


class Libgit2:
    """pygit2 with a bare repository that stays, a listing first, and shallow fetches; libgit2 knows no filter."""

    def __init__(self, upstream: Upstream, folder: Path) -> None:
        pygit2.settings.set_ssl_cert_locations(upstream.ca_file, None)
        self._url, self._folder = upstream.url, folder / "pygit2"
        self._login = pygit2.UserPass(upstream.user, upstream.password)
        self._author = pygit2.Signature("Somebody", "somebody@example.com")
        self._done: object = None
        self._open()

    def _open(self) -> None:
        self._repository = pygit2.init_repository(str(self._folder), bare=True)
        self._repository.remotes.create("origin", self._url)

    def forget(self) -> None:
        """Begin with an empty repository."""
        shutil.rmtree(self._folder)
        self._done = None
        self._open()

    def sync(self, wanted: Wanted) -> None:
        """List, fetch if something is new, commit, push."""
        heads = self._remote().list_heads(callbacks=self._callbacks())
        tips = {head.name: str(head.oid) for head in heads}
        if self._done == (wanted, tips):
            return
        if any(tips[f"refs/heads/{name}"] not in self._repository for name in ("production", "main")):
            self._remote().fetch(["+refs/heads/*:refs/heads/*"], callbacks=self._callbacks(), depth=1)
        commits = {"production": self._commit(tips, "production", SLO, wanted.slo)}
        if wanted.shipyard is not None:
            commits["main"] = self._commit(tips, "main", SHIPYARD, wanted.shipyard)
        moved = {f"refs/heads/{name}": commit for name, commit in commits.items() if commit}
        if moved:
            for name, commit in moved.items():
                self._repository.references.create(name, commit, force=True)
            self._remote().push([f"{name}:{name}" for name in moved], callbacks=self._callbacks())
        self._done = wanted, tips | moved

    def _remote(self) -> pygit2.Remote:
        return self._repository.remotes["origin"]

    def _callbacks(self) -> pygit2.RemoteCallbacks:
        return pygit2.RemoteCallbacks(self._login)

    def _commit(self, tips: dict[str, str], branch: str, path: str, content: bytes) -> str:
        tip = self._repository[tips[f"refs/heads/{branch}"]]
        blob = self._repository.create_blob(content)
        if path in tip.tree and tip.tree[path].id == blob:
            return ""
        index = pygit2.Index()
        index.read_tree(tip.tree)
        index.add(pygit2.IndexEntry(path, blob, pygit2.enums.FileMode.BLOB))
        tree = index.write_tree(self._repository)
        return str(self._repository.create_commit(None, self._author, self._author, MESSAGE, tree, [tip.id]))


ENGINES: dict[str, Callable[[Upstream, Path], Engine]] = {
    "prodeval": Prodeval,
    "pygit2": Libgit2,
    "git used well": lambda upstream, folder: Script("git_used_well.sh", upstream, folder),
    "script": lambda upstream, folder: Script("git_by_hand.sh", upstream, folder),
}
