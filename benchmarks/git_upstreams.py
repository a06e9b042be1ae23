"""Upstreams of three sizes: a tutorial project, one of 45 MB, and a monorepo of a few hundred."""

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from demo.gitserver import GitServer

SHIPYARD = b"apiVersion: spec.keptn.sh/0.2.2\nkind: Shipyard\n"
SERVICE = {
    "helloservice/metadata.yaml": b"servicename: helloservice\n",
    "helloservice/job/config.yaml": b"apiVersion: v2\n",
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much lies beside the service: this many files of this many random bytes, in directories of a hundred."""

    name: str
    files: int
    file_bytes: int


SIZES = (Size("small", 0, 0), Size("medium", 6_500, 7_000), Size("large", 50_000, 7_000))


def make(server: GitServer, size: Size) -> Path:
    """Make a Keptn project with a branch for each stage; all its branches hold the other files too."""
    folder = server.create(size.name)
    subprocess.run(["git", "-C", str(folder), "config", "pack.compression", "0"], check=True)
    importer = subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE)
    assert importer.stdin is not None
    for chunk in _stream(size):
        importer.stdin.write(chunk)
    importer.stdin.close()
    if importer.wait():
        raise SystemExit(f"could not make the {size.name} upstream")
    return folder


def _stream(size: Size) -> Iterator[bytes]:
    chance = random.Random(size.name)
    yield b"feature done\n"
    yield _commit("main", "")
    for number in range(size.files):
        yield _file(f"other/{number // 100:04}/{number:06}.bin", chance.randbytes(size.file_bytes))
    yield _file("shipyard.yaml", SHIPYARD)
    yield b"\n"
    for stage in ("qa", "production"):
        yield _commit(stage, "refs/heads/main")
        for path, content in SERVICE.items():
            yield _file(path, content)
        yield b"\n"
    yield b"done\n"


def _commit(branch: str, parent: str) -> bytes:
    head = f"commit refs/heads/{branch}\ncommitter Somebody <somebody@example.com> 1700000000 +0000\ndata 4\nmade\n"
    return (head + (f"from {parent}\n" if parent else "")).encode()


def _file(path: str, content: bytes) -> bytes:
    return f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n"
