"""Which files a resource wants beside its service, and which of them may be written."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from prodeval.domain.errors import DependencyNotReadyError
from prodeval.domain.paths import SLI, SLO
from prodeval.domain.resource import InlineFile

Ownership: TypeAlias = Literal["Write", "Hold", "Keep"]


@dataclass(frozen=True, slots=True)
class WantedFile:
    """One file, from one source.

    Attributes:
        path: relative to the service.
        origin: for people: stage/qa, configMap/name, inline.
        copied: from another stage, so that a file of somebody else is kept.
    """

    path: str
    content: bytes
    origin: str
    copied: bool = False


@dataclass(frozen=True, slots=True)
class ManagedFile:
    """One file as the stage holds it after a sync.

    Attributes:
        origin: `own`: somebody else's, kept as found.
        changed_at: when a sync last found or made it different from what an earlier one had left; None: never.
        previous: its digest until then; empty: none.
    """

    path: str
    sha256: str
    origin: str
    changed_at: datetime | None = None
    previous: str = ""


def sha256(content: bytes) -> str:
    """The digest of a file's bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def files_digest(files: Iterable[ManagedFile]) -> str:
    """One digest of all managed files: their paths and digests, in order of path."""
    lines = "".join(f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path))
    return "sha256:" + sha256(lines.encode())


def merge_sources(sources: Iterable[Iterable[WantedFile]]) -> tuple[WantedFile, ...]:
    """All files, sorted by path; later sources win."""
    merged = {file.path: file for source in sources for file in source}
    return tuple(merged[path] for path in sorted(merged))


def well_known_items(data: Mapping[str, bytes]) -> tuple[tuple[str, str], ...]:
    """Those keys of a ConfigMap that say by themselves which file they are, with its path."""
    return tuple((key, path) for key in sorted(data) if (path := _well_known_path(key)))


def config_map_files(name: str, items: Iterable[tuple[str, str]], data: Mapping[str, bytes]) -> tuple[WantedFile, ...]:
    """The files of a ConfigMap, by (key, path); raises DependencyNotReadyError if a key is not there yet."""
    wanted = tuple(items)
    missing = [key for key, _ in wanted if key not in data]
    if missing:
        raise DependencyNotReadyError(f"ConfigMap {name!r} has no key {missing[0]!r}")
    return tuple(WantedFile(path, data[key], f"configMap/{name}") for key, path in wanted)


def _well_known_path(key: str) -> str | None:
    if key == SLO:
        return SLO
    if key == "sli.yaml":
        return SLI
    return f"locust/{key}" if key.endswith(".py") or key == "locust.conf" else None


def inline_file(source: InlineFile) -> WantedFile:
    """The file of an inline source."""
    return WantedFile(source.path, source.content.encode(), "inline")


def ownership(wanted: WantedFile, found: bytes | None, written: Mapping[str, str]) -> Ownership:
    """Whether a file is to be written, is there already, or belongs to somebody else.

    `found` is what the stage holds; `written` the digests of what we wrote earlier, by path.
    """
    if found == wanted.content:
        return "Hold"
    if found is None or not wanted.copied or sha256(found) == written.get(wanted.path):
        return "Write"
    return "Keep"


def stage_files(
    stage: str, paths: Iterable[str], read: Callable[[str], bytes | None], *, named: bool
) -> tuple[WantedFile, ...]:
    """Copies of another stage's files; raises DependencyNotReadyError if one that was named is not there yet."""
    found = [(path, read(path)) for path in paths]
    missing = [path for path, content in found if content is None]
    if named and missing:
        raise DependencyNotReadyError(f"stage {stage!r} has no file {missing[0]!r} for the service; add it there first")
    origin = f"stage/{stage}"
    return tuple(WantedFile(path, content, origin, copied=True) for path, content in found if content is not None)
