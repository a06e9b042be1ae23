"""The evaluation as Keptn writes it into `evaluation.finished`, and back."""

from collections.abc import Mapping, Sequence

from prodeval.domain.json_values import JSON
from prodeval.domain.slo.evaluation import Evaluation
from prodeval.domain.slo.indicators import IndicatorResult, Target
from prodeval.domain.slo.values import SLIValue


def finished_payload(evaluation: Evaluation) -> Mapping[str, JSON]:
    """The object `data.evaluation` without times and SLO text; empty and null stand where Keptn has them."""
    payload: dict[str, JSON] = {
        "result": evaluation.evaluation_result,
        "score": evaluation.score,
        "indicatorResults": _indicator_results(evaluation.indicator_results),
    }
    if evaluation.compared_events:
        payload["comparedEvents"] = list(evaluation.compared_events)
    return payload


def _indicator_results(results: Sequence[IndicatorResult] | None) -> JSON:
    return None if results is None else [_indicator_result(result) for result in results]


def _indicator_result(result: IndicatorResult) -> JSON:
    return {
        "score": result.score,
        "value": _value(result.value, result.compared_value),
        "displayName": result.display_name,
        "passTargets": _targets(result.pass_targets),
        "warningTargets": _targets(result.warning_targets),
        "keySli": result.key_sli,
        "status": result.status,
    }


def _value(value: SLIValue | None, compared_value: float) -> JSON:
    if value is None:
        return None
    payload: dict[str, JSON] = {
        "metric": value.metric,
        "value": value.value,
        "comparedValue": compared_value,
        "success": value.success,
    }
    return payload | {"message": value.message} if value.message else payload


def _targets(targets: Sequence[Target] | None) -> JSON:
    if targets is None:
        return None
    return [
        {"criteria": target.criteria, "targetValue": target.target_value, "violated": target.violated}
        for target in targets
    ]
