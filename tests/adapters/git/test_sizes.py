"""An upstream of 45 MB: little of it travels, and what must travel stays within bounds."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodeval.adapters.git import Repositories
from tests.adapters.git.conftest import TOKEN, https
from tests.adapters.git.httpserver import serving
from tests.adapters.git.plans import BOTH, SLO_PATH, gate
from tests.adapters.git.upstreams import Upstream, empty

FILES, FILE_BYTES = 1_500, 30_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Upstream:
    upstream = empty(tmp_path_factory.mktemp("large") / "fulltour.git")
    upstream.config("pack.compression", "0")
    stream = b"".join(history())
    subprocess.run(["git", "-C", str(upstream.path), "fast-import", "--quiet"], input=stream, check=True)
    return upstream


def history() -> Iterator[bytes]:
    """A default branch with many files, and a stage beside it, for `git fast-import`."""
    chance = random.Random(0)
    yield b"commit refs/heads/main\ncommitter x <x@example.com> 1700000000 +0000\ndata 4\nmade\n"
    for number in range(FILES):
        yield f"M 100644 inline other/{number // 50}/{number}.bin\ndata {FILE_BYTES}\n".encode()
        yield chance.randbytes(FILE_BYTES) + b"\n"
    yield b"\ncommit refs/heads/production\ncommitter x <x@example.com> 1700000000 +0000\ndata 4\nmade\n"
    yield b"from refs/heads/main\nM 100644 inline helloservice/metadata.yaml\ndata 1\nx\n\n"


@pytest.mark.parametrize(("leaves_out", "most"), [(True, 200_000), (False, 48 << 20)])
def test_a_write_to_a_large_upstream_changes_our_files_alone(
    large: Upstream, repositories: Repositories, leaves_out: bool, most: int
) -> None:
    large.config("uploadpack.allowFilter", str(leaves_out).lower())
    before = large.tip("main"), large.tip("production")
    content = f"slo of {leaves_out}".encode()
    with serving(large.path.parent, user="bot", token=TOKEN) as server:
        repositories.open("fulltour", https(server.url("fulltour.git"))).write(BOTH, gate(content))
        assert sum(len(one.answer) for one in server.log) < most
    assert [line[2:] for line in large.changed(before[0], "main")] == ["shipyard.yaml"]
    assert [line[2:] for line in large.changed(before[1], "production")] == [SLO_PATH]
    assert large.show("production", SLO_PATH) == content
    assert large.fsck() == ""


def test_the_upstream_is_as_large_as_it_says(large: Upstream) -> None:
    packs = sum(pack.stat().st_size for pack in Path(large.path, "objects", "pack").glob("*.pack"))
    assert packs > 45_000_000
