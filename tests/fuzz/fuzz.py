"""Fuzz one parser: `python -m tests.fuzz.fuzz shipyard 600` runs for ten minutes.

Anything but the project's own errors, a signal, 2 s for one input or 200 MB more than at the start is a crash; the
input is left in tests/fuzz/corpus, where pytest finds it.
"""

import resource
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["prodeval"]):
    from tests.fuzz.targets import TARGETS, run

CORPUS = Path(__file__).with_name("corpus")
SECONDS, MEGABYTES = 2, 200


def _limit_memory() -> None:
    """Let everything beyond the limit end in a MemoryError; libFuzzer's own limit sees nothing of Python's memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEGABYTES * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Start libFuzzer; it ends the process."""
    name, duration = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "600"
    if name not in TARGETS:
        sys.exit(f"{name} is none of {', '.join(TARGETS)}")
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    _limit_memory()
    arguments = [
        f"-max_total_time={duration}",
        f"-timeout={SECONDS}",
        "-rss_limit_mb=0",
        "-max_len=16384",
        f"-artifact_prefix={folder}/",
        f"-dict={CORPUS / 'yaml.dict'}",
    ]
    # The first folder takes inputs that reach new code, so that the next run starts there; the corpus is only read.
    found = Path(tempfile.gettempdir(), "prodeval-fuzz", name)
    found.mkdir(parents=True, exist_ok=True)
    atheris.Setup([sys.argv[0], *arguments, str(found), str(folder)], lambda data: run(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
