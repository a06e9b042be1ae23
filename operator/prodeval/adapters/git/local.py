"""An upstream on this machine: a repository, bare or not, or a plain folder; read only."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from dulwich.errors import NotGitRepository
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from prodeval.domain.errors import DependencyNotReadyError, InvalidFileError
from prodeval.domain.upstream import Snapshot

FOLDER_BRANCH = "main"
"""What the only branch of a plain folder is called."""

_REMOTE = b"refs/remotes/origin/"
_HEADS = b"refs/heads/"


def open_local(path: Path) -> Snapshot:
    """The repository at a path, else the folder.

    Raises DependencyNotReadyError if there is no folder, or HEAD names no branch.
    """
    if not path.is_dir():
        raise DependencyNotReadyError(f"{path} is no folder; name a clone, a bare repository or a folder")
    try:
        return LocalRepository(Repo(str(path)))
    except NotGitRepository:
        return Folder(path)


class LocalRepository:
    """The branches of a repository as they are now; one that is only known of its remote `origin` is as good.

    Fulfils `domain.upstream.Snapshot`.
    """

    def __init__(self, repository: Repo) -> None:
        self._repository = repository
        self._default = self._default_branch()

    def _default_branch(self) -> str:
        """The remote's default branch, as a clone remembers it; else the branch that HEAD names."""
        for name, prefix in ((_REMOTE + b"HEAD", _REMOTE), (b"HEAD", _HEADS)):
            target = self._repository.refs.get_symrefs().get(Ref(name), b"")
            if target.startswith(prefix):
                return target.removeprefix(prefix).decode()
        raise DependencyNotReadyError("HEAD names no branch; check out the default branch of the upstream")

    @property
    def default_branch(self) -> str:
        """As of the remote, else as of HEAD."""
        return self._default

    @property
    def tips(self) -> Mapping[str, str]:
        """All branches."""
        refs = self._repository.refs.as_dict()
        known = {name.removeprefix(_REMOTE): tip for name, tip in refs.items() if name.startswith(_REMOTE)}
        known |= {name.removeprefix(_HEADS): tip for name, tip in refs.items() if name.startswith(_HEADS)}
        return {name.decode(): tip.decode() for name, tip in known.items() if name != b"HEAD"}

    def exists(self, branch: str) -> bool:
        """Whether there is such a branch."""
        return branch in self.tips

    def read(self, branch: str, path: str) -> bytes | None:
        """The file's bytes; None if it is absent."""
        found = self._find(branch, path)
        if found is None:
            return None
        mode, identity = found
        blob = self._repository.object_store[identity]
        if not stat.S_ISREG(mode) or not isinstance(blob, Blob):
            raise InvalidFileError("this is no regular file; put one in its place", path=f"{branch}:{path}")
        return blob.data

    def holds(self, branch: str, path: str, content: bytes) -> bool:
        """Whether the file has exactly these bytes."""
        return self.read(branch, path) == content

    def list(self, branch: str, directory: str) -> tuple[str, ...]:
        """The regular files below a directory, recursively."""
        found = self._find(branch, directory) if directory else self._root(branch)
        if found is None or not stat.S_ISDIR(found[0]):
            return ()
        return tuple(sorted(self._below(found[1], "")))

    def _root(self, branch: str) -> tuple[int, ObjectID] | None:
        tip = self.tips.get(branch)
        commit = self._repository.object_store[ObjectID(tip.encode())] if tip else None
        return (stat.S_IFDIR, commit.tree) if isinstance(commit, Commit) else None

    def _find(self, branch: str, path: str) -> tuple[int, ObjectID] | None:
        found = self._root(branch)
        for name in path.encode().split(b"/"):
            tree = self._repository.object_store[found[1]] if found and stat.S_ISDIR(found[0]) else None
            found = tree[name] if isinstance(tree, Tree) and name in tree else None
        return found

    def _below(self, identity: ObjectID, prefix: str) -> Iterator[str]:
        tree = self._repository.object_store[identity]
        for entry in tree.iteritems() if isinstance(tree, Tree) else ():
            name = prefix + entry.path.decode(errors="surrogateescape")
            if stat.S_ISDIR(entry.mode):
                yield from self._below(entry.sha, f"{name}/")
            elif stat.S_ISREG(entry.mode):
                yield name


class Folder:
    """A folder without a repository, taken for the default branch; so it can hold Keptn's directory layout only.

    Fulfils `domain.upstream.Snapshot`.
    """

    default_branch = FOLDER_BRANCH
    tips: Mapping[str, str] = {FOLDER_BRANCH: "0" * 40}

    def __init__(self, root: Path) -> None:
        self._root = root

    def exists(self, branch: str) -> bool:
        """Whether there is such a branch."""
        return branch in self.tips

    def read(self, branch: str, path: str) -> bytes | None:
        """The file's bytes; None if it is absent."""
        found = self._root / path
        if branch != FOLDER_BRANCH or not (found.exists() or found.is_symlink()):
            return None
        if found.is_symlink() or not found.is_file():
            raise InvalidFileError("this is no regular file; put one in its place", path=str(found))
        return found.read_bytes()

    def holds(self, branch: str, path: str, content: bytes) -> bool:
        """Whether the file has exactly these bytes."""
        return self.read(branch, path) == content

    def list(self, branch: str, directory: str) -> tuple[str, ...]:
        """The regular files below a directory, recursively."""
        top = self._root / directory
        found = top.rglob("*") if branch == FOLDER_BRANCH else ()
        return tuple(
            sorted(path.relative_to(top).as_posix() for path in found if path.is_file() and not path.is_symlink())
        )
