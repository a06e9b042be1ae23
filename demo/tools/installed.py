"""Programs that are in PATH already, and whether the local world can use them.

Standard library only, as `build`.
"""

import functools
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, int]
"""Major and minor."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """How a program is asked for its version, and which ones are fit: from `oldest` on, and before `below`."""

    question: tuple[str, ...]
    oldest: Version
    below: Version

    def __str__(self) -> str:
        return f"{_dotted(self.oldest)} or later, before {_dotted(self.below)}"


@dataclass(frozen=True, slots=True)
class Installed:
    """A program in PATH; `unfit` says why it cannot be used, empty if it can."""

    path: Path
    version: Version | None
    unfit: str


def accepted(kubernetes: Version) -> dict[str, Accepted]:
    """Say which versions fit an API server of a version of Kubernetes, by program."""
    major, minor = kubernetes
    return {
        # What this version of Kubernetes is released with.
        "etcd": Accepted(("--version",), (3, 6), (4, 0)),
        "kube-apiserver": Accepted(("--version",), kubernetes, (major, minor + 1)),
        # Kubernetes' version skew policy: one minor version older or newer than the API server.
        "kubectl": Accepted(("version", "--client"), (major, minor - 1), (major, minor + 2)),
        # Prometheus 2 counts a sample at the left end of a range, too, so a window could hold one more.
        "prometheus": Accepted(("--version",), (3, 0), (4, 0)),
    }


def find(name: str, wanted: Accepted) -> Installed | None:
    """Look a program up in PATH, and run it to learn its version; None if there is none."""
    found = shutil.which(name)
    if found is None:
        return None
    # No link is followed: a program may look at the name that it is called by.
    path = Path(found).absolute()
    version = _version(path, wanted.question)
    return Installed(path, version, _unfit(version, wanted))


def _unfit(version: Version | None, wanted: Accepted) -> str:
    if version is None:
        return "does not tell its version"
    return "" if wanted.oldest <= version < wanted.below else f"is {_dotted(version)}, needed is {wanted}"


@functools.cache
def _version(path: Path, question: tuple[str, ...]) -> Version | None:
    try:
        ran = subprocess.run(
            [path, *question], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    said = re.search(r"\b(?:Kubernetes |[Vv]ersion:? )v?(\d+)\.(\d+)\.\d", ran.stdout) if ran.returncode == 0 else None
    return (int(said[1]), int(said[2])) if said else None


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
