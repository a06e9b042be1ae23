"""How long it takes to bring two files to a Git upstream, against what people do today.

    python -m benchmarks.git [small] [medium] [large] [--quick]

Over HTTPS with a round trip of 20 ms. Prints a table for each upstream: median milliseconds, requests, kilobytes.
"""

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.git_engines import ENGINES, Engine, Upstream, Wanted
from benchmarks.git_upstreams import SIZES

ROOT = Path(__file__).parents[1]
MOST_RUNS = 9  # more would make the history so long that a clone takes longer
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of some runs."""

    milliseconds: float
    requests: float
    kilobytes: float

    def __str__(self) -> str:
        return f"{self.milliseconds:,.0f} ms, {self.requests:.0f} req, {self.kilobytes:,.0f} kB"


class Server:
    """The process of git_server.py."""

    def __init__(self, root: Path, names: list[str]) -> None:
        command = [sys.executable, "-m", "benchmarks.git_server", str(root), *names]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hello = self._line()

    def requests(self) -> list[tuple[str, int]]:
        """Path and bytes of each request since the last call."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return [(path, size) for path, size in self._line()]

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def fresh() -> bytes:
    """Content that was never written before."""
    return b"spec_version: '1.0'\ncomment: %d of %d\n" % (next(_numbers), time.time_ns())


def one() -> Wanted:
    """New content for one branch."""
    return Wanted(fresh())


def both() -> Wanted:
    """New content for both branches."""
    return Wanted(fresh(), fresh())


Case = Callable[[Engine], Callable[[], None]]
"""Prepares an engine; what it returns is measured."""


def no_change_warm(engine: Engine) -> Callable[[], None]:
    """All is there already, and the engine has just made it so."""
    wanted = both()
    engine.sync(wanted)
    return lambda: engine.sync(wanted)


def no_change_cold(engine: Engine) -> Callable[[], None]:
    """All is there already, which the engine has to find out."""
    wanted = both()
    engine.sync(wanted)
    engine.forget()
    return lambda: engine.sync(wanted)


def write_one_warm(engine: Engine) -> Callable[[], None]:
    """A second write to one branch."""
    engine.sync(one())
    return lambda: engine.sync(one())


def write_both_warm(engine: Engine) -> Callable[[], None]:
    """A second write to both branches."""
    engine.sync(both())
    return lambda: engine.sync(both())


def write_both_cold(engine: Engine) -> Callable[[], None]:
    """The first write of a process that has just started."""
    engine.forget()
    return lambda: engine.sync(both())


CASES: dict[str, Case] = {
    "no change, warm": no_change_warm,
    "write one branch, warm": write_one_warm,
    "write both, warm": write_both_warm,
    "no change, cold": no_change_cold,
    "write both, cold": write_both_cold,
}


def measure(server: Server, engine: Engine, case: Case, budget: float, most: int) -> Measured:
    """Run a case until its time is used up, once at least."""
    times, requests, sizes = list[float](), list[int](), list[int]()
    start = time.monotonic()
    while not times or (len(times) < most and time.monotonic() - start < budget):
        run = case(engine)
        server.requests()
        before = time.monotonic()
        run()
        times.append(time.monotonic() - before)
        seen = server.requests()
        requests.append(len(seen))
        sizes.append(sum(size for _, size in seen))
    return Measured(statistics.median(times) * 1000, statistics.median(requests), statistics.median(sizes) / 1000)


REMEMBER = """
import re, sys
from pathlib import Path
from typing import Any
from benchmarks.git_engines import Prodeval, Upstream, Wanted

engine = Prodeval(Upstream(*sys.argv[1:5]), Path("/"))
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
idle = peak()
engine.sync(Wanted(sys.argv[5].encode(), sys.argv[5].encode()))
print((peak() - idle) / 1024)
"""


def memory(upstream: Upstream) -> float:
    """Megabytes above idle at the peak of a cold write of both branches."""
    command = [sys.executable, "-c", REMEMBER, upstream.url, upstream.user, upstream.password, upstream.ca_file]
    done = subprocess.run([*command, fresh().decode()], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Measure the upstreams named in the arguments, else all."""
    quick = "--quick" in sys.argv
    names = [size.name for size in SIZES if size.name in sys.argv] or [size.name for size in SIZES]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "server", names)
        try:
            for name in names:
                report(server, name, Path(folder), 1.0 if quick else 12.0)
        finally:
            server.close()


def report(server: Server, name: str, folder: Path, budget: float) -> None:
    """Print the table of one upstream."""
    hello = server.hello
    upstream = Upstream(f"{hello['url']}/{name}.git", hello["user"], hello["password"], hello["ca"])
    print(f"\n| {name} | " + " | ".join(ENGINES) + " |\n|---|" + "---|" * len(ENGINES))
    engines = {}
    for label, make in ENGINES.items():
        place = folder / f"{name}-{label.replace(' ', '-')}"
        place.mkdir()
        engines[label] = make(upstream, place)
    for title, case in CASES.items():
        found = [measure(server, engine, case, budget, MOST_RUNS) for engine in engines.values()]
        print(f"| {title} | " + " | ".join(map(str, found)) + " |", flush=True)
    print(f"\nMemory above idle for prodeval's cold write: {memory(upstream):.0f} MB", flush=True)


if __name__ == "__main__":
    main()
