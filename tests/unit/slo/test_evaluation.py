"""The verdict, one rule at a time."""

import json
import math
from datetime import UTC, datetime, timedelta

import pytest

from prodeval.domain.slo import (
    Evaluation,
    PreviousEvaluation,
    SLIValue,
    errored,
    evaluate,
    finished_payload,
    provider_errored,
    unperformed,
)

NOON = datetime(2023, 3, 1, 12, tzinfo=UTC)


def slo(*objectives: str, total_score: str = "{pass: '90', warning: '75'}", comparison: str = "{}") -> str:
    listed = "".join(f"\n  - {objective}" for objective in objectives)
    return f"comparison: {comparison}\nobjectives:{listed}\ntotal_score: {total_score}\n"


def objective(sli: str, criteria: str, more: str = "") -> str:
    return f"{{sli: {sli}, pass: [{{criteria: ['{criteria}']}}]{more}}}"


def measured(metric: str, value: float) -> SLIValue:
    return SLIValue(metric, value, success=True)


def failed(metric: str, message: str = "no data") -> SLIValue:
    return SLIValue(metric, 0.0, success=False, message=message)


def earlier(
    number: int, value: float | None = None, *, result: str = "pass", invalidated: bool = False
) -> PreviousEvaluation:
    values = () if value is None else (measured("a", value),)
    return PreviousEvaluation(f"e{number}", NOON + timedelta(hours=number), result, invalidated, values)


def compared(evaluation: Evaluation) -> float:
    assert evaluation.indicator_results is not None
    return evaluation.indicator_results[0].compared_value


def statuses(evaluation: Evaluation) -> list[str]:
    return [result.status for result in evaluation.indicator_results or ()]


def test_without_an_slo_file_keptn_passes_unseen() -> None:
    evaluation = evaluate("", [], [], project="sockshop")
    assert (evaluation.status, evaluation.result, evaluation.score) == ("succeeded", "pass", 0.0)
    assert (
        evaluation.message
        == "no evaluation performed by lighthouse because no SLO file configured for project sockshop"
    )
    assert finished_payload(evaluation) == {"result": "pass", "score": 0.0, "indicatorResults": None}


def test_without_a_provider_keptn_passes_too() -> None:
    evaluation = unperformed("no SLI-provider configured for project sockshop")
    assert (evaluation.result, evaluation.evaluation_result, evaluation.indicator_results) == ("pass", "pass", None)


def test_a_text_that_keptn_cannot_decode_is_an_errored_failure_with_the_place_in_the_notes() -> None:
    evaluation = evaluate("objectives: {a: b}", [], [], project="p", stage="s", service="v")
    assert (evaluation.status, evaluation.result, evaluation.evaluation_result) == ("errored", "fail", "fail")
    assert evaluation.message == (
        "error retrieving SLO file: Could not parse SLO file for service v in stage s in project p"
    )
    assert evaluation.notes == ("slo.yaml:1:13: objectives wants a list, not a mapping",)


@pytest.mark.parametrize(
    "text", ["---\n", "null\n", "objectives: [{sli: a, pass: [null]}]\ntotal_score: {pass: '9'}\n"]
)
def test_what_crashes_keptn_is_an_errored_failure(text: str) -> None:
    evaluation = evaluate(text, [], [])
    assert (evaluation.status, evaluation.result) == ("errored", "fail")
    assert "crashes Keptn" in evaluation.notes[0]


def test_a_text_of_comments_has_no_target_score() -> None:
    assert evaluate("# nothing yet\n", [], []) == errored("no target score defined")


def test_a_provider_that_errs_leaves_the_inner_result_at_pass() -> None:
    evaluation = provider_errored("no sli.yaml")
    assert (evaluation.status, evaluation.result, evaluation.evaluation_result) == ("errored", "fail", "pass")
    assert evaluation.message == "evaluation performed by lighthouse received an unexpected error: no sli.yaml"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_json_cannot_hold_is_a_failed_value(value: float) -> None:
    evaluation = evaluate(slo(objective("a", "<1"), objective("b", "<1")), [measured("a", value), measured("b", 0)], [])
    assert statuses(evaluation) == ["fail", "pass"]
    assert evaluation.indicator_results is not None
    assert evaluation.indicator_results[0].value == SLIValue(
        "a", 0.0, success=False, message="query did not return valid values"
    )


def test_a_target_beyond_all_numbers_is_an_error_not_an_empty_event() -> None:
    evaluation = evaluate(slo(objective("a", "<+200%")), [measured("a", 1)], [earlier(1, 1.7e308)])
    assert evaluation.status == "errored"
    assert json.dumps(finished_payload(evaluation), allow_nan=False)


def test_an_unquoted_greater_than_is_an_empty_criterion_and_gets_a_hint() -> None:
    text = "objectives:\n  - sli: a\n    pass:\n      - criteria:\n          - >5\ntotal_score: {pass: '90'}\n"
    evaluation = evaluate(text, [measured("a", 9)], [])
    assert evaluation.message == "error with a: invalid criteria string"
    assert evaluation.notes == (
        (
            "slo.yaml:5:13: a criterion that YAML reads as '': an unquoted `>` or `|` begins a block of text in YAML; "
            "put the criterion in quotes, as in '>=5'"
        ),
    )


