"""Findings for people, for programs and for code scanning."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote

from prodeval import __version__
from prodeval.domain.json_values import JSONObject
from prodeval.domain.preflight import CHECKS, Check, Finding, Severity

_LEVELS = {Severity.ERROR: "error", Severity.DOUBT: "warning"}


def as_text(findings: Iterable[Finding]) -> str:
    """One line for each: file:line:column, code, message and remedy."""
    return "".join(f"{finding}\n" for finding in findings)


def as_json(findings: Iterable[Finding]) -> str:
    """A list of objects."""
    return json.dumps([_object(finding) for finding in findings], indent=2, ensure_ascii=False) + "\n"


def _object(finding: Finding) -> JSONObject:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def as_sarif(findings: Sequence[Finding]) -> str:
    """SARIF 2.1.0, with all checks as rules."""
    driver = {"name": "prodeval", "semanticVersion": __version__, "rules": [_rule(check) for check in CHECKS]}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding) for finding in findings],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(check: Check) -> JSONObject:
    return {
        "id": check.code,
        "shortDescription": {"text": check.title},
        "help": {"text": f"docs/checks.md, section {check.code}"},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
    }


def _result(finding: Finding) -> JSONObject:
    place: dict[str, JSONObject] = {"artifactLocation": {"uri": quote(finding.path)}}
    if finding.line:
        place["region"] = {"startLine": finding.line, "startColumn": finding.column}
    return {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}; {finding.remedy}"},
        "locations": [{"physicalLocation": place}],
    }


FORMATS: Mapping[str, Callable[[Sequence[Finding]], str]] = {"text": as_text, "json": as_json, "sarif": as_sarif}
