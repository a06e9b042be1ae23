"""A real builder for the image, without a registry: `python -m tests.image.builder` sets it up.

Debian's buildah does what `docker build` does. The base that it is given holds a Debian with Python, as the
official image of Python does; debootstrap makes it from the mirror that this machine is set up with.
"""

import ast
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path

from demo.tools.build import cache

CONTEXT = Path(__file__).parents[2]
PROGRAMS = ("buildah", "debootstrap")
SUITE = "trixie"
"""The Debian of the base that the Dockerfile names, and with it Python's minor version."""

PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates"
_KEY = hashlib.sha256(f"{SUITE} {PACKAGES}".encode()).hexdigest()[:16]
BASE = f"localhost/prodeval-base:{_KEY}"


class BuilderError(Exception):
    """The builder cannot be had here, or did not do what it was told."""


def missing() -> str:
    """Say why no image can be built here; empty if one can."""
    absent = _unfit() or ", ".join(f"no {name}" for name in PROGRAMS if shutil.which(name) is None)
    return absent or ("" if _has_base() else "no base image")


def set_up() -> None:
    """Install the programs and make the base, whichever is missing.

    Raises:
        BuilderError: if this machine is unfit for it, or a step fails.
    """
    if reason := _unfit():
        raise BuilderError(reason)
    if not missing():
        return
    run("apt-get", "update", "--quiet")
    run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *PROGRAMS)
    if not _has_base():
        _make_base()


def _unfit() -> str:
    if platform.system() != "Linux" or platform.freedesktop_os_release().get("ID") != "debian":
        return "the builder comes from Debian, and this is another system"
    return "" if os.geteuid() == 0 else "the builder needs root: it changes the root folder"


def _has_base() -> bool:
    return bool(buildah("images", "--quiet", "--filter", f"reference={BASE}"))


def _make_base() -> None:
    with container("scratch") as (name, root):
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root), _mirror())
        # Packages and their lists are a third of it, and each step of a build copies the whole.
        for folder in ("var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(root / folder)
        buildah("commit", "--quiet", name, BASE)


def _mirror() -> str:
    """The address of Debian's main archive in this machine's own configuration."""
    filters = ("Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main")
    sites = run("apt-get", "indextargets", "--format", "$(SITE)", *filters).split()
    if not sites:
        raise BuilderError("apt is set up without a mirror of Debian's main archive")
    return sites[0]


def build(tag: str) -> None:
    """Build the image from this checkout; its pip reaches the index as that of this machine does.

    Raises:
        BuilderError: with all that the builder said.
    """
    with tempfile.TemporaryDirectory() as folder:
        volumes = [f"--volume={source}:{target}:ro" for source, target in _index_settings(Path(folder))]
        given = ["--pull-never", f"--build-arg=BASE={BASE}", *volumes]
        buildah("bud", *given, f"--tag={tag}", str(CONTEXT))


def _index_settings(folder: Path) -> Iterator[tuple[Path, str]]:
    """This machine's settings of pip as one file, and the files that they name; each with its place inside."""
    config = ConfigParser(interpolation=None)
    # Variables of the environment count most, so they come last.
    listed = run(sys.executable, "-m", "pip", "config", "list").splitlines()
    for line in sorted(listed, key=lambda line: line.startswith(":env:")):
        name, _, quoted = line.partition("=")
        section, _, key = name.replace(":env:", "global").partition(".")
        value = str(ast.literal_eval(quoted))
        config.read_dict({section: {key: value}})
        yield from ((Path(word), word) for word in value.split() if Path(word).is_absolute() and Path(word).exists())
    with (folder / "pip.conf").open("w") as file:
        config.write(file)
    yield folder / "pip.conf", "/etc/pip.conf"


@contextmanager
def container(image: str) -> Iterator[tuple[str, Path]]:
    """Give a container of an image, by name and root folder, for the length of a block."""
    name = buildah("from", "--pull-never", image).strip()
    try:
        yield name, Path(buildah("mount", name).strip())
    finally:
        buildah("rm", name)


def buildah(*arguments: str) -> str:
    """Run buildah and return what it wrote to standard output; BuilderError if it fails."""
    return run("buildah", *_storage(), *arguments)


def _storage() -> Sequence[str]:
    """A storage of our own, out of the way of the user's images; copies of files work on any file system."""
    folder = cache() / "image"
    return f"--root={folder}/storage", f"--runroot={folder}/run", "--storage-driver=vfs"


def run(*command: str) -> str:
    """Run a command and return what it wrote to standard output.

    Raises:
        BuilderError: if it fails, with all that it wrote.
    """
    environment = os.environ | {"BUILDAH_ISOLATION": "chroot", "DEBIAN_FRONTEND": "noninteractive"}
    ran = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise BuilderError(f"{' '.join(command)} failed:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def main() -> int:
    """Set up; exit code 1 if it fails. Where it cannot work the tests are left out, except in CI."""
    unfit = _unfit()
    if unfit and os.environ.get("CI") != "true":
        sys.stderr.write(f"the tests of the image are left out: {unfit}\n")
        return 0
    try:
        set_up()
    except BuilderError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
