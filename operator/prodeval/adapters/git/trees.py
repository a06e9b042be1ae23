"""Git's trees: find a path in them, and write files into them without touching anything else."""

import re
import stat
from collections.abc import Iterator, Mapping
from itertools import islice

from dulwich.errors import ObjectFormatException
from dulwich.objects import ObjectID, parse_tree, serialize_tree, sorted_tree_items

from prodeval.adapters.git.failures import BadAnswerError
from prodeval.adapters.git.objects import Objects
from prodeval.domain.errors import InvalidFileError
from prodeval.domain.paths import PATH_PATTERN

_DIRECTORY, _SYMLINK, _SUBMODULE, _NEW_FILE = 0o040000, 0o120000, 0o160000, 0o100644
_NAMES = {_DIRECTORY: "a directory", _SYMLINK: "a symbolic link", _SUBMODULE: "a submodule"}
_DEEPEST = 64
_MOST_ENTRIES = 100_000
_MOST_NEIGHBOURS = 256
_WRITABLE = re.compile(rf"(\.keptn-stages/)?{PATH_PATTERN}")
_LONGEST_PATH = 1024


def file_at(objects: Objects, root: str, path: str, place: str) -> tuple[int, str] | None:
    """Mode and blob id of a file; None if it is absent. Raises InvalidFileError if something else is in its place."""
    tree, segments = root, path.encode().split(b"/")
    for number, name in enumerate(segments, 1):
        entry = _tree(objects, tree).get(name)
        last = number == len(segments)
        if entry is None or (last and stat.S_ISREG(entry[0])):
            return entry
        if last or _kind(entry[0]) != _DIRECTORY:
            raise _in_the_way(place, segments[:number], entry[0])
        tree = entry[1]
    return None


def files_below(objects: Objects, root: str, directory: str) -> Iterator[str]:
    """The regular files below a directory, relative to it; links and submodules are left out."""
    found = _directory(objects, root, directory)
    if found is not None:
        yield from _walk(objects, found)


def neighbourhood(objects: Objects, root: str, path: str) -> str | None:
    """The directory of a file, if it is small enough to be worth fetching whole: who reads one file reads the next.

    None for a file at the root, below which everything lies.
    """
    directory = path.rpartition("/")[0]
    found = _directory(objects, root, directory) if directory else None
    few = islice(_walk(objects, found), _MOST_NEIGHBOURS + 1) if found else ()
    return found if len(tuple(few)) <= _MOST_NEIGHBOURS else None


def write(objects: Objects, root: str, files: Mapping[str, str]) -> str:
    """A new root tree with these files (path to blob id); modes of existing files and all other entries stay.

    Raises InvalidFileError for a path that no file of ours can have.
    """
    for path in files:
        if len(path) > _LONGEST_PATH or not _WRITABLE.fullmatch(path):
            raise InvalidFileError("is not a path that prodeval writes", path=path[:_LONGEST_PATH])
    return _written(objects, root, {path.encode(): blob for path, blob in files.items()})


def _written(objects: Objects, oid: str | None, files: Mapping[bytes, str]) -> str:
    entries = dict(_tree(objects, oid)) if oid else {}
    below: dict[bytes, dict[bytes, str]] = {}
    for path, blob in files.items():
        name, _, rest = path.partition(b"/")
        if rest:
            below.setdefault(name, {})[rest] = blob
        else:
            entries[name] = (entries[name][0] if name in entries else _NEW_FILE, blob)
    for name, inner in below.items():
        mode, old = entries.get(name, (_DIRECTORY, None))
        entries[name] = (mode, _written(objects, old, inner))
    return objects.make(b"tree", _serialized(entries))


def _serialized(entries: Mapping[bytes, tuple[int, str]]) -> bytes:
    items = {name: (mode, ObjectID(oid.encode())) for name, (mode, oid) in entries.items()}
    return b"".join(serialize_tree(sorted_tree_items(items, name_order=False)))


def _tree(objects: Objects, oid: str) -> dict[bytes, tuple[int, str]]:
    data = objects.tree_or_commit(oid, b"tree")
    try:
        entries = list(parse_tree(data, 20))
    except (ObjectFormatException, ValueError) as error:
        raise BadAnswerError(f"tree {oid} is broken") from error
    found = {name: (mode, child.decode()) for name, mode, child in entries}
    if len(found) != len(entries):
        raise BadAnswerError(f"tree {oid} names an entry twice")
    return found


def _directory(objects: Objects, root: str, directory: str) -> str | None:
    tree = root
    for name in filter(None, directory.encode().split(b"/")):
        mode, oid = _tree(objects, tree).get(name, (0, ""))
        if _kind(mode) != _DIRECTORY:
            return None
        tree = oid
    return tree


def _walk(objects: Objects, top: str) -> Iterator[str]:
    """Raises BadAnswerError for trees that are made to be endless: one subtree named again and again."""
    pending, seen = [("", top, 0)], 0
    while pending:
        prefix, tree, depth = pending.pop()
        entries = _tree(objects, tree)
        seen += len(entries)
        if depth > _DEEPEST or seen > _MOST_ENTRIES:
            raise BadAnswerError(f"a directory is more than {_DEEPEST} deep or has more than {_MOST_ENTRIES} files")
        for name, (mode, oid) in entries.items():
            path = prefix + name.decode("utf-8", "replace")
            if _kind(mode) == _DIRECTORY:
                pending.append((path + "/", oid, depth + 1))
            elif stat.S_ISREG(mode):
                yield path


def _kind(mode: int) -> int:
    return stat.S_IFMT(mode)


def _in_the_way(place: str, segments: list[bytes], mode: int) -> InvalidFileError:
    what = _NAMES.get(_kind(mode), "a file" if stat.S_ISREG(mode) else "no file")
    return InvalidFileError(
        f"is {what}; prodeval needs a file or a directory there and leaves what it finds alone",
        path=f"{place}:{b'/'.join(segments).decode('utf-8', 'replace')}",
    )
