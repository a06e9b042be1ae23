"""What a hostile Git server may answer. The repository's name chooses the attack; each is a server's side of HTTP."""

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import chain as chain_of

from dulwich.protocol import pkt_line, pkt_seq

from tests.adapters.git.httpserver import Handler, Seen

TIP = "a" * 40
CAPABILITIES = (b"version 2\n", b"agent=evil\n", b"ls-refs=unborn\n", b"fetch=shallow filter\n")
REFS = pkt_seq(f"{TIP} HEAD symref-target:refs/heads/main\n".encode(), f"{TIP} refs/heads/main\n".encode())
BANNER = b"\x1b]0;owned\x07\x1b[31mred\x1b[0m\x00\x07\xe2\x80\xae " + b"A" * 100_000


def varint(number: int) -> bytes:
    digits = []
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*digits, number])


def entry(kind: int, declared: int, content: bytes, base: bytes = b"") -> bytes:
    """An object in a pack, with any size in its header."""
    head = [(kind << 4) | (declared & 15)]
    declared >>= 4
    while declared:
        head[-1] |= 0x80
        head.append(declared & 0x7F)
        declared >>= 7
    return bytes(head) + base + zlib.compress(content, 9)


def pack(*entries: bytes, count: int | None = None) -> bytes:
    body = b"PACK" + struct.pack(">LL", 2, len(entries) if count is None else count) + b"".join(entries)
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def whole(kind: int, content: bytes) -> bytes:
    return entry(kind, len(content), content)


def growing_delta(base_size: int, result_size: int) -> bytes:
    """A delta of a few bytes that copies the start of its base again and again."""
    chunk = min(base_size, 0xFFFF)
    copies, rest = divmod(result_size, chunk)
    copy = b"\xb0" + struct.pack("<H", chunk)
    last = b"\xb0" + struct.pack("<H", rest) if rest else b""
    return varint(base_size) + varint(result_size) + copy * copies + last


def chain(length: int) -> bytes:
    """Each object a delta of the one before it."""
    entries = [whole(3, b"x")]
    for _ in range(length):
        delta = varint(1) + varint(1) + b"\x90\x01"
        entries.append(entry(6, len(delta), delta, bytes([len(entries[-1])])))
    return pack(*entries)


def many_bombs() -> bytes:
    """Each within the limit for one object, together far too much."""
    return pack(*[whole(3, bytes(16 << 20))] * 200)


def delta_bombs() -> bytes:
    base = whole(3, bytes(60_000))
    deltas, distance = [], len(base)
    for _ in range(200):
        delta = growing_delta(60_000, 16 << 20)
        made = entry(
            7, len(delta), delta, hashlib.sha1(b"blob 60000\0" + bytes(60_000), usedforsecurity=False).digest()
        )
        deltas.append(made)
        distance += len(made)
    return pack(base, *deltas)


def branching_deltas() -> bytes:
    """A chain of large objects; beside each next one stands a small delta that still needs it."""
    size, entries, place = 16 << 20, [whole(3, bytes(16 << 20))], 12
    for _ in range(20):
        small, large = growing_delta(size, 1), growing_delta(size, size - 1)
        behind = place + len(entries[-1])
        beside = entry(6, len(small), small, distance(behind - place))
        entries += [beside, entry(6, len(large), large, distance(behind + len(beside) - place))]
        size, place = size - 1, behind + len(beside)
    return pack(*entries)


def distance(number: int) -> bytes:
    """How far a base stands before its delta."""
    digits = [number & 0x7F]
    while number := number >> 7:
        number -= 1
        digits.insert(0, 0x80 | (number & 0x7F))
    return bytes(digits)


def tree_bomb(depth: int = 40, width: int = 10) -> tuple[str, bytes]:
    """A commit whose tree names one subtree ten times, which names one subtree ten times, and so on."""
    objects, content, mode = [], b"", b"100644"
    oid = hashlib.sha1(b"blob 0\0", usedforsecurity=False).digest()
    objects.append(whole(3, b""))
    for _ in range(depth):
        content = b"".join(mode + b" %02d\0" % number + oid for number in range(width))
        oid = hashlib.sha1(b"tree %d\0" % len(content) + content, usedforsecurity=False).digest()
        objects.append(whole(2, content))
        mode = b"40000"
    person = b"x <x@x> 0 +0000"
    commit = b"tree " + oid.hex().encode() + b"\nauthor " + person + b"\ncommitter " + person + b"\n\nx\n"
    tip = hashlib.sha1(b"commit %d\0" % len(commit) + commit, usedforsecurity=False).hexdigest()
    return tip, pack(whole(1, commit), *objects)


