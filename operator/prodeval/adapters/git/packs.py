"""A pack from a server that nobody vouches for: every size is checked before it is believed.

Format: gitformat-pack(5). The pack stays compressed in memory; only what is asked for is inflated.
"""

import hashlib
import zlib
from dataclasses import dataclass

from dulwich.errors import ApplyDeltaError
from dulwich.objects import Blob, Commit, Tag, Tree
from dulwich.pack import apply_delta

from prodeval.adapters.git.failures import BadAnswerError

MOST_PACK_BYTES = 48 << 20
_MOST_OBJECTS = 150_000
_MOST_OBJECT_BYTES = 16 << 20
_MOST_INFLATED_BYTES = 512 << 20
_MOST_HELD_BYTES = 32 << 20
_DEEPEST_CHAIN = 512
_OFS_DELTA, _REF_DELTA = 6, 7
_KINDS = {kind.type_num: kind.type_name for kind in (Commit, Tree, Blob, Tag)}
_HEADER, _TRAILER = 12, 20
_LONGEST_VARINT = 35  # bits


@dataclass(frozen=True, slots=True)
class Raw:
    """An object: its type (`commit`, `tree`, `blob`, `tag`) and its bytes."""

    kind: bytes
    data: bytes

    @property
    def id(self) -> str:
        """The object id, 40 hex digits."""
        return object_id(self.kind, self.data)


