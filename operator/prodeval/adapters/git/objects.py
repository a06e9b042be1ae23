"""Objects by id: those of this operation, those kept between operations, and those we make."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from prodeval.adapters.git.failures import BadAnswerError
from prodeval.adapters.git.packs import Pack, Raw

_KEPT_BYTES = 8 << 20
_LARGEST_KEPT = 1 << 20


class Source(Protocol):
    """Where objects come from that nobody has yet."""

    def fetch(self, wants: Collection[str], tips: Collection[str], *, small_blobs: bool = False) -> Pack:
        """See UploadPack.fetch."""
        ...


class Kept:
    """The objects used last, up to 8 MiB; what an id names never changes."""

    def __init__(self) -> None:
        self._objects: OrderedDict[str, Raw] = OrderedDict()
        self._size = 0

    def get(self, oid: str) -> Raw | None:
        """An object, which counts as used now."""
        if oid in self._objects:
            self._objects.move_to_end(oid)
        return self._objects.get(oid)

    def put(self, oid: str, found: Raw) -> None:
        """Keep an object; forget those that were not used for longest."""
        if oid in self._objects or len(found.data) > _LARGEST_KEPT:
            return
        self._objects[oid] = found
        self._size += len(found.data)
        while self._size > _KEPT_BYTES:
            self._size -= len(self._objects.popitem(last=False)[1].data)


class Objects:
    """What one operation sees: reads through the kept objects and its packs, fetches what is missing."""

    def __init__(self, source: Source, kept: Kept, tips: Collection[str]) -> None:
        self._source, self._kept, self._tips = source, kept, set(tips)
        self._packs: list[Pack] = []
        self._made: dict[str, Raw] = {}

    @property
    def made(self) -> Mapping[str, Raw]:
        """What was added here and is not upstream yet."""
        return self._made

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Forget what is made in here if it fails half-way, so that nothing of it is pushed."""
        before = dict(self._made)
        try:
            yield
        except BaseException:
            self._made = before
            raise

    def make(self, kind: bytes, data: bytes) -> str:
        """Add an object of ours; returns its id."""
        raw = Raw(kind, data)
        oid = raw.id
        self._made[oid] = raw
        return oid

    def add_tip(self, commit: str) -> None:
        """A commit whose trees may be asked for."""
        self._tips.add(commit)

    def tree_or_commit(self, oid: str, kind: bytes) -> bytes:
        """The content of a tree or commit; what is missing comes with all trees of the tips that are new."""
        if self._known(oid) is None:
            new = {tip for tip in self._tips if self._known(tip) is None}
            self._packs.append(self._source.fetch(new or self._tips, self._tips))
            if new and self._known(oid) is None:
                self._packs.append(self._source.fetch(self._tips, self._tips))
        return self._checked(oid, kind)

    def blob(self, oid: str, neighbours: Callable[[], str | None]) -> bytes:
        """The content of a blob; if it is missing, it comes with the small ones of the tree that `neighbours` names."""
        if self._known(oid) is None:
            tree = neighbours()
            wants = (oid, tree) if tree else (oid,)
            self._packs.append(self._source.fetch(wants, self._tips, small_blobs=bool(tree)))
        return self._checked(oid, b"blob")

    def keep(self) -> None:
        """Keep our own objects too, once they are upstream."""
        for oid, raw in self._made.items():
            self._kept.put(oid, raw)

    def _checked(self, oid: str, kind: bytes) -> bytes:
        found = self._known(oid)
        if found is None or found.kind != kind:
            raise BadAnswerError(f"the server does not give {kind.decode()} {oid}")
        return found.data

    def _known(self, oid: str) -> Raw | None:
        found = self._made.get(oid) or self._kept.get(oid)
        if found is None:
            found = next(filter(None, (pack.get(oid) for pack in self._packs)), None)
            if found is not None:
                self._kept.put(oid, found)
        return found
