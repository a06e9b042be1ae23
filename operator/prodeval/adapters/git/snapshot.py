"""The upstream at one listing, with what this push is about to add on top."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from prodeval.adapters.git import trees
from prodeval.adapters.git.commits import Author, commit_on, root_of
from prodeval.adapters.git.objects import Objects
from prodeval.adapters.git.packs import Raw, object_id
from prodeval.adapters.git.push import Update
from prodeval.domain.errors import DependencyNotReadyError
from prodeval.domain.upstream import Change, Write

LookUp = Callable[[str], str | None]
"""Finds the tip of a branch that nobody asked for at first."""


class GitSnapshot:
    """Fulfils `domain.upstream.Snapshot`; `add` puts a commit on top, which later reads see."""

    def __init__(
        self, default_branch: str, listed: Mapping[str, str | None], objects: Objects, look_up: LookUp
    ) -> None:
        """`listed` has the tip of each branch that was asked for, None if it does not exist."""
        self._default, self._listed, self._objects, self._look_up = default_branch, dict(listed), objects, look_up
        self._tips = dict(listed)

    @property
    def default_branch(self) -> str:
        """The branch that HEAD names, or the config."""
        return self._default

    @property
    def tips(self) -> Mapping[str, str]:
        """Commit id of each branch that exists, of those that were asked for."""
        return MappingProxyType({name: tip for name, tip in self._tips.items() if tip})

    @property
    def updates(self) -> tuple[Update, ...]:
        """The branches that `add` moved."""
        moved = ((name, old, self._tips[name]) for name, old in self._listed.items())
        return tuple(Update(name, old, new) for name, old, new in moved if old and new and new != old)

    @property
    def made(self) -> Mapping[str, Raw]:
        """The objects that a push of the updates has to carry."""
        return self._objects.made

    def keep(self) -> None:
        """Remember the objects that were pushed."""
        self._objects.keep()

    def exists(self, branch: str) -> bool:
        """Whether there is such a branch."""
        return self._tip(branch) is not None

    def read(self, branch: str, path: str) -> bytes | None:
        """The file's bytes; None if it is absent."""
        entry, root = self._entry(branch, path), self._root(branch)
        if entry is None or root is None:
            return None
        return self._objects.blob(entry[1], lambda: trees.neighbourhood(self._objects, root, path))

    def holds(self, branch: str, path: str, content: bytes) -> bool:
        """Whether the file has exactly these bytes."""
        entry = self._entry(branch, path)
        return entry is not None and entry[1] == object_id(b"blob", content)

    def list(self, branch: str, directory: str) -> tuple[str, ...]:
        """The files below a directory, recursively."""
        root = self._root(branch)
        return tuple(sorted(trees.files_below(self._objects, root, directory))) if root else ()

    def add(self, write: Write, author: Author) -> tuple[Change, ...]:
        """Put one commit on each branch that changes; returns the changes that were not there already."""
        missing = tuple(one for one in write.changes if not self.holds(one.branch, one.path, one.content))
        with self._objects.all_or_none():
            branches = {one.branch for one in missing}
            self._tips |= {branch: self._committed(branch, write, missing, author) for branch in branches}
        return missing

    def _committed(self, branch: str, write: Write, missing: tuple[Change, ...], author: Author) -> str:
        tip, root = self._tip(branch), self._root(branch)
        if tip is None or root is None:
            raise DependencyNotReadyError(
                f"the upstream has no branch {branch!r}; `keptn create project` makes it, prodeval never does"
            )
        files = {one.path: self._objects.make(b"blob", one.content) for one in missing if one.branch == branch}
        return commit_on(self._objects, tip, trees.write(self._objects, root, files), write.message, author)

    def _entry(self, branch: str, path: str) -> tuple[int, str] | None:
        root = self._root(branch)
        return trees.file_at(self._objects, root, path, branch) if root else None

    def _root(self, branch: str) -> str | None:
        tip = self._tip(branch)
        return root_of(self._objects, tip) if tip else None

    def _tip(self, branch: str) -> str | None:
        if branch not in self._tips:
            tip = self._look_up(branch)
            self._tips[branch] = self._listed[branch] = tip
            if tip:
                self._objects.add_tip(tip)
        return self._tips[branch]
