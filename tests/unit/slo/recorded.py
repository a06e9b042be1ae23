"""The recorded answers of Keptn, see tests/data/slo/README.md."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from prodeval.domain.slo import PreviousEvaluation, ServiceLevelObjectives, SLIValue

DATA = Path(__file__).parents[2] / "data" / "slo"


def lines(name: str) -> list[dict[str, Any]]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def sli_value(recorded: dict[str, Any]) -> SLIValue:
    return SLIValue(recorded["metric"], recorded["value"], recorded["success"], recorded.get("message", ""))


def previous_evaluation(recorded: dict[str, Any]) -> PreviousEvaluation:
    measured = [SLIValue(metric, value, success=True) for metric, value in recorded["values"].items()]
    failed = [SLIValue(metric, 0.0, success=False) for metric in recorded["failed"]]
    return PreviousEvaluation(
        id=recorded["id"],
        time=datetime.fromisoformat(recorded["time"]),
        result=recorded["result"],
        invalidated=recorded.get("invalidated", False),
        values=(*(value for value in measured if value.metric not in recorded["failed"]), *failed),
    )


def decoded_form(slo: ServiceLevelObjectives) -> dict[str, Any]:
    """The decoded file as Keptn's Go structures print it, but for null, which is an empty list or mapping here."""
    comparison, total = slo.comparison, slo.total_score
    return {
        "spec_version": slo.spec_version,
        "filter": dict(slo.filter),
        "comparison": {
            "compare_with": comparison.compare_with,
            "include_result_with_score": comparison.include_result_with_score,
            "number_of_comparison_results": comparison.number_of_comparison_results,
            "aggregate_function": comparison.aggregate_function,
        },
        "objectives": [
            {
                "sli": one.sli,
                "displayName": one.display_name,
                "pass": [{"criteria": list(texts)} for texts in one.pass_criteria],
                "warning": [{"criteria": list(texts)} for texts in one.warning_criteria],
                "weight": one.weight,
                "key_sli": one.key_sli,
            }
            for one in slo.objectives
        ],
        "total_score": {"pass": total.pass_target, "warning": total.warning_target},
    }


def without_nulls(form: dict[str, Any]) -> dict[str, Any]:
    """Keptn's printed form with the nulls that make no difference to a verdict filled in."""
    return form | {
        "filter": form["filter"] or {},
        "objectives": [
            one | {name: [{"criteria": entry["criteria"] or []} for entry in one[name] or []] for name in CRITERIA}
            for one in form["objectives"] or []
        ],
        "total_score": form["total_score"] or {"pass": "", "warning": ""},
    }


CRITERIA = ("pass", "warning")
