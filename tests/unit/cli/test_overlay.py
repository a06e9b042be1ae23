"""Changes on top of a snapshot, as a later plan of the same push sees them."""

from typing import ClassVar

from prodeval.domain.upstream import Change
from prodeval.service.previewing import Overlay


class Held:
    """A snapshot with one file."""

    default_branch = "main"
    tips: ClassVar = {"main": "1" * 40}

    def read(self, branch: str, path: str) -> bytes | None:
        return b"old" if (branch, path) == ("main", "svc/a") else None

    def holds(self, branch: str, path: str, content: bytes) -> bool:
        return self.read(branch, path) == content

    def list(self, branch: str, directory: str) -> tuple[str, ...]:
        return {("main", ""): ("svc/a",), ("main", "svc"): ("a",)}.get((branch, directory), ())


def test_changes_are_seen_on_their_branch_and_nothing_else_changes():
    overlay = Overlay(Held())
    overlay.add([Change("main", "svc/b", b"new"), Change("qa", "svc/c", b"")])

    assert (overlay.default_branch, overlay.tips) == ("main", Held.tips)
    assert [overlay.read("main", path) for path in ("svc/a", "svc/b", "svc/c")] == [b"old", b"new", None]
    assert [overlay.list("main", folder) for folder in ("", "svc", "x")] == [("svc/a", "svc/b"), ("a", "b"), ()]
    assert overlay.list("qa", "svc") == ("c",)
    assert overlay.holds("qa", "svc/c", b"")
    assert overlay.holds("main", "svc/a", b"old")


def test_a_changed_file_no_longer_holds_what_it_held():
    overlay = Overlay(Held())
    overlay.add([Change("main", "svc/a", b"new")])

    assert overlay.read("main", "svc/a") == b"new"
    assert not overlay.holds("main", "svc/a", b"old")
    assert overlay.list("main", "svc") == ("a",)
