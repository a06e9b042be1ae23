"""What a check finds: a place, a sentence about it, and a sentence on what to do."""

from dataclasses import dataclass
from enum import Enum

from prodeval.domain.errors import InvalidFileError


class Severity(Enum):
    """Whether Keptn will fail, or probably disappoint."""

    ERROR = "error"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked for; `docs/checks.md` has a section for each code."""

    code: str
    severity: Severity
    title: str

    def at(self, place: "Place", message: str, remedy: str) -> "Finding":
        """The finding at a place."""
        return Finding(self.code, self.severity, place.path, place.line, place.column, message, remedy)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; line and column are from 1, or 0 if it is about the whole file."""

    path: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; line and column are as in `Place`."""

    code: str
    severity: Severity
    path: str
    line: int
    column: int
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{where} {self.code} {self.message}; {self.remedy}"


def from_error(check: Check, error: InvalidFileError, remedy: str) -> Finding:
    """The finding for a file that could not be read."""
    return check.at(Place(error.path, error.line, error.column), error.problem, remedy)


def _error(code: str, title: str) -> Check:
    return Check(code, Severity.ERROR, title)


def _doubt(code: str, title: str) -> Check:
    return Check(code, Severity.DOUBT, title)


SLO_UNDECODABLE = _error("PE101", "slo.yaml that Keptn cannot decode")
CRITERION = _error("PE102", "criterion that Keptn cannot read")
UNQUOTED = _error("PE103", "unquoted > that YAML takes for a block of text")
NOTHING_SCORED = _error("PE104", "no objective is scored")
TOTAL_SCORE = _error("PE105", "total_score that is missing or no number")
WARNING_STRICTER = _doubt("PE110", "warning that can never apply")
NO_INDICATOR = _doubt("PE111", "objective without an indicator")
COMPARISON = _doubt("PE112", "comparison that Keptn does not know")
SLI_UNDECODABLE = _error("PE201", "sli.yaml that Keptn cannot decode")
SHIPYARD_REFUSED = _error("PE301", "shipyard that Keptn refuses")
NO_STAGE = _error("PE302", "stage that the shipyard does not have")
NO_SEQUENCE = _error("PE303", "sequence that the stage does not have")
NO_ANCHOR = _error("PE304", "sequence without the task that the gate stands behind")
UNPATCHABLE = _error("PE305", "shipyard that cannot be patched safely")
TIMEFRAME = _error("PE306", "timeframe with which the evaluation never starts or always fails")
EVALUATION_FIRST = _doubt("PE310", "evaluation in front of the load test")
NO_TIMEFRAME = _doubt("PE311", "evaluation without a timeframe")
JOB_CONFIG_UNREADABLE = _error("PE401", "job/config.yaml that the job executor refuses")
NO_ACTION = _error("PE402", "no action for the test task")
ODD_PATTERN = _doubt("PE410", "event pattern that cannot be checked")
NOT_REGISTERED = _doubt("PE411", "nobody registered for a task")
LOCUST_SYNTAX = _doubt("PE510", "locust file that Python cannot parse")
LOCUST_CONF = _doubt("PE511", "locust.conf that locust cannot read")
RUN_TIME_LONG = _doubt("PE512", "load test that outlasts the job executor's patience")
RUN_TIME_SHORT = _doubt("PE513", "load test shorter than the evaluated time")
RESOURCE = _error("PE601", "resource that the API server refuses")
NOT_WRITABLE = _doubt("PE610", "file that the operator may not write by default")

CHECKS: tuple[Check, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Check))
"""All checks, by code."""
