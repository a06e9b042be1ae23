"""Writing files into a tree is like writing into a dictionary: everything else stays as it was."""

from collections.abc import Collection, Mapping

import pytest
from dulwich.objects import Blob, ObjectID, Tree
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prodeval.adapters.git import trees
from prodeval.adapters.git.failures import BadAnswerError
from prodeval.adapters.git.objects import Kept, Objects
from prodeval.adapters.git.packs import Pack, Raw, object_id
from prodeval.domain.errors import InvalidFileError

Files = Mapping[str, tuple[int, bytes]]
MODES = (0o100644, 0o100755, 0o100664, 0o120000, 0o160000)


class Nothing:
    """An upstream that has no more than what was put into the objects."""

    def fetch(self, wants: Collection[str], tips: Collection[str], *, small_blobs: bool = False) -> Pack:
        return Pack(b"")


def objects_with(files: Files) -> tuple[Objects, str]:
    """The objects of a tree; the root's id."""
    objects = Objects(Nothing(), Kept(), ())
    return objects, _put(objects, files)


def _put(objects: Objects, files: Files) -> str:
    tree, below = Tree(), dict[str, dict[str, tuple[int, bytes]]]()
    for path, (mode, content) in files.items():
        name, _, rest = path.partition("/")
        if rest:
            below.setdefault(name, {})[rest] = mode, content
        else:
            tree.add(name.encode(), mode, ObjectID(objects.make(b"blob", content).encode()))
    for name, inner in below.items():
        tree.add(name.encode(), 0o040000, ObjectID(_put(objects, inner).encode()))
    return objects.make(b"tree", tree.as_raw_string())


def flat(objects: Objects, root: str, prefix: str = "") -> dict[str, tuple[int, str]]:
    """Mode and id of all that is in a tree."""
    found: dict[str, tuple[int, str]] = {}
    for entry in Tree.from_string(objects.tree_or_commit(root, b"tree")).items():
        path = prefix + entry.path.decode()
        if entry.mode == 0o040000:
            found |= flat(objects, entry.sha.decode(), path + "/")
        else:
            found[path] = entry.mode, entry.sha.decode()
    return found


names = st.sampled_from(["a", "a-b", "a.b", "ab", "b", "locust", "slo.yaml"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
trees_of_files = st.dictionaries(paths, st.tuples(st.sampled_from(MODES), st.binary(max_size=4)), max_size=12).filter(
    lambda files: not any(one.startswith(other + "/") for one in files for other in files)
)


@settings(deadline=None)
@given(trees_of_files, st.dictionaries(paths, st.binary(max_size=4), min_size=1, max_size=4))
def test_only_the_named_files_change_and_existing_modes_stay(files: Files, new: Mapping[str, bytes]) -> None:
    together = {**files, **new}
    assume(not any(one.startswith(other + "/") for one in together for other in together))
    assume(not any(files[path][0] in (0o120000, 0o160000) for path in new if path in files))
    objects, root = objects_with(files)
    before = flat(objects, root)
    written = trees.write(objects, root, {path: objects.make(b"blob", content) for path, content in new.items()})
    changed = {
        path: (before.get(path, (0o100644, ""))[0], object_id(b"blob", content)) for path, content in new.items()
    }
    assert flat(objects, written) == before | changed
    for path, content in new.items():
        entry = trees.file_at(objects, written, path, "main")
        assert entry is not None
        assert objects.blob(entry[1], lambda: None) == content


@settings(deadline=None)
@given(trees_of_files)
def test_listing_finds_the_regular_files(files: Files) -> None:
    objects, root = objects_with(files)
    regular = {path for path, (mode, _) in files.items() if mode not in (0o120000, 0o160000)}
    assert set(trees.files_below(objects, root, "")) == regular
    below = {path.removeprefix("a/") for path in regular if path.startswith("a/")}
    assert set(trees.files_below(objects, root, "a")) == below


OUTSIDE = [
    "",
    "/",
    "a/",
    "/a",
    "a//b",
    ".",
    "..",
    "a/..",
    "../a",
    ".keptn-stages",
    ".keptn-stages/",
    ".keptn-stages/../a",
]
GITS_OWN = [".git/config", "a/.git", ".GIT/x", "git~1/x", ".keptn-stages/.git/a"]
STRANGE = ["a\\b", "a b", "a\n", "-a", "a/-b", "a.", "a..b", "ä", "a" * 1025]


@pytest.mark.parametrize("path", OUTSIDE + GITS_OWN + STRANGE)
def test_a_path_that_could_leave_its_place_is_refused(path: str) -> None:
    objects, root = objects_with({"x": (0o100644, b"")})
    with pytest.raises(InvalidFileError, match="is not a path that prodeval writes"):
        trees.write(objects, root, {path: objects.make(b"blob", b"")})


@pytest.mark.parametrize(
    "data",
    [
        b"100644 a",
        b"100644 a\0short",
        b"not octal\0" + b"x" * 20,
        (b"100644 a\0" + b"x" * 20) * 2,
        b"\xff\xff",
    ],
)
def test_a_broken_tree_is_refused(data: bytes) -> None:
    objects = Objects(Nothing(), Kept(), ())
    root = objects.make(b"tree", data)
    with pytest.raises(BadAnswerError, match=r"is broken|names an entry twice"):
        trees.file_at(objects, root, "a", "main")


def test_a_blob_in_the_place_of_a_tree_is_refused() -> None:
    objects = Objects(Nothing(), Kept(), ())
    blob = objects.make(b"blob", b"")
    with pytest.raises(BadAnswerError, match="the server does not give tree"):
        trees.file_at(objects, blob, "a", "main")


def test_a_large_directory_is_no_neighbourhood() -> None:
    few = {f"service/{number}": (0o100644, b"") for number in range(256)}
    objects, root = objects_with(few)
    assert trees.neighbourhood(objects, root, "service/1") is not None
    assert trees.neighbourhood(objects, root, "top") is None
    objects, root = objects_with({**few, "service/more": (0o100644, b"")})
    assert trees.neighbourhood(objects, root, "service/1") is None


def test_the_objects_kept_are_those_used_last() -> None:
    kept = Kept()
    for number in range(10):
        kept.put(str(number), Raw(b"blob", bytes(1 << 20)))
        assert kept.get("0") is not None
    assert [number for number in range(10) if kept.get(str(number)) is None] == [1, 2]
    kept.put("large", Raw(b"blob", bytes((1 << 20) + 1)))
    assert kept.get("large") is None
    assert Blob.from_string(b"").id == object_id(b"blob", b"").encode()
