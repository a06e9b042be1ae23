"""Which files prodeval may write beside a service, and where Keptn keeps them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

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
    return path == SLO or (fnmatchcase(path, "?*/sli.yaml") and path.count("/") == 1) or path.startswith("locust/")


def check_path(path: str, writable: Sequence[str] = ()) -> None:
    """Refuse a path that leaves the service's directory or that prodeval may not write.

    `writable` are the globs that the operator's config adds. Raises InvalidSpecError.
    """
    if len(path) > MAX_LENGTH or not _PATH.fullmatch(path):
        raise InvalidSpecError(
            f"spec.files: {path[:MAX_LENGTH]!r} is not a path below the service; "
            f"use letters, digits, '_', '-', '.' and '/', no '..', no leading '.', at most {MAX_LENGTH} characters"
        )
    if path in _NEVER or not (is_well_known(path) or any(fnmatchcase(path, glob) for glob in writable)):
        raise InvalidSpecError(
            f"spec.files: {path!r} may not be written; allowed are slo.yaml, <provider>/sli.yaml and locust/**, "
            "and what `writablePaths` in the operator's config adds"
        )