PACKS: dict[str, Callable[[], bytes]] = {
    "declares-sixteen-terabytes": lambda: pack(entry(3, 1 << 44, b"x")),
    "inflates-to-more-than-it-says": lambda: pack(entry(3, 10, bytes(1 << 26))),
    "many-large-objects": many_bombs,
    "deltas-that-grow": delta_bombs,
    "deltas-that-branch": branching_deltas,
    "a-chain-of-deltas": lambda: chain(5_000),
    "four-billion-objects": lambda: pack(whole(3, b"x"), count=0xFFFFFFFF),
    "a-wrong-checksum": lambda: pack(whole(3, b"x"))[:-1] + b"!",
    "more-than-its-objects": lambda: pack(whole(3, b"x"), b"rest", count=1),
    "cut-short": lambda: pack(whole(3, b"x"), count=2),
    "a-delta-of-itself": lambda: pack(entry(6, 4, b"\1\1\x90\1", b"\0")),
    "a-delta-from-before-the-pack": lambda: pack(entry(6, 4, b"\1\1\x90\1", b"\x81\x81\x81\1")),
    "a-delta-without-base": lambda: pack(entry(7, 4, b"\1\1\x90\1", b"b" * 20)),
    "a-delta-that-does-not-fit": lambda: pack(whole(3, b"x"), entry(6, 6, b"\1\5\xb0\xff\xff\0", bytes([10]))),
    "no-known-type": lambda: pack(entry(5, 1, b"x")),
    "no-zlib": lambda: pack(b"\x31" + b"garbage!" * 4),
    "no-pack": lambda: b"JUNK" * 100,
    "not-what-was-asked-for": lambda: pack(whole(3, b"x")),
}


def endless(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


def sideband(data: bytes, channel: int = 1) -> bytes:
    return b"".join(pkt_line(bytes([channel]) + data[at : at + 60_000]) for at in range(0, len(data), 60_000))


def fetch_answer(data: bytes) -> Iterator[bytes]:
    yield pkt_line(b"packfile\n")
    for at in range(0, len(data), 60_000):
        yield pkt_line(b"\1" + data[at : at + 60_000])
    yield b"0000"


def advertised(*lines: bytes) -> Iterator[bytes]:
    yield pkt_seq(*lines)


ADVERTISEMENTS: dict[str, Callable[[], Iterator[bytes]]] = {
    "endless-capabilities": lambda: endless(pkt_line(b"x" * 60_000)),
    "endless-empty-packets": lambda: endless(b"0004" * 10_000),
    "endless-refs-of-version-0": lambda: endless(pkt_line(b"a" * 40 + b" refs/heads/x\0 caps\n") * 100),
    "a-length-that-is-none": lambda: iter([b"-fff" + b"x" * 100]),
    "a-length-of-three": lambda: iter([b"0003"]),
    "a-length-too-far": lambda: iter([b"fff0short"]),
    "an-error-in-colour": lambda: iter([pkt_line(b"ERR " + BANNER[:60_000])]),
    "a-ref-without-an-id": lambda: advertised(b"Z" * 40 + b" refs/heads/main\0 side-band-64k\n"),
    "packed-with-gzip": lambda: iter([zlib.compress(bytes(1 << 26), 9)]),
    "nothing-at-all": lambda: iter([b""]),
}

LISTINGS: dict[str, Callable[[], Iterator[bytes]]] = {
    "endless-listing": lambda: endless(pkt_line(b"a" * 40 + b" refs/heads/main\n") * 1000),
    "endless-empty-listing": lambda: endless(b"0004" * 10_000),
    "an-unborn-head-with-a-strange-name": lambda: advertised(b"unborn HEAD symref-target:refs/heads/a\x1b[31m\nb\n"),
    "more-than-a-listing": lambda: iter([REFS, b"0008more"]),
}

FETCHES: dict[str, Callable[[], Iterator[bytes]]] = {
    "another-servers-pack": lambda: iter(
        [pkt_line(b"packfile-uris\n"), pkt_line(b"b" * 40 + b" https://127.0.0.1:1/evil.pack\n"), b"0001"]
    ),
    "a-fatal-word": lambda: iter([pkt_line(b"packfile\n"), sideband(BANNER[:60_000], 3), b"0000"]),
    "a-sideband-that-does-not-exist": lambda: iter([pkt_line(b"packfile\n"), sideband(b"x", 7), b"0000"]),
    "endless-progress": lambda: chain_of([pkt_line(b"packfile\n")], endless(sideband(BANNER[:60_000], 2))),
    "an-endless-pack": lambda: chain_of([pkt_line(b"packfile\n")], endless(sideband(b"P" * 60_000))),
}


ALL = [*PACKS, *ADVERTISEMENTS, *LISTINGS, *FETCHES, "a-tree-bomb"]


def answer(handler: Handler, seen: Seen) -> bool:
    """Play the attack that the first part of the path names."""
    name = seen.path.split("/")[1].removesuffix(".git")
    if name not in ALL:
        return False
    if seen.method == "GET":
        chunks = ADVERTISEMENTS.get(name, lambda: advertised(*CAPABILITIES))()
        _send(handler, "advertisement", chunks)
    elif b"command=ls-refs" in seen.body:
        refs = REFS.replace(TIP.encode(), tree_bomb()[0].encode()) if name == "a-tree-bomb" else REFS
        _send(handler, "result", LISTINGS.get(name, lambda: iter([refs]))())
    elif name in FETCHES:
        _send(handler, "result", FETCHES[name]())
    else:
        _send(handler, "result", fetch_answer(tree_bomb()[1] if name == "a-tree-bomb" else PACKS[name]()))
    return True


def _send(handler: Handler, kind: str, chunks: Iterator[bytes]) -> None:
    """Without a length, so that it may be endless."""
    handler.close_connection = True
    handler.send_response(200)
    handler.send_header("Content-Type", f"application/x-git-upload-pack-{kind}")
    handler.end_headers()
    try:
        for chunk in chunks:
            handler.wfile.write(chunk)
    except OSError:
        return  # the client has seen enough
