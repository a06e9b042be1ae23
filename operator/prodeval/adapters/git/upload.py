"""The reading half of Git's protocol (upload-pack): which refs there are, and the objects behind them.

Version 2 where the server speaks it, else version 0. Sources: gitprotocol-v2(5), gitprotocol-pack(5).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from dulwich.protocol import pkt_line
from dulwich.refs import Ref, check_ref_format

from prodeval.adapters.git.failures import BadAnswerError, ServerRefusalError, StaleReadError, translated
from prodeval.adapters.git.packets import AGENT, Packets, Progress
from prodeval.adapters.git.packs import MOST_PACK_BYTES, Pack
from prodeval.adapters.git.transport import Service, Transport

_VERSION_2 = 2
_OBJECT_ID = re.compile(rb"[0-9a-f]{40}")
_HEADS = "refs/heads/"
_MOST_LISTED_BYTES = 16 << 20
_PARTIAL_REMEDY = "; the server cannot leave file contents out, set uploadpack.allowFilter=true there"
_DELIMITER = b"0001"
_DEPTH_ONE, _NO_BLOBS, _SMALL_BLOBS = b"deepen 1", b"filter blob:none", b"filter blob:limit=64k"


@dataclass(frozen=True, slots=True)
class Refs:
    """What a listing showed.

    Attributes:
        head: the branch that HEAD names; empty if the server does not tell.
        branches: the commit id of each branch that was asked for and exists.
    """

    head: str
    branches: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Server:
    """What a server can do: `partial` = leaves out blobs and gives single objects, `shallow` = leaves out history."""

    version: int
    capabilities: frozenset[bytes] = field(repr=False)
    partial: bool
    shallow: bool

    @property
    def lists_unborn(self) -> bool:
        return any(line.startswith(b"ls-refs=") and b"unborn" in line for line in self.capabilities)


class UploadPack:
    """Reads from one upstream; remembers what its server can do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._server: _Server | None = None

    @property
    def partial(self) -> bool:
        """Whether single objects can be fetched; else a fetch brings whole trees with all their blobs."""
        return self._server is not None and self._server.partial

    def refs(self, branches: Collection[str]) -> Refs:
        """HEAD and the named branches: one request once the server is known.

        Raises GitOperationFailedError, AccessDeniedError.
        """
        server, self._server = self._server, None  # a failure forgets it: the repository may have moved
        with translated(self._transport, "list the branches"):
            if server and server.version == _VERSION_2 and self._transport.stateless:
                refs = self._listed(server, branches)
            else:
                server, refs = self._first_listing(branches)
        self._server = server
        return refs

    def all_branches(self) -> Refs:
        """HEAD and all branches; for messages."""
        return self.refs(("",))

    def fetch(self, wants: Collection[str], tips: Collection[str], *, small_blobs: bool = False) -> Pack:
        """The wanted objects, commits with their trees, without history and blobs where the server can do that.

        `small_blobs`: wanted trees bring their blobs below 64 KiB.
        A server that gives no single objects is asked for everything at the tips instead.
        Raises StaleReadError if the server has no such objects any more.
        """
        with translated(self._transport, "fetch", StaleReadError):
            if not self.partial:
                return self._fetched(tips)
            try:
                return self._fetched(wants, _SMALL_BLOBS if small_blobs else _NO_BLOBS)
            except ServerRefusalError:
                return self._fetched_whole(tips)

    def _fetched_whole(self, tips: Collection[str]) -> Pack:
        """Without the filter that the server offered and then refused; remembered if that works."""
        before = self._server
        self._transport.hang_up()
        self._server = before and replace(before, partial=False)
        try:
            return self._fetched(tips)
        except BaseException:
            self._server = before
            raise

    def _first_listing(self, branches: Collection[str]) -> tuple[_Server, Refs]:
        packets = Packets(self._transport.advertisement(Service.READ), _MOST_LISTED_BYTES)
        first = (packets.first() or b"").rstrip(b"\n")
        if first == b"version 2":
            server = _version_2(frozenset(packets.until_flush()))
            self._end(packets)
            return server, self._listed(server, branches)
        server, refs = _version_0(_without_version(first, packets), branches)
        self._end(packets)
        return server, refs

    def _listed(self, server: _Server, branches: Collection[str]) -> Refs:
        wanted = [b"symrefs", *([b"unborn"] if server.lists_unborn else [])]
        wanted += [b"ref-prefix HEAD", *(b"ref-prefix " + (_HEADS + name).encode() for name in sorted(branches))]
        stream = self._transport.send(Service.READ, _command(server, b"ls-refs", wanted))
        packets = Packets(stream, _MOST_LISTED_BYTES)
        refs = _refs(packets.until_flush(), branches)
        self._end(packets)
        return refs

    def _fetched(self, wants: Collection[str], blobs: bytes = _NO_BLOBS) -> Pack:
        server = self._server or _version_2(frozenset())
        two = server.version == _VERSION_2
        options = [_DEPTH_ONE] * server.shallow + [blobs] * server.partial
        request = _fetch_2(server, wants, options) if two else _fetch_0(server, wants, options)
        remedy = "" if server.partial else _PARTIAL_REMEDY
        packets = Packets(self._transport.send(Service.READ, request), MOST_PACK_BYTES + (1 << 20), remedy)
        pack = Pack(b"".join(_pack_2(packets) if two else _pack_0(packets, server)))
        self._end(packets)
        if not two:
            self._transport.hang_up()
        return pack

    def _end(self, packets: Packets) -> None:
        if self._transport.stateless:
            packets.end()


