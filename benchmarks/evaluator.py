"""How long evaluations take: `python benchmarks/evaluator.py`.

10,000 evaluations of 20 objectives, each with pass and warning criteria, against 10 earlier evaluations of 20 values.
The baseline, in the same run, is PyYAML's C loader composing the same slo.yaml.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import yaml

from prodeval.domain.slo import PreviousEvaluation, SLIValue, decode_slo, evaluate

EVALUATIONS = 10_000
OBJECTIVES = 20
EARLIER = 10
METRICS = [f"metric_{number}" for number in range(OBJECTIVES)]

OBJECTIVE = """\
  - sli: {}
    displayName: Response time
    pass:
      - criteria: ['<=+10%', '<600']
    warning:
      - criteria: ['<=800']
    weight: 2
"""
SLO = f"""\
comparison:
  compare_with: several_results
  number_of_comparison_results: {EARLIER}
  aggregate_function: p90
objectives:
{"".join(OBJECTIVE.format(metric) for metric in METRICS)}total_score:
  pass: 90%
  warning: 75%
"""


def values(offset: int) -> tuple[SLIValue, ...]:
    """One value for each objective."""
    return tuple(SLIValue(metric, 100.0 + number + offset, success=True) for number, metric in enumerate(METRICS))


def previous() -> list[PreviousEvaluation]:
    """Earlier evaluations, an hour apart."""
    start = datetime(2023, 3, 1, tzinfo=UTC)
    return [
        PreviousEvaluation(
            f"e{number}", start + timedelta(hours=number), "pass", invalidated=False, values=values(number)
        )
        for number in range(EARLIER)
    ]


def seconds(call: Callable[[int], object], times: int) -> float:
    """Processor time of so many calls, the best of three rounds."""
    rounds = []
    for _ in range(3):
        start = time.process_time()
        for number in range(times // 10):
            call(number)
        rounds.append((time.process_time() - start) * 10)
    return min(rounds)


def main() -> None:
    """Print the table."""
    history = previous()
    baseline = seconds(lambda _: yaml.compose(SLO, Loader=yaml.CSafeLoader), EVALUATIONS)
    measured = {
        f"{EVALUATIONS} evaluations": seconds(lambda number: evaluate(SLO, values(number % 7), history), EVALUATIONS),
        f"{EVALUATIONS} decodings": seconds(lambda _: decode_slo(SLO), EVALUATIONS),
    }
    print(f"{'baseline: yaml.compose':24} {baseline:6.2f} s   1.0")
    for name, taken in measured.items():
        print(f"{name:24} {taken:6.2f} s  {taken / baseline:4.1f}")


if __name__ == "__main__":
    main()
