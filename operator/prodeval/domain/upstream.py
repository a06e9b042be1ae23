"""What the use cases need of a Keptn project's Git upstream: look at it, and add commits to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


class Snapshot(Protocol):
    """The upstream as it was at one listing; reading more of it never changes what was read before.

    A later write of the same push sees the earlier ones' changes.
    Paths are relative to the root of the branch, with `/`.
    A branch that was not asked for may be read too: it costs one listing, and is listed with the others from then on.
    All methods raise GitOperationFailedError, AccessDeniedError.
    """

    @property
    def default_branch(self) -> str:
        """The branch that HEAD names, or the operator's config."""
        ...

    @property
    def tips(self) -> Mapping[str, str]:
        """Commit id (40 hex digits) of each branch that was asked for or read, and exists."""
        ...

    def exists(self, branch: str) -> bool:
        """Whether there is such a branch."""
        ...

    def read(self, branch: str, path: str) -> bytes | None:
        """The file's bytes; None if it or its branch is absent.

        Raises InvalidFileError if a directory, symlink or submodule is in its place.
        """
        ...

    def holds(self, branch: str, path: str, content: bytes) -> bool:
        """Whether the file has exactly these bytes; compares object ids, so that no content is transferred.

        Raises as `read` does.
        """
        ...

    def list(self, branch: str, directory: str) -> tuple[str, ...]:
        """The files below a directory, recursively, sorted, relative to it; () if it is absent.

        Symlinks and submodules are left out.
        """
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """A file to write, whole."""

    branch: str
    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """What one resource wants to push: an empty `changes` means that nothing is to be done.

    A change that is upstream already is dropped; what remains becomes one commit on each branch.

    Attributes:
        changes: at most one for each (branch, path).
        message: the whole commit message, with trailers; the same for each branch.
    """

    changes: tuple[Change, ...]
    message: str


Planner = Callable[[Snapshot], Write]
"""Looks at a snapshot, says what to write; called again with a fresh one after a rejected push; raises to give up."""


PushListener = Callable[[str, frozenset[str], str], None]
"""Hears of each push at once: the project, the branches that moved or may have moved, the default branch.

An answer that is lost leaves open whether a push landed, and a push can land in part before it fails.
"""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The outcome of one write.

    Attributes:
        tips: commit id of each branch asked for, after the push.
        default_branch: the branch that HEAD names, or the config.
        written: what was pushed, also by earlier tries of the same write; empty if all was there already.
    """

    tips: Mapping[str, str]
    default_branch: str
    written: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One caller's write; `branches` are listed beside the default branch."""

    branches: frozenset[str]
    plan: Planner


class Repository(Protocol):
    """One project's upstream. Safe to call from many threads; calls that meet are merged into one push."""

    def write(self, branches: frozenset[str], plan: Planner) -> Pushed:
        """List, plan, and push if there is something to push; repeat if somebody else was faster.

        Costs one request if nothing moved upstream and nothing is to be pushed.

        `branches` are listed beside the default branch; one that does not exist is left out of `tips`.
        Raises what `plan` raises; AccessDeniedError, PushRejectedError, GitOperationFailedError,
        InvalidFileError (a path that cannot be written), ConfigError (HEAD names no branch),
        DependencyNotReadyError (empty upstream, or a change for a branch that is absent).
        """
        ...

    def write_all(self, requests: Sequence[Request]) -> tuple[Pushed | Exception, ...]:
        """Several writes with one listing and one push; what `write` would return or raise for each, in their order."""
        ...

    def look(self, branches: frozenset[str], at: Callable[[Snapshot], T]) -> T:
        """List, and let `at` read; nothing is pushed. Raises as `write` does."""
        ...