def object_id(kind: bytes, data: bytes) -> str:
    """The SHA-1 that names an object."""
    head = kind + b" " + str(len(data)).encode() + b"\0"
    return hashlib.sha1(head + data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where an object stands: the offset of its zlib stream, its declared size, its base if it is a delta."""

    kind: int
    size: int
    start: int
    base: int | bytes | None


@dataclass(frozen=True, slots=True)
class _Frame:
    """An object whose deltas wait to be applied, so many deltas away from a whole one."""

    waiting: list[int]
    base: Raw
    depth: int


_Children = dict[int | bytes | None, list[int]]
"""The offsets of the deltas of each base, which is named by its offset or its id."""


class Pack:
    """The objects of a pack, by id."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._entries: dict[int, _Entry] = {}
        self._offsets: dict[bytes, int] = {}
        self._inflated = 0
        if data:
            self._index(_checked_count(data))

    def __len__(self) -> int:
        return len(self._offsets)

    def get(self, oid: str) -> Raw | None:
        """An object, whole; None if it is not in here. Raises BadAnswerError."""
        offset = self._offsets.get(bytes.fromhex(oid))
        return None if offset is None else self._resolved(offset)

    def _index(self, count: int) -> None:
        """Find each object's id: whole ones while reading, deltas as soon as their base is there."""
        offset, deltas = _HEADER, []
        for _ in range(count):
            entry = self._entry(offset)
            self._entries[offset] = entry
            data, end = self._inflate(entry)
            if entry.base is None:
                self._offsets[hashlib.sha1(_head(entry) + data, usedforsecurity=False).digest()] = offset
            else:
                deltas.append(offset)
            offset = end
        if offset != len(self._data) - _TRAILER:
            raise BadAnswerError("the pack is longer than its objects")
        self._index_deltas(deltas)

    def _index_deltas(self, deltas: list[int]) -> None:
        """Every delta stands in the tree of one whole object."""
        children: _Children = {}
        for offset in deltas:
            children.setdefault(self._entries[offset].base, []).append(offset)
        for oid, offset in list(self._offsets.items()):
            if waiting := _children(children, offset, oid):
                self._index_tree(children, _Frame(waiting, self._resolved(offset), 1))
        if children:
            raise BadAnswerError("the pack holds a delta without its base")

    def _index_tree(self, children: _Children, top: _Frame) -> None:
        """Depth first, so that few bases are in memory at a time: those with deltas that still wait for them."""
        frames, held = [top], len(top.base.data)
        while frames:
            frame = frames[-1]
            offset = frame.waiting.pop()
            if not frame.waiting:
                frames.pop()
                held -= len(frame.base.data)
            found = self._applied(self._entries[offset], frame.base)
            oid = bytes.fromhex(found.id)
            self._offsets[oid] = offset
            if waiting := _children(children, offset, oid):
                frames.append(_Frame(waiting, found, frame.depth + 1))
                held += len(found.data)
                _check_frame(frames[-1], held)

    def _resolved(self, offset: int) -> Raw:
        """Inflate an object and the chain of its bases."""
        chain = [self._entries[offset]]
        while (base := chain[-1].base) is not None:
            place = base if isinstance(base, int) else self._offsets.get(base, -1)
            if place not in self._entries or len(chain) > _DEEPEST_CHAIN:
                raise BadAnswerError("the pack holds a delta without its base")
            chain.append(self._entries[place])
        whole = chain.pop()
        found = Raw(_KINDS[whole.kind], self._inflate(whole)[0])
        while chain:
            found = self._applied(chain.pop(), found)
        return found

    def _applied(self, entry: _Entry, base: Raw) -> Raw:
        delta, _ = self._inflate(entry)
        _, start = _varint(delta, 0)
        size, _ = _varint(delta, start)
        self._count(size)
        try:
            return Raw(base.kind, b"".join(apply_delta(base.data, delta)))
        except (ApplyDeltaError, ValueError) as error:
            raise BadAnswerError("the pack holds a delta that does not fit its base") from error

    def _entry(self, offset: int) -> _Entry:
        """Read the header of an object: type and size, and where its base is."""
        first = self._byte(offset)
        kind, size, shift, place = (first >> 4) & 7, first & 15, 4, offset + 1
        while first & 0x80:
            first = self._byte(place)
            size |= (first & 0x7F) << shift
            shift, place = shift + 7, place + 1
            if size > _MOST_OBJECT_BYTES:
                raise BadAnswerError(f"the pack holds an object of more than {_MOST_OBJECT_BYTES} bytes")
        base: int | bytes | None = None
        if kind == _OFS_DELTA:
            distance, place = self._distance(place)
            base = offset - distance
        elif kind == _REF_DELTA:
            base, place = bytes(self._data[place : place + 20]), place + 20
        elif kind not in _KINDS:
            raise BadAnswerError("the pack holds an object of no known type")
        return _Entry(kind, size, place, base)

    def _distance(self, place: int) -> tuple[int, int]:
        byte = self._byte(place)
        distance, place = byte & 0x7F, place + 1
        while byte & 0x80:
            if distance > len(self._data):
                raise BadAnswerError("the pack holds a delta without its base")
            byte = self._byte(place)
            distance, place = ((distance + 1) << 7) | (byte & 0x7F), place + 1
        return distance, place

    def _byte(self, place: int) -> int:
        if place >= len(self._data) - _TRAILER:
            raise BadAnswerError("the pack is cut short")
        return self._data[place]

    def _inflate(self, entry: _Entry) -> tuple[bytes, int]:
        """An entry's content and the offset behind it; never more bytes than its header declares."""
        self._count(entry.size)
        window = self._data[entry.start : min(entry.start + _compressed_bound(entry.size), len(self._data) - _TRAILER)]
        inflater = zlib.decompressobj()
        try:
            data = inflater.decompress(window, entry.size + 1)
        except zlib.error as error:
            raise BadAnswerError("the pack holds a broken zlib stream") from error
        if not inflater.eof or len(data) != entry.size:
            raise BadAnswerError("the pack holds an object that is not as large as it says")
        return data, entry.start + len(window) - len(inflater.unused_data)

    def _count(self, size: int) -> None:
        self._inflated += size
        if size > _MOST_OBJECT_BYTES or self._inflated > _MOST_INFLATED_BYTES:
            raise BadAnswerError(f"the pack inflates to more than {_MOST_INFLATED_BYTES} bytes")


def _compressed_bound(size: int) -> int:
    """More than zlib needs for incompressible data, whatever its settings."""
    return size + (size >> 2) + 128


def _head(entry: _Entry) -> bytes:
    return _KINDS[entry.kind] + b" " + str(entry.size).encode() + b"\0"


def _children(children: _Children, offset: int, oid: bytes) -> list[int]:
    return children.pop(offset, []) + children.pop(oid, [])


def _check_frame(frame: _Frame, held: int) -> None:
    if frame.depth >= _DEEPEST_CHAIN:
        raise BadAnswerError(f"the pack holds a chain of more than {_DEEPEST_CHAIN} deltas")
    if held > _MOST_HELD_BYTES:
        raise BadAnswerError(f"the pack holds deltas whose bases have more than {_MOST_HELD_BYTES} bytes")


def _checked_count(data: bytes) -> int:
    count = int.from_bytes(data[8:12], "big")
    if len(data) < _HEADER + _TRAILER or data[:4] != b"PACK" or data[4:8] not in (b"\0\0\0\2", b"\0\0\0\3"):
        raise BadAnswerError("no pack where one should be")
    if count > _MOST_OBJECTS:
        raise BadAnswerError(f"the pack holds more than {_MOST_OBJECTS} objects")
    if hashlib.sha1(data[:-_TRAILER], usedforsecurity=False).digest() != data[-_TRAILER:]:
        raise BadAnswerError("the pack was damaged on its way")
    return count


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A size in a delta's header, seven bits a byte, lowest first."""
    size = shift = 0
    while place < len(data) and shift < _LONGEST_VARINT:
        byte = data[place]
        size |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            break
    return size, place
