"""Which files prodeval may write beside a service, and where Keptn keeps them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from prodeval.domain.errors import InvalidSpecError

MAX_LENGTH = 255
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*"
PATH_PATTERN = rf"{_SEGMENT}(/{_SEGMENT})*"
"""A path below a service; the same as in the CRD."""

_PATH = re.compile(PATH_PATTERN)

SLO = "slo.yaml"
SLI = "prometheus/sli.yaml"
SHIPYARD = "shipyard.yaml"
METADATA = "metadata.yaml"
JOB_CONFIG = "job/config.yaml"
_NEVER = frozenset({METADATA})
_BY_NAME_ONLY = frozenset({JOB_CONFIG})
"""It chooses images, service accounts and Secrets in the job executor: no wildcard opens it by accident."""

_WILDCARD = re.compile(r"\*\*/|\*\*|\*|\?")
_MEANINGS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_GLOB = re.compile(r"[A-Za-z0-9_.*?/-]+")


class Layout(Enum):
    """Where Keptn keeps stages: a branch for each, or a directory for each on the default branch."""

    BRANCH = "Branch"
    DIRECTORY = "Directory"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the resources of a stage stand.

    Attributes:
        branch: the branch that holds the stage.
        root: the prefix of the stage on it; empty, or with a final slash.
    """

    branch: str
    root: str

    def of(self, service: str, path: str = "") -> str:
        """The path of a service's file from the root of the branch."""
        return f"{self.root}{service}/{path}"


def place(layout: Layout, stage: str, default_branch: str) -> Place:
    """Where a stage stands in a layout."""
    if layout is Layout.BRANCH:
        return Place(stage, "")
    return Place(default_branch, stage_directory(stage) + "/")


def stage_directory(stage: str) -> str:
    """The directory of a stage in the directory layout."""
    return f".keptn-stages/{stage}"


def is_well_known(path: str) -> bool:
    """Whether a file is one that is copied or written without being named: slo.yaml, <provider>/sli.yaml, locust/**."""
    return path == SLO or _matches(path, "?*/sli.yaml") or path.startswith("locust/")


def is_plain_path(path: str) -> bool:
    """Whether a path stays below the service whatever reads it, and is one that the CRD lets in."""
    return len(path) <= MAX_LENGTH and _PATH.fullmatch(path) is not None


def is_writable_glob(glob: str) -> bool:
    """Whether a glob of the operator's config is one: a path with `*`, `?` and `**`."""
    return _GLOB.fullmatch(glob) is not None and is_plain_path(_WILDCARD.sub("x", glob))


def _is_opened(path: str, globs: Sequence[str]) -> bool:
    return path in globs or (path not in _BY_NAME_ONLY and any(_matches(path, glob) for glob in globs))


def _matches(path: str, glob: str) -> bool:
    return _pattern(glob).fullmatch(path) is not None


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    """`*` and `?` stay within a directory; `**` crosses directories, `**/` also none."""
    parts = zip([*_WILDCARD.split(glob)], [*_WILDCARD.findall(glob), ""], strict=True)
    return re.compile("".join(re.escape(text) + _MEANINGS.get(wildcard, "") for text, wildcard in parts))


def check_path(path: str, writable: Sequence[str] = ()) -> None:
    """Refuse a path that leaves the service's directory or that prodeval may not write.

    `writable` are the globs that the operator's config adds; one opens job/config.yaml only if it is that name.
    Raises InvalidSpecError.
    """
    if not is_plain_path(path):
        raise InvalidSpecError(
            f"spec.files: {path[:MAX_LENGTH]!r} is not a path below the service; "
            f"use letters, digits, '_', '-', '.' and '/', no '..', no leading '.', at most {MAX_LENGTH} characters"
        )
    if path in _NEVER or not (is_well_known(path) or _is_opened(path, writable)):
        raise InvalidSpecError(
            f"spec.files: {path!r} may not be written; allowed are slo.yaml, <provider>/sli.yaml and locust/**, "
            "and what `writablePaths` in the operator's config adds"
        )