def test_an_unreadable_pass_criterion_names_the_objective_as_people_know_it() -> None:
    text = slo(objective("a", "5", ", displayName: Latency"))
    assert evaluate(text, [measured("a", 1)], []).message == "error with Latency: invalid criteria string"


def test_an_unreadable_pass_criterion_does_not_matter_while_there_is_no_value() -> None:
    evaluation = evaluate(slo(objective("a", "5"), objective("b", "<9")), [measured("b", 1)], [])
    assert statuses(evaluation) == ["fail", "pass"]
    assert evaluation.indicator_results is not None
    assert evaluation.indicator_results[0].pass_targets == ()


def test_an_unreadable_warning_criterion_takes_the_warning_away() -> None:
    text = slo(objective("a", "<1", ", warning: [{criteria: ['<9']}, {criteria: ['?']}]"))
    evaluation = evaluate(text, [measured("a", 5)], [])
    assert statuses(evaluation) == ["fail"]
    assert evaluation.indicator_results is not None
    assert evaluation.indicator_results[0].warning_targets == ()


def test_a_criteria_list_without_criteria_passes_and_scores_nothing() -> None:
    text = slo("{sli: a, pass: [{criteria: []}]}", objective("b", "<9"))
    evaluation = evaluate(text, [measured("a", 5), measured("b", 5)], [])
    assert statuses(evaluation) == ["pass", "pass"]
    assert evaluation.score == 50.0


def test_an_unreadable_first_warning_criterion_means_that_nothing_was_compared() -> None:
    pass_nothing = "{sli: a, pass: [{criteria: []}], warning: [{criteria: ['?', '<9']}]}"
    assert compared(evaluate(slo(pass_nothing), [measured("a", 5)], [earlier(1, 7)])) == 0.0
    later = "{sli: a, pass: [{criteria: []}], warning: [{criteria: ['<9', '?']}]}"
    assert compared(evaluate(slo(later), [measured("a", 5)], [earlier(1, 7)])) == 7.0


def test_two_objectives_on_one_indicator_need_two_values() -> None:
    text = slo(objective("a", "<9"), objective("a", "<1"))
    once = evaluate(text, [measured("a", 5)], [])
    twice = evaluate(text, [measured("a", 5), measured("a", 0)], [])
    assert (statuses(once), statuses(twice)) == (["pass", "fail"], ["pass", "pass"])
    assert once.indicator_results is not None
    assert once.indicator_results[1].value == failed("a", "no value received from SLI provider")


def test_values_that_nobody_asked_for_are_named_in_the_order_that_taking_leaves() -> None:
    values = [measured(name, 1) for name in ("x", "a", "y", "z")]
    message = evaluate(slo(objective("a", "<9")), values, []).message
    assert message == (
        "Lighthouse received additional SLIs, which are not specified as SLO: x, z, y . "
        "Please consider using them as an SLO."
    )


def test_values_that_nobody_asked_for_are_not_worth_a_word_in_a_failure() -> None:
    message = evaluate(slo(objective("a", "<1")), [measured("a", 1), measured("x", 1)], []).message
    assert message == "Evaluation failed since the calculated score of 0 is below the warning value of 75"


def test_objectives_that_only_inform_score_a_hundred() -> None:
    evaluation = evaluate(slo("{sli: a, warning: [{criteria: ['<1']}]}"), [measured("a", 5)], [])
    assert (statuses(evaluation), evaluation.score, evaluation.result) == (["info"], 100.0, "pass")


def test_weights_that_cancel_out_score_a_hundred() -> None:
    text = slo(objective("a", "<1", ", weight: 2"), objective("b", "<1", ", weight: -2"))
    assert evaluate(text, [measured("a", 5), measured("b", 5)], []).score == 100.0


def test_if_every_value_failed_the_evaluation_fails_though_all_only_inform() -> None:
    evaluation = evaluate(slo("{sli: a}"), [failed("a")], [])
    assert (evaluation.result, evaluation.evaluation_result, evaluation.score) == ("fail", "pass", 100.0)
    assert evaluation.message == "lighthouse failed because SLI failed with message unable to retrieve metrics"


def test_without_objectives_the_evaluation_fails_whatever_the_thresholds() -> None:
    evaluation = evaluate("total_score: {pass: '0%'}", [failed("a")], [])
    assert (evaluation.result, evaluation.evaluation_result, evaluation.score) == ("fail", "pass", 0.0)
    assert evaluation.message == "lighthouse failed because no SLO objective was provided"


def test_a_failed_key_sli_fails_a_good_score_and_the_last_one_is_named() -> None:
    key = ", key_sli: true, displayName: "
    text = slo(
        objective("a", "<1", f"{key}First"),
        objective("b", "<1", f"{key}Second"),
        objective("c", "<9", ", weight: 1000"),
    )
    evaluation = evaluate(text, [measured("a", 5), failed("b"), measured("c", 1)], [])
    assert evaluation.result == "fail"
    assert evaluation.message == "Evaluation failed due to key_sli objective 'Second': no data"


