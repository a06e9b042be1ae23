"""What holds for every slo.yaml and every value."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from prodeval.domain.slo import Evaluation, PreviousEvaluation, SLIValue, evaluate, finished_payload
from tests.unit.slo.slo_texts import SLOTexts

NOON = datetime(2023, 3, 1, 12, tzinfo=UTC)
RANK = {"fail": 0, "warning": 1, "pass": 2}
NAMES = ("a", "b", "c", "d", "e")

numbers = st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
any_number = st.floats(allow_nan=True, allow_infinity=True)
relative = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(("<", "<=", ">", ">=", "=")),
    st.sampled_from("+-"),
    st.integers(0, 200),
    st.sampled_from(("", "%")),
)
absolute = st.builds("{}{}".format, st.sampled_from(("<", "<=", ">", ">=", "=")), st.integers(0, 1000))
criteria = st.lists(st.lists(absolute | relative, min_size=1, max_size=3), min_size=1, max_size=3)


@dataclass(frozen=True)
class Objective:
    """An objective with its value."""

    sli: str
    passing: list[list[str]]
    warning: list[list[str]]
    weight: int
    key: bool
    value: float

    def written(self, weight: int) -> str:
        member = {
            "sli": self.sli,
            "pass": [{"criteria": texts} for texts in self.passing],
            "warning": [{"criteria": texts} for texts in self.warning],
            "weight": weight,
            "key_sli": self.key,
        }
        return json.dumps(member)


@st.composite
def objectives(draw: st.DrawFn) -> list[Objective]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    return [
        Objective(
            name,
            draw(criteria),
            draw(st.just([]) | criteria),
            draw(st.integers(1, 1000)),
            draw(st.booleans()),
            draw(numbers),
        )
        for name in names
    ]


@st.composite
def histories(draw: st.DrawFn) -> list[PreviousEvaluation]:
    return [
        PreviousEvaluation(
            f"e{number}",
            NOON + timedelta(hours=number),
            draw(st.sampled_from(("pass", "warning", "fail"))),
            draw(st.booleans()),
            tuple(SLIValue(name, draw(numbers), draw(st.booleans())) for name in NAMES),
        )
        for number in range(draw(st.integers(0, 4)))
    ]


def verdict(
    objectives: Sequence[Objective],
    previous: Sequence[PreviousEvaluation] = (),
    *,
    passes: float = 90,
    warns: float = 75,
    scale: int = 1,
) -> Evaluation:
    listed = ", ".join(one.written(one.weight * scale) for one in objectives)
    text = f"{{objectives: [{listed}], total_score: {{pass: '{passes}', warning: '{warns}%'}}}}"
    return evaluate(text, [SLIValue(one.sli, one.value, success=True) for one in objectives], previous)


@settings(deadline=None)
@given(objectives(), histories(), st.randoms())
def test_the_order_of_objectives_never_changes_score_or_result(
    chosen: list[Objective], previous: list[PreviousEvaluation], random: Random
) -> None:
    shuffled = list(chosen)
    random.shuffle(shuffled)
    before, after = verdict(chosen, previous), verdict(shuffled, previous)
    assert (before.score, before.result) == (after.score, after.result)


@settings(deadline=None)
@given(objectives(), histories(), st.randoms())
def test_the_order_of_earlier_evaluations_never_changes_anything(
    chosen: list[Objective], previous: list[PreviousEvaluation], random: Random
) -> None:
    shuffled = list(previous)
    random.shuffle(shuffled)
    assert verdict(chosen, previous) == verdict(chosen, shuffled)


@settings(deadline=None)
@given(objectives(), histories(), st.integers(1, 1000))
def test_weights_count_only_against_each_other(
    chosen: list[Objective], previous: list[PreviousEvaluation], scale: int
) -> None:
    assert verdict(chosen, previous).score == verdict(chosen, previous, scale=scale).score


@settings(deadline=None)
@given(objectives(), histories())
def test_a_score_of_positive_weights_is_a_percentage(
    chosen: list[Objective], previous: list[PreviousEvaluation]
) -> None:
    assert 0 <= verdict(chosen, previous).score <= 100


@settings(deadline=None)
@given(objectives(), histories(), st.floats(0, 100), st.floats(0, 100))
def test_a_higher_bar_never_gives_a_better_result(
    chosen: list[Objective], previous: list[PreviousEvaluation], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    easy, hard = verdict(chosen, previous, passes=low), verdict(chosen, previous, passes=high)
    assert RANK[hard.result] <= RANK[easy.result]


@settings(deadline=None)
@given(objectives(), histories(), criteria)
def test_another_way_to_pass_never_lowers_the_score(
    chosen: list[Objective], previous: list[PreviousEvaluation], more: list[list[str]]
) -> None:
    first, *rest = chosen
    easier = Objective(first.sli, first.passing + more, first.warning, first.weight, first.key, first.value)
    before, after = verdict(chosen, previous), verdict([easier, *rest], previous)
    assert after.score >= before.score
    assert RANK[after.result] >= RANK[before.result]


@settings(deadline=None)
@given(objectives(), histories(), absolute | relative)
def test_another_condition_never_raises_the_score(
    chosen: list[Objective], previous: list[PreviousEvaluation], more: str
) -> None:
    first, *rest = chosen
    stricter = [[*texts, more] for texts in first.passing]
    harder = Objective(first.sli, stricter, first.warning, first.weight, first.key, first.value)
    before, after = verdict(chosen, previous), verdict([harder, *rest], previous)
    assert after.score <= before.score


@settings(deadline=None)
@given(numbers, numbers, st.integers(0, 1000), histories())
def test_a_lower_value_never_fares_worse_against_an_upper_bound(
    one: float, other: float, bound: int, previous: list[PreviousEvaluation]
) -> None:
    low, high = sorted((one, other))
    bounds = [[f"<={bound}", "<=+10%"]]
    scores = [verdict([Objective("a", bounds, [], 1, key=False, value=value)], previous).score for value in (low, high)]
    assert scores[0] >= scores[1]


@settings(deadline=None)
@given(st.lists(relative, min_size=1), numbers)
def test_without_history_every_relative_criterion_is_satisfied(texts: list[str], value: float) -> None:
    assert verdict([Objective("a", [texts], [], 1, key=True, value=value)]).result == "pass"


@st.composite
def wild_values(draw: st.DrawFn) -> list[SLIValue]:
    names = st.sampled_from(("response_time", "merged", "", "a\x00b"))
    return draw(st.lists(st.builds(SLIValue, names, any_number, st.booleans(), st.text(max_size=5)), max_size=5))


@settings(deadline=None)
@given(st.integers(0, 10**9), wild_values(), st.lists(wild_values(), max_size=3))
def test_nothing_leaves_it_but_a_verdict_that_is_json(
    seed: int, values: list[SLIValue], history: list[list[SLIValue]]
) -> None:
    previous = [
        PreviousEvaluation(str(number), NOON, "pass", invalidated=False, values=tuple(measured))
        for number, measured in enumerate(history)
    ]
    evaluation = evaluate(SLOTexts(seed).text(), values, previous)
    assert evaluation.result in RANK
    assert json.loads(json.dumps(finished_payload(evaluation), allow_nan=False))["result"] in RANK


@settings(deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_any_text_is_an_slo_file_that_gets_a_verdict(text: str) -> None:
    assert evaluate(text, [], []).result in RANK


@settings(deadline=None)
@given(st.lists(st.floats(-1.7e308, 1.7e308), min_size=1, max_size=5), st.floats(-1.7e308, 1.7e308))
def test_huge_numbers_never_give_an_infinite_target(compared: list[float], value: float) -> None:
    values = tuple(SLIValue("a", one, success=True) for one in compared)
    previous = [PreviousEvaluation("e", NOON, "pass", invalidated=False, values=values)]
    evaluation = verdict([Objective("a", [["<=+200%", ">=-5", "<=1e308"]], [], 1, key=False, value=value)], previous)
    assert json.dumps(finished_payload(evaluation), allow_nan=False)
