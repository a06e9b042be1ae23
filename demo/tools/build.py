"""Build the programs of the local world: `python -m demo.tools.build`.

Standard library only: it runs before anything is installed. The programs go to
`$XDG_CACHE_HOME/prodeval/tools/<key>`, where the key is a digest of everything
they are built from, so a second run does nothing.

A program in PATH is used instead of built if its version is fit (`installed` says which are).
`KUBEBUILDER_ASSETS`, if set, names a folder with etcd, kube-apiserver and kubectl
that are used in any case.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.tools import installed

SOURCES = Path(__file__).resolve().parent
FLAGS = ("-trimpath", "-buildvcs=false", "-tags=remove_all_sd")
"""remove_all_sd leaves out Prometheus' service discovery, half of its size and most of its dependencies."""

REPORT_INTERVAL = 20.0
"""Seconds between two lines of progress where the output is no terminal."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program to build: its Go package and what else the Go linker is told."""

    name: str
    package: str
    linker_flags: str = ""
    in_assets: bool = False
    """Whether a folder named by KUBEBUILDER_ASSETS has it."""


def _kubernetes() -> re.Match[str]:
    """Find Kubernetes' version in go.mod: whole, major and minor."""
    found = re.search(r"^\tk8s\.io/kubernetes (v(\d+)\.(\d+)\S+)", (SOURCES / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{SOURCES / 'go.mod'}: no line for k8s.io/kubernetes")
    return found


def _kubernetes_version() -> str:
    """Give the linker flags that stamp Kubernetes' own version, as its release scripts do."""
    found = _kubernetes()
    stamps = {"gitVersion": found[1], "gitMajor": found[2], "gitMinor": found[3], "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(f"-X {package}.{name}={value}" for package in packages for name, value in stamps.items())


def programs() -> tuple[Program, ...]:
    """List the programs, the quick and the most needed first."""
    version = _kubernetes_version()
    return (
        Program("kstatus", "./kstatus"),
        Program("keptn-decode", "./keptn-decode"),
        Program("etcd", "go.etcd.io/etcd/server/v3", in_assets=True),
        Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", version, in_assets=True),
        Program("kubectl", "k8s.io/kubernetes/cmd/kubectl", version, in_assets=True),
        Program("prometheus", "github.com/prometheus/prometheus/cmd/prometheus"),
    )


def cache() -> Path:
    """Return the folder of all that is built once per user; it need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "prodeval"


def _assets() -> Path | None:
    named = os.environ.get("KUBEBUILDER_ASSETS")
    return Path(named).resolve() if named else None


def _in_path() -> dict[str, installed.Installed]:
    """Look up in PATH what need not be built, fit or not, by name; not what KUBEBUILDER_ASSETS names."""
    wanted = installed.accepted((int(_kubernetes()[2]), int(_kubernetes()[3])))
    open_ = [one.name for one in programs() if one.name in wanted and not (_assets() and one.in_assets)]
    found = {name: installed.find(name, wanted[name]) for name in open_}
    return {name: program for name, program in found.items() if program is not None}


def directory() -> Path:
    """Return the folder that holds all programs once they are built; it need not exist.

    A program of PATH has its part in the key: with another version, or without it, the folder is another one.
    """
    digest = hashlib.sha256(repr((_assets(), programs(), FLAGS)).encode())
    for name, program in _in_path().items():
        if not program.unfit:
            digest.update(repr((name, str(program.path), program.version)).encode())
    for source in sorted([SOURCES / "go.mod", SOURCES / "go.sum", *SOURCES.glob("*/*.go")]):
        digest.update(source.read_bytes())
    return cache() / "tools" / digest.hexdigest()[:16]


def missing() -> tuple[str, ...]:
    """Return the names of the programs that are not there yet; a link to what is gone counts as none."""
    folder = directory()
    return tuple(program.name for program in programs() if not (folder / program.name).exists())


def build() -> Path:
    """Build what is missing, one build at a time per user, and return the folder.

    Raises:
        RuntimeError: if Go cannot be had, or a program cannot be built.
    """
    folder = directory()
    with _lock(cache() / "lock"):
        absent = missing()
        if absent:
            folder.mkdir(parents=True, exist_ok=True)
            _provide([program for program in programs() if program.name in absent], folder)
    return folder


def _provide(wanted: Sequence[Program], folder: Path) -> None:
    there = {program.name: _ready(program) for program in wanted}
    for name, source in there.items():
        if source is not None:
            _link(source, folder / name)
    rest = [program for program in wanted if there[program.name] is None]
    if rest:
        _say(f"building {', '.join(one.name for one in rest)}: some ten minutes and 5 GB of caches the first time")
        go = _go()
        for program in rest:
            _compile(go, program, folder / program.name)


def _ready(program: Program) -> Path | None:
    """Return where a program is that need not be built, and say why one in PATH is used or not."""
    assets, found = _assets(), _in_path().get(program.name)
    if assets is not None and program.in_assets:
        return _executable(assets / program.name)
    if found is None:
        return None
    _say(f"{program.name}: {found.path} {found.unfit or 'is fit'}; it is {'not ' if found.unfit else ''}used")
    return None if found.unfit else found.path


def _executable(path: Path) -> Path:
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"KUBEBUILDER_ASSETS names a folder without the program {path}: add it, or unset it")
    return path


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.symlink_to(source)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another build is running, waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _go() -> str:
    """Return a Go that is new enough: the one in PATH, else one installed into the cache."""
    required = re.search(r"^go (\d+)\.(\d+)", (SOURCES / "go.mod").read_text(), re.MULTILINE)
    if required is None:
        raise RuntimeError(f"{SOURCES / 'go.mod'}: no line with the version of Go")
    wanted = (int(required[1]), int(required[2]))
    here = shutil.which("go")
    if here and _version(here) >= wanted:
        return here
    return str(_install_go())


def _version(go: str) -> tuple[int, int]:
    answer = subprocess.run([go, "env", "GOVERSION"], env=_environment(), capture_output=True, text=True, check=False)
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _install_go() -> Path:
    requirements = SOURCES / "requirements.txt"
    venv = cache() / f"go-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]}"
    done = venv / "installed"
    if not done.exists():
        _say("no Go in PATH is new enough, installing one into the cache")
        _check([sys.executable, "-m", "venv", "--clear", str(venv)])
        pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        _check([*pip, "--require-hashes", "--requirement", str(requirements)])
        done.touch()
    return venv / "bin" / "go"


def _check(command: Sequence[str]) -> None:
    if subprocess.run(command, check=False).returncode:
        raise RuntimeError(f"installing Go failed: {' '.join(command)}; or put a newer Go into PATH")


def _environment() -> dict[str, str]:
    return os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}


def _compile(go: str, program: Program, target: Path) -> None:
    """Build into a temporary folder beside the target, then rename: a killed build leaves no half program."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as folder:
        made = Path(folder) / program.name
        linker = f"-ldflags=-s -w {program.linker_flags}"
        command = [go, "build", "-v", *FLAGS, linker, "-o", str(made), program.package]
        with subprocess.Popen(
            command, cwd=SOURCES, env=_environment(), stderr=subprocess.PIPE, text=True, errors="replace"
        ) as running:
            said = _follow(program.name, running.stderr or ())
        if running.returncode:
            raise RuntimeError(f"building {program.name} failed:\n" + "\n".join(said[-20:]))
        made.replace(target)


def _follow(name: str, lines: Iterator[str] | Sequence[str]) -> list[str]:
    """Show what `go build -v` says, one line per package or download, as progress; return all of it."""
    said: list[str] = []
    started = reported = time.monotonic()
    _say(f"{name}: building")
    for line in lines:
        said.append(line.rstrip())
        now = time.monotonic()
        if sys.stderr.isatty() or now - reported > REPORT_INTERVAL:
            reported = now
            _say(f"{name}: {len(said)} steps, {now - started:.0f} s: {said[-1]}", passing=True)
    _say(f"{name}: {time.monotonic() - started:.0f} s")
    return said


def _say(text: str, *, passing: bool = False) -> None:
    """Print one line; on a terminal the next one overwrites a passing one."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\x1b[K{text[:width]}" + ("" if passing else "\n"))
    else:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> int:
    """Build, and print the folder; exit code 1 with the reason if it cannot be done, 130 if interrupted."""
    try:
        folder = build()
    except RuntimeError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
