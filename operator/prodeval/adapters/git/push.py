"""The writing half of Git's protocol (receive-pack): move branches forward, and say what became of each.

Sources: gitprotocol-pack(5), "Pushing Data To a Server"; gitprotocol-capabilities(5).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dulwich.object_format import SHA1
from dulwich.objects import Blob, Commit, ShaFile, Tree
from dulwich.pack import UnpackedObject, full_unpacked_object, write_pack_data
from dulwich.protocol import pkt_line

from prodeval.adapters.git.failures import LostAnswerError, clean, mask_of, translated
from prodeval.adapters.git.packets import AGENT, Packets, Progress, packets_in
from prodeval.adapters.git.packs import Raw
from prodeval.adapters.git.transport import Service, Transport
from prodeval.domain.errors import AccessDeniedError, GitOperationFailedError
from prodeval.domain.masking import Mask

_MOST_ADVERTISED_BYTES = 64 << 20
_MOST_REPORTED_BYTES = 4 << 20
_HEADS = "refs/heads/"
_TYPES = {kind.type_name: kind.type_num for kind in (Commit, Tree, Blob)}
_ASKED = (b"report-status", b"side-band-64k", b"atomic", b"quiet", b"object-format=sha1")


@dataclass(frozen=True, slots=True)
class Update:
    """A branch to move from the commit that was read to ours."""

    branch: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the server says became of a push.

    Attributes:
        accepted: the branches that moved.
        refused: the reason for each that did not, in the server's words.
        words: what else the server said, as hooks do.
    """

    accepted: frozenset[str]
    refused: Mapping[str, str]
    words: str


class ReceivePack:
    """Writes to one upstream; remembers what its server can do, so that the next push is one request over HTTP."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._capabilities: frozenset[bytes] | None = None
        self._listening = False

    def is_atomic(self) -> bool:
        """Whether the server moves all branches of a push or none; one request if it is not known yet."""
        return b"atomic" in self._known()

    def push(self, updates: Iterable[Update], objects: Mapping[str, Raw]) -> Report:
        """Push, once: whoever calls again has to read first.

        Raises AccessDeniedError; LostAnswerError if the outcome is unknown.
        """
        capabilities = self._known()
        wanted = tuple(updates)
        request = _commands(wanted, capabilities) + _packed(objects.values())
        try:
            with translated(self._transport, "push"):
                return self._sent(request, wanted, capabilities)
        except AccessDeniedError:
            self._capabilities = None
            raise
        except GitOperationFailedError as error:
            self._capabilities = None
            raise LostAnswerError(str(error), retry_after=error.retry_after) from error

    def _known(self) -> frozenset[bytes]:
        """The server's capabilities; SSH has to hear them in each conversation."""
        if self._capabilities is None or not (self._transport.stateless or self._listening):
            with translated(self._transport, "ask for permission to push"):
                self._capabilities = self._advertised()
            self._listening = True
        return self._capabilities

    def _advertised(self) -> frozenset[bytes]:
        packets = Packets(self._transport.advertisement(Service.WRITE), _MOST_ADVERTISED_BYTES)
        first = packets.first() or b""
        for _ in packets.until_flush() if first else ():
            pass
        return frozenset(first.partition(b"\0")[2].split())

    def _sent(self, request: bytes, updates: tuple[Update, ...], capabilities: frozenset[bytes]) -> Report:
        self._listening = False
        packets = Packets(self._transport.send(Service.WRITE, request), _MOST_REPORTED_BYTES)
        progress = Progress()
        if b"side-band-64k" in capabilities:
            lines = packets_in(progress.demultiplexed(packets.until_flush_raw()))
        else:
            lines = list(packets.until_flush())
        self._transport.hang_up()
        return _report(lines, updates, progress.words, mask_of(self._transport.credentials))


def _commands(updates: tuple[Update, ...], capabilities: frozenset[bytes]) -> bytes:
    lines = [f"{one.old} {one.new} {_HEADS}{one.branch}".encode() for one in updates]
    lines[0] += b"\0 " + b" ".join([*(name for name in _ASKED if name in capabilities), AGENT])
    return b"".join(map(pkt_line, lines)) + pkt_line(None)


def _packed(objects: Iterable[Raw]) -> bytes:
    chunks: list[bytes] = []
    records = [_unpacked(raw) for raw in objects]
    write_pack_data(chunks.append, iter(records), SHA1, num_records=len(records))
    return b"".join(chunks)


def _unpacked(raw: Raw) -> UnpackedObject:
    return full_unpacked_object(ShaFile.from_raw_string(_TYPES[raw.kind], raw.data))


def _report(lines: list[bytes], updates: tuple[Update, ...], words: bytes, mask: Mask) -> Report:
    """Read each line: `unpack ok` says nothing about the refs. Raises GitOperationFailedError if there is no report."""
    if not lines or not lines[0].startswith(b"unpack "):
        raise GitOperationFailedError("the server does not say what became of the push")
    said = clean(words, mask)
    if lines[0] != b"unpack ok":
        raise GitOperationFailedError(
            f"the server could not unpack the push: {clean(lines[0][7:], mask)} {said}".strip()
        )
    accepted = {line[3:].decode("utf-8", "replace") for line in lines if line.startswith(b"ok ")}
    refused = {}
    for line in lines:
        if line.startswith(b"ng "):
            ref, _, reason = line[3:].partition(b" ")
            refused[ref.decode("utf-8", "replace")] = clean(reason, mask)
    names = {_HEADS + one.branch: one.branch for one in updates}
    if set(names) - accepted - set(refused):
        raise GitOperationFailedError("the server does not say what became of a branch")
    return Report(
        frozenset(branch for ref, branch in names.items() if ref in accepted and ref not in refused),
        {branch: refused[ref] for ref, branch in names.items() if ref in refused},
        said,
    )
