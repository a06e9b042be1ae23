"""Resources as release 0.1.0 left them, each with what the next release meets: Git, Keptn, the namespace."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

DIRECTORY = Path(__file__).parents[1] / "data" / "upgrade"
_CONTENTS = "contents"

GitAnswers: TypeAlias = Literal["Answers", "NoSecret", "Unreachable", "CredentialsRefused", "PushRefused"]
Files: TypeAlias = Mapping[str, str]
"""From path to text."""


@dataclass(frozen=True, slots=True)
class UpgradeGit:
    """A project's upstream at the restart.

    Attributes:
        url: what the project's Secret names.
        answers: how the upstream, or the Secret, behaves.
        branches: from name to the commit at the tip, in 40 hex digits.
        commits: the files of each tip, and of each older commit that the status or an event names.
    """

    url: str
    answers: GitAnswers
    default_branch: str
    branches: Mapping[str, str]
    commits: Mapping[str, Files]

    def files(self, branch: str) -> Files:
        """The files at the tip of a branch."""
        return self.commits[self.branches[branch]]


@dataclass(frozen=True, slots=True)
class UpgradeRow:
    """One resource just before the upgrade.

    Attributes:
        row: the name of the file, without its ending.
        now: when the new release starts.
        resource: the whole body as the API server stored it, `status.kopf` included.
        others: bodies of resources that share its project.
        granted: whether the operator's config grants the project to the namespace.
        config_maps: the data of each ConfigMap of the namespace.
        keptn_answers: whether Keptn's API can be reached.
        events: of the project, as Keptn's API answers them, newest first.
        sequence_executions: likewise.
    """

    row: str
    now: datetime
    resource: Mapping[str, Any]
    others: tuple[Mapping[str, Any], ...]
    granted: bool
    config_maps: Mapping[str, Files]
    git: UpgradeGit
    keptn_answers: bool
    events: tuple[Mapping[str, Any], ...]
    sequence_executions: tuple[Mapping[str, Any], ...]

    @property
    def status(self) -> Mapping[str, Any]:
        """The status as it stands in the cluster."""
        status: Mapping[str, Any] = self.resource["status"]
        return status

    def reason(self, condition: str) -> str:
        """The reason of a condition; empty if the status has none of that type."""
        found = (one["reason"] for one in self.status.get("conditions", []) if one["type"] == condition)
        return next(found, "")


def names() -> tuple[str, ...]:
    """The names of all rows, sorted."""
    return tuple(sorted(path.stem for path in DIRECTORY.glob("*.json") if path.stem != _CONTENTS))


def rows() -> tuple[UpgradeRow, ...]:
    """All rows, sorted by name."""
    return tuple(map(row, names()))


@cache
def row(name: str) -> UpgradeRow:
    """One row; its bodies are shared by all who ask, so copy them before a change."""
    body = _read(name)
    return UpgradeRow(
        row=body["row"],
        now=datetime.fromisoformat(body["now"]),
        resource=body["resource"],
        others=tuple(body["others"]),
        granted=body["granted"],
        config_maps=body["configMaps"],
        git=_git(body["git"]),
        keptn_answers=body["keptnAnswers"],
        events=tuple(body["events"]),
        sequence_executions=tuple(body["sequenceExecutions"]),
    )


def _git(body: Mapping[str, Any]) -> UpgradeGit:
    texts = _read(_CONTENTS)
    commits = {
        commit: {path: texts[digest] for path, digest in files.items()} for commit, files in body["commits"].items()
    }
    return UpgradeGit(body["url"], body["answers"], body["defaultBranch"], body["branches"], commits)


@cache
def _read(name: str) -> Mapping[str, Any]:
    body: Mapping[str, Any] = json.loads((DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))
    return body