def _version_2(capabilities: frozenset[bytes]) -> _Server:
    _check_format(capabilities)
    features = next((line[6:].split() for line in capabilities if line.startswith(b"fetch=")), [])
    return _Server(_VERSION_2, capabilities, partial=b"filter" in features, shallow=b"shallow" in features)


def _version_0(lines: Iterator[bytes], branches: Collection[str]) -> tuple[_Server, Refs]:
    first, _, tail = next(lines, b"").partition(b"\0")
    capabilities = frozenset(tail.split())
    _check_format(capabilities)
    single = b"allow-reachable-sha1-in-want" in capabilities
    server = _Server(0, capabilities, partial=single and b"filter" in capabilities, shallow=b"shallow" in capabilities)
    head = next((line for line in capabilities if line.startswith(b"symref=HEAD:")), b"")
    refs = _refs(_chained(first, lines), branches)
    return server, replace(refs, head=_branch(head.removeprefix(b"symref=HEAD:")))


def _chained(first: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from lines


def _without_version(first: bytes, packets: Packets) -> Iterator[bytes]:
    """The refs of version 0; version 1 is the same after a line of its own."""
    if first and first != b"version 1":
        yield first
    if first:
        yield from packets.until_flush()


def _check_format(capabilities: frozenset[bytes]) -> None:
    if any(line.startswith(b"object-format=") and line != b"object-format=sha1" for line in capabilities):
        raise BadAnswerError("the repository uses SHA-256 object ids, which Keptn and prodeval do not read")


def _refs(lines: Iterator[bytes], branches: Collection[str]) -> Refs:
    """Read `<id> <ref> [symref-target:<ref>]`; keep what was asked for, since version 0 always lists all."""
    asked = {(_HEADS + name).encode() for name in branches if name}
    head, found = "", {}
    for line in lines:
        oid, _, rest = line.partition(b" ")
        name, *attributes = rest.split(b" ")
        if name == b"HEAD":
            head = next((_branch(item[14:]) for item in attributes if item.startswith(b"symref-target:")), "")
        elif (name in asked or "" in branches) and (branch := _branch(name)):
            found[branch] = _object_id(oid)
    return Refs(head, found)


def _branch(ref: bytes) -> str:
    """The name of a branch; empty if it is none, or one that Git itself would not make."""
    if not ref.startswith(_HEADS.encode()) or not check_ref_format(Ref(ref)):
        return ""
    return ref.decode("utf-8", "replace").removeprefix(_HEADS)


def _object_id(oid: bytes) -> str:
    if not _OBJECT_ID.fullmatch(oid):
        raise BadAnswerError("a ref without an object id")
    return oid.decode()


def _command(server: _Server, name: bytes, arguments: list[bytes]) -> bytes:
    head = [b"command=" + name + b"\n", AGENT]
    if b"object-format=sha1" in server.capabilities:
        head.append(b"object-format=sha1")
    return b"".join(map(pkt_line, head)) + _DELIMITER + b"".join(map(pkt_line, arguments)) + pkt_line(None)


def _fetch_2(server: _Server, wants: Collection[str], options: list[bytes]) -> bytes:
    lines = [b"no-progress", b"ofs-delta", *options, *(b"want " + oid.encode() for oid in sorted(wants)), b"done"]
    return _command(server, b"fetch", lines)


def _fetch_0(server: _Server, wants: Collection[str], options: list[bytes]) -> bytes:
    known = [b"side-band-64k", b"ofs-delta", b"no-progress"] + [b"filter"] * server.partial
    asked = b" ".join(name for name in known if name in server.capabilities)
    lines = [b"want " + oid.encode() + b"\n" for oid in sorted(wants)]
    lines[0] = lines[0].rstrip() + b" " + asked + b"\n"
    lines += options
    return b"".join(map(pkt_line, lines)) + pkt_line(None) + pkt_line(b"done\n")


def _pack_2(packets: Packets) -> Iterator[bytes]:
    """Skip the sections before the pack."""
    while (section := packets.one()) is not None and section.rstrip(b"\n") != b"packfile":
        if section.rstrip(b"\n") not in (b"shallow-info", b"acknowledgments"):
            raise BadAnswerError("a section that was not asked for")
        for _ in packets.until_flush():
            pass
    return Progress().demultiplexed(packets.until_flush_raw())


def _pack_0(packets: Packets, server: _Server) -> Iterator[bytes]:
    if server.shallow:
        for _ in packets.until_flush():
            pass
    answer = packets.one()
    if answer is None or not answer.startswith((b"NAK", b"ACK")):
        raise BadAnswerError("no NAK before the pack")
    if b"side-band-64k" in server.capabilities:
        return Progress().demultiplexed(packets.until_flush_raw())
    return packets.raw()
