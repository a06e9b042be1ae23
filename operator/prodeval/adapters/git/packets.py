"""Pkt-lines and sidebands, bounded: how both of Git's services talk."""

import logging
from collections.abc import Iterator

from dulwich.protocol import (
    SIDE_BAND_CHANNEL_DATA,
    SIDE_BAND_CHANNEL_FATAL,
    SIDE_BAND_CHANNEL_PROGRESS,
    PktLineParser,
    Protocol,
)

from prodeval.adapters.git.failures import BadAnswerError, ServerRefusalError
from prodeval.adapters.git.transport import Stream

logging.getLogger("dulwich.protocol").setLevel(logging.INFO)  # at DEBUG it logs packets, with whatever a server echoes

AGENT = b"agent=git/2.40-prodeval"
_MOST_PROGRESS = 1 << 14
_MOST_PACKETS = 400_000


class Packets:
    """One answer, read packet by packet, up to a number of bytes; `remedy` is what helps if it has more."""

    def __init__(self, stream: Stream, limit: int, remedy: str = "") -> None:
        self._stream, self._left, self._packets = stream, limit, 0
        self._too_large = f"the answer is larger than the {limit >> 20} MiB that prodeval reads{remedy}"
        self._protocol = Protocol(self._read, _write_nothing)

    def one(self) -> bytes | None:
        """The next packet without its newline; None for a flush or a delimiter. Raises ServerRefusalError for `ERR`."""
        packet = self._protocol.read_pkt_line()
        self._packets += 1
        if self._packets > _MOST_PACKETS:
            raise BadAnswerError(f"the answer has more than {_MOST_PACKETS} packets")
        if packet is None:
            return None
        if packet.startswith(b"ERR "):
            raise ServerRefusalError(packet[4:])
        return packet

    def first(self) -> bytes | None:
        """The first packet of an advertisement; smart HTTP may put a banner and a flush before it."""
        packet = self.one()
        if packet is not None and packet.startswith(b"# service="):
            self.one()
            packet = self.one()
        return packet

    def until_flush(self) -> Iterator[bytes]:
        """The packets of a section, without their newlines."""
        while (packet := self.one()) is not None:
            yield packet.rstrip(b"\n")

    def until_flush_raw(self) -> Iterator[bytes]:
        """The same with their newlines, as data has them."""
        while (packet := self.one()) is not None:
            yield packet

    def raw(self) -> Iterator[bytes]:
        """What follows without packets."""
        while chunk := self._read(1 << 16):
            yield chunk

    def end(self) -> None:
        """Expect nothing more; lets a connection be used again."""
        if self._stream.read(1):
            raise BadAnswerError("the server says more than the protocol allows")

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise BadAnswerError(self._too_large)
        return data


def _write_nothing(_: bytes) -> int:
    return 0


class Progress:
    """The words of a server on the second sideband, the last of them kept for a message."""

    def __init__(self) -> None:
        self.words = b""

    def demultiplexed(self, packets: Iterator[bytes]) -> Iterator[bytes]:
        """The data channel. Raises ServerRefusalError for the error channel."""
        for packet in packets:
            channel, data = packet[:1], packet[1:]
            if channel == bytes([SIDE_BAND_CHANNEL_DATA]):
                yield data
            elif channel == bytes([SIDE_BAND_CHANNEL_PROGRESS]):
                self.words = (self.words + data)[-_MOST_PROGRESS:]
            elif channel == bytes([SIDE_BAND_CHANNEL_FATAL]):
                raise ServerRefusalError(data)
            elif packet:
                raise BadAnswerError("a sideband that does not exist")


def packets_in(chunks: Iterator[bytes]) -> list[bytes]:
    """Pkt-lines that are themselves cut into chunks."""
    found: list[bytes | None] = []
    parser = PktLineParser(found.append)
    for chunk in chunks:
        parser.parse(chunk)
    return [packet.strip() for packet in found if packet]
