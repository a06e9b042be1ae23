"""Keptn's recorded verdicts, decodings, criteria and aggregates, each reproduced."""

from math import isfinite
from typing import Any

import pytest

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.slo import CriterionError, aggregate, decode_slo, evaluate, finished_payload, parse_criterion
from tests.unit.slo.recorded import decoded_form, lines, previous_evaluation, sli_value, without_nulls

NOTHING = {"comparedEvents": [], "indicatorResults": []}
"""The recorder wrote empty lists where Keptn's event has null or no member."""


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    previous = [previous_evaluation(one) for one in case["previous"]]
    evaluation = evaluate(case["slo"], [sli_value(value) for value in case["sli"]], previous)
    payload = {name: value for name, value in finished_payload(evaluation).items() if value is not None}
    return {
        "status": evaluation.status,
        "result": evaluation.result,
        "message": evaluation.message,
        "evaluation": NOTHING | payload,
    }


def test_every_recorded_verdict_is_reproduced() -> None:
    cases = lines("verdicts")
    differing = [case["id"] for case in cases if outcome(case) != case["expected"]]
    assert len(cases) == 1500
    assert differing == []


@pytest.mark.parametrize("case", lines("decodings"), ids=lambda case: case["id"])
def test_every_recorded_decoding_is_reproduced(case: dict[str, Any]) -> None:
    if "error" in case["expected"]:
        with pytest.raises(InvalidFileError) as caught:
            decode_slo(case["slo"])
        assert caught.value.line > 0
        assert caught.value.column > 0
    else:
        assert decoded_form(decode_slo(case["slo"])) == without_nulls(case["expected"]["result"])


@pytest.mark.parametrize("case", lines("criteria"), ids=lambda case: repr(case["criteria"]))
def test_every_recorded_criterion_is_reproduced(case: dict[str, Any]) -> None:
    expected = case["expected"]
    if "error" in expected:
        with pytest.raises(CriterionError, match=f"^{expected['error']}$"):
            parse_criterion(case["criteria"])
    elif not isfinite(float(expected["result"]["value"])):
        # Keptn reads them, and then sends an event without a payload.
        with pytest.raises(CriterionError, match=r"^could not parse criteria target value$"):
            parse_criterion(case["criteria"])
    else:
        criterion = parse_criterion(case["criteria"])
        assert {
            "operator": criterion.operator,
            "value": criterion.value,
            "comparison": criterion.relative,
            "percent": criterion.percent,
            "increase": criterion.increase,
        } == expected["result"] | {"value": float(expected["result"]["value"])}


def test_every_recorded_aggregate_is_reproduced() -> None:
    for case in lines("aggregates"):
        expected = case["expected"]["result"]
        assert aggregate(case["values"], case["function"]) == (None if expected["skip"] else expected["value"]), case
