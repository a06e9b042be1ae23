"""An evaluation for people, for programs and for CI."""

import json
import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from prodeval.domain.json_values import JSONObject
from prodeval.domain.slo import (
    Evaluation,
    IndicatorResult,
    Objective,
    ServiceLevelObjectives,
    Target,
    finished_payload,
    parse_criterion,
)

_HEADER = ("OBJECTIVE", "VALUE", "COMPARED", "PASS", "WARNING", "VERDICT", "POINTS")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_table(slo: ServiceLevelObjectives, evaluation: Evaluation) -> str:
    """One line for each objective, then the verdict, what it was compared with, and notes."""
    rows = [_row(objective, result) for objective, result in _outcomes(slo, evaluation)]
    table = [*_aligned([_HEADER, *rows]), ""] if rows else []
    return "\n".join([*table, *_summary(slo, evaluation)]) + "\n"


def _outcomes(slo: ServiceLevelObjectives, evaluation: Evaluation) -> Iterator[tuple[Objective, IndicatorResult]]:
    """Objectives with their results; nothing if nothing was evaluated."""
    return zip(slo.objectives, evaluation.indicator_results or (), strict=False)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(objective: Objective, result: IndicatorResult) -> tuple[str, ...]:
    compared = result.compared_value
    return (
        _name(objective) + (" (key)" if objective.key_sli else ""),
        f"{result.value.value:g}" if result.value and result.value.success else "-",
        f"{compared:g}" if compared else "-",
        _bounds(objective.pass_criteria, result.pass_targets, compared),
        _bounds(objective.warning_criteria, result.warning_targets, compared),
        result.status,
        "-" if result.status == "info" else f"{result.score:g}/{objective.weight}",
    )


def _name(objective: Objective) -> str:
    return objective.display_name or objective.sli


def _bounds(criteria: Sequence[Sequence[str]], targets: Sequence[Target] | None, compared: float) -> str:
    """The criteria with the targets that relative ones had, violated ones marked."""
    found = {target.criteria: target for target in targets or ()}
    sets = (" and ".join(_bound(text, found.get(text), compared) for text in texts) for texts in criteria)
    return " or ".join(sets) or "-"


def _bound(text: str, target: Target | None, compared: float) -> str:
    if target is None:
        return f"{text} (unreadable)"
    shown = f" ({target.target_value:g})" if compared and parse_criterion(text).relative else ""
    return f"{text}{shown}{' ✗' if target.violated else ''}"


def _summary(slo: ServiceLevelObjectives, evaluation: Evaluation) -> Iterator[str]:
    limits = [f"{name} from {text}" for name, text in _limits(slo) if text]
    if evaluation.status == "succeeded":
        yield f"Verdict: {evaluation.result}, score {evaluation.score:.4g} ({', '.join(limits)})"
    else:
        yield f"Verdict: {evaluation.result}, {evaluation.status}"
    if evaluation.message:
        yield f"Message: {evaluation.message}"
    for objective, result in _outcomes(slo, evaluation):
        if result.value and result.value.message:
            yield f"{_name(objective)}: {result.value.message}"
    if evaluation.compared_events:
        yield f"Compared with: {', '.join(evaluation.compared_events)}"
    for note in evaluation.notes:
        yield f"Note: {note}"


def _limits(slo: ServiceLevelObjectives) -> tuple[tuple[str, str], ...]:
    return ("pass", slo.total_score.pass_target), ("warning", slo.total_score.warning_target)


def as_object(evaluation: Evaluation) -> JSONObject:
    """Status, result and message beside the object that Keptn's event has, and notes."""
    return {
        "status": evaluation.status,
        "result": evaluation.result,
        "message": evaluation.message,
        "evaluation": finished_payload(evaluation),
        "notes": list(evaluation.notes),
    }


def as_json(evaluation: Evaluation) -> str:
    """The object as text."""
    return json.dumps(as_object(evaluation), indent=2, ensure_ascii=False) + "\n"


def as_junit(slo: ServiceLevelObjectives, evaluation: Evaluation) -> str:
    """A test for each objective and one for the total score; failures only if the verdict is fail, as the exit code."""
    failed = evaluation.result == "fail"
    suite = ET.Element("testsuite", name="slo.yaml")
    for objective, result in _outcomes(slo, evaluation):
        _add_objective(suite, objective, result, failed=failed)
    total = ET.SubElement(suite, "testcase", classname="slo.yaml", name="total score")
    if failed:
        ET.SubElement(total, "failure", message=_xml(evaluation.message), type=evaluation.status)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _add_objective(suite: ET.Element, objective: Objective, result: IndicatorResult, *, failed: bool) -> None:
    case = ET.SubElement(suite, "testcase", classname="slo.yaml", name=_xml(_name(objective)))
    text = _xml(
        ", ".join(f"{name} {cell}" for name, cell in zip(_HEADER[1:], _row(objective, result)[1:], strict=True))
    )
    if result.status == "fail" and failed:
        ET.SubElement(case, "failure", message=text, type="objective")
    elif result.status in {"fail", "info"}:
        ET.SubElement(case, "skipped", message=text)
    else:
        ET.SubElement(case, "system-out").text = text


def _xml(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)
