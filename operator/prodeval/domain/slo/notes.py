"""What Keptn accepts without a word and its author hardly meant."""

from prodeval.domain.slo.aggregates import PERCENTILES
from prodeval.domain.slo.comparison import RESULTS
from prodeval.domain.slo.objectives import Comparison, ServiceLevelObjectives


def notes(slo: ServiceLevelObjectives) -> tuple[str, ...]:
    """One sentence for each oddity; messages of the evaluation stay as Keptn writes them."""
    return (*slo.hints, *_comparison_notes(slo.comparison))


def _comparison_notes(comparison: Comparison) -> list[str]:
    found = []
    if comparison.compare_with not in {"", "single_result", "several_results"}:
        found.append(
            f"compare_with {comparison.compare_with!r} is unknown: Keptn compares with the last 3 results; "
            "write single_result or several_results"
        )
    if comparison.include_result_with_score.lower() not in {"all", *RESULTS}:
        found.append(
            f"include_result_with_score {comparison.include_result_with_score!r} is unknown: Keptn includes all "
            "results; write all, pass_or_warn or pass"
        )
    if comparison.aggregate_function not in {"avg", *PERCENTILES}:
        found.append(
            f"aggregate_function {comparison.aggregate_function!r} is unknown: Keptn compares with 0; "
            "write avg, p50, p90 or p95"
        )
    return found
