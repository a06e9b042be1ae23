"""The preflight: what would fail minutes later in Keptn is found before anything is pushed."""

from prodeval.domain.preflight.checking import check
from prodeval.domain.preflight.findings import CHECKS, Check, Finding, Severity
from prodeval.domain.preflight.inputs import Files, Level, Wish
from prodeval.domain.preflight.job_checks import poll_seconds
from prodeval.domain.preflight.job_config import check_services, effective
from prodeval.domain.preflight.linting import Linted, lint

__all__ = [
    "CHECKS",
    "Check",
    "Files",
    "Finding",
    "Level",
    "Linted",
    "Severity",
    "Wish",
    "check",
    "check_services",
    "effective",
    "lint",
    "poll_seconds",
]