def test_a_warned_key_sli_does_not_fail() -> None:
    text = slo(
        objective("a", "<1", ", key_sli: true, warning: [{criteria: ['<9']}]"),
        total_score="{pass: '90', warning: '50'}",
    )
    evaluation = evaluate(text, [measured("a", 5)], [])
    assert (evaluation.result, evaluation.score) == ("warning", 50.0)


@pytest.mark.parametrize(
    ("total_score", "message"),
    [
        ("null", "no target score defined"),
        ("{warning: '75'}", "no target score defined"),
        ("{pass: ''}", "no target score defined"),
        ("{pass: '90 %'}", "could not parse pass target percentage"),
        ("{pass: '90%%'}", "could not parse pass target percentage"),
        ("{pass: '>=90'}", "could not parse pass target percentage"),
        ("{pass: '90', warning: x}", "could not parse warning target percentage"),
    ],
)
def test_a_total_score_that_keptn_cannot_use(total_score: str, message: str) -> None:
    assert evaluate(slo("{sli: a}", total_score=total_score), [measured("a", 1)], []) == errored(message)


@pytest.mark.parametrize(
    ("total_score", "result"),
    [("{pass: nan}", "fail"), ("{pass: '101%'}", "fail"), ("{pass: '-1'}", "pass"), ("{pass: '0x1p6%'}", "pass")],
)
def test_odd_thresholds_are_numbers_all_the_same(total_score: str, result: str) -> None:
    assert evaluate(slo(objective("a", "<9"), total_score=total_score), [measured("a", 1)], []).result == result


class TestComparison:
    RELATIVE = objective("a", "<=+10%")

    def evaluated(self, comparison: str, previous: list[PreviousEvaluation]) -> Evaluation:
        return evaluate(slo(self.RELATIVE, comparison=comparison), [measured("a", 100)], previous)

    def test_a_relative_criterion_with_nothing_to_compare_with_is_satisfied(self) -> None:
        assert self.evaluated("{}", []).result == "pass"

    def test_an_evaluation_without_values_uses_up_its_place(self) -> None:
        comparison = "{compare_with: single_result}"
        assert self.evaluated(comparison, [earlier(1, 1)]).result == "fail"
        assert self.evaluated(comparison, [earlier(1, 1), earlier(2)]).result == "pass"

    def test_an_invalidated_one_does_not(self) -> None:
        previous = [earlier(1, 1), earlier(2, 100, invalidated=True)]
        assert self.evaluated("{compare_with: single_result}", previous).compared_events == ("e1",)

    def test_the_newest_count_whatever_their_order(self) -> None:
        evaluation = self.evaluated("{compare_with: several_results, number_of_comparison_results: 2}", EARLIER)
        assert evaluation.compared_events == ("e4", "e3")
        assert compared(evaluation) == 350.0

    @pytest.mark.parametrize("compare_with", ["''", "Single_Result", "last"])
    def test_any_other_word_means_three(self, compare_with: str) -> None:
        comparison = f"{{compare_with: {compare_with}, number_of_comparison_results: 1}}"
        assert self.evaluated(comparison, EARLIER).compared_events == ("e4", "e3", "e2")

    @pytest.mark.parametrize(
        ("include", "ids"),
        [("pass", ("e1",)), ("PASS_or_warn", ("e2", "e1")), ("all", ("e4", "e3", "e2")), ("x", ("e4", "e3", "e2"))],
    )
    def test_the_overall_result_decides_what_is_included(self, include: str, ids: tuple[str, ...]) -> None:
        assert self.evaluated(f"{{include_result_with_score: {include}}}", EARLIER).compared_events == ids

    @pytest.mark.parametrize("number", [-1, 101, 10**6])
    def test_the_store_gives_one_to_a_hundred(self, number: int) -> None:
        comparison = f"{{compare_with: several_results, number_of_comparison_results: {number}}}"
        assert self.evaluated(comparison, EARLIER) == errored("could not retrieve previous evaluation.finished events")

    def test_typos_are_noted_and_messages_stay_those_of_keptn(self) -> None:
        comparison = "{compare_with: last, include_result_with_score: passed, aggregate_function: p99}"
        evaluation = self.evaluated(comparison, EARLIER)
        assert [note.split(" is unknown: ")[0] for note in evaluation.notes] == [
            "compare_with 'last'",
            "include_result_with_score 'passed'",
            "aggregate_function 'p99'",
        ]
        assert (
            evaluation.message == "Evaluation failed since the calculated score of 0 is below the warning value of 75"
        )

    def test_failed_values_and_other_indicators_are_not_compared_with(self) -> None:
        values = (failed("a"), measured("b", 5), measured("a", 200), measured("a", 400))
        previous = PreviousEvaluation("e", NOON, "pass", invalidated=False, values=values)
        assert compared(self.evaluated("{}", [previous])) == 300.0


EARLIER = [
    earlier(3, 300, result="fail"),
    earlier(1, 100),
    earlier(4, 400, result="fail"),
    earlier(2, 200, result="warning"),
]
