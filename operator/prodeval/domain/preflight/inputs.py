"""What is checked: the files that will be at the service, at its stage and at its project."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from prodeval.domain.shipyard import Gate


@dataclass(frozen=True, slots=True)
class Level:
    """The files of one level.

    Attributes:
        prefix: stands before the paths in findings, so that people know which file is meant; such as `helloservice/`.
        files: content by path relative to the level: slo.yaml, */sli.yaml, locust/**, job/config.yaml.
    """

    prefix: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Files:
    """The files at the three levels; the service's as they will be after the push."""

    service: Level
    stage: Level = Level()
    project: Level = Level()

    @property
    def levels(self) -> tuple[Level, Level, Level]:
        """Strongest first."""
        return self.service, self.stage, self.project


@dataclass(frozen=True, slots=True)
class Wish:
    """The gate that is to stand in a shipyard.

    Attributes:
        text: of the shipyard as it is.
        path: of the shipyard, in findings.
    """

    gate: Gate
    text: str
    path: str = "shipyard.yaml"
