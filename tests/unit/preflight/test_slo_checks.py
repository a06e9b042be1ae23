"""Places and borderlines of the checks of slo.yaml and sli.yaml."""

import pytest

from prodeval.domain.preflight import Files, Level, Wish, check
from prodeval.domain.preflight.bounds import warning_never_applies
from prodeval.domain.shipyard import Gate
from tests.unit.preflight.upstream import GOOD, SHIPYARD, SLO, TARGET, checked, codes, level

TUTORIAL = """\
spec_version: '1.0'
comparison:
  compare_with: "single_result"
objectives:
  - sli: response_time_p95
    pass:
      - criteria: ["<=0.4"]
    warning:
      - criteria: ["<=0.1"]
  - sli: throughput
total_score:
  pass: "90%"
  warning: "75%"
"""


def places(text: str) -> list[tuple[str, int, int]]:
    return [(finding.code, finding.line, finding.column) for finding in checked({"slo.yaml": text})]


@pytest.mark.parametrize(
    ("passing", "warning", "never"),
    [
        (["<=0.4"], ["<=0.1"], True),
        (["<=0.4"], ["<=0.4"], True),
        (["<0.4"], ["<=0.4"], False),
        (["<=0.4"], ["<0.4"], True),
        (["<=0.4"], ["<=0.8"], False),
        ([">5"], [">9"], True),
        ([">=5"], [">5"], True),
        ([">5"], [">=5"], False),
        ([">5", "<9"], ["=7"], True),
        ([">5", "<9"], ["=9"], False),
        ([">5", "<9"], [">5"], False),
        ([">5"], ["<9"], False),
        (["<=+10%"], ["<=+5%"], True),
        (["<=+10%"], ["<=+20%"], False),
        (["<=-10%"], ["<=-20%"], True),
        (["<=-10%"], ["<=-5%"], False),
        (["<600"], ["<=+5%"], False),
        (["<+10"], ["<+5%"], False),
        (["<600"], ["fast"], False),
    ],
)
def test_a_warning_never_applies_if_it_lies_within_the_pass_criteria(
    passing: list[str], warning: list[str], never: bool
):
    assert warning_never_applies([passing], [warning]) is never


def test_with_alternatives_every_warning_has_to_lie_within_one_of_the_passes():
    assert warning_never_applies([["<5"], [">90"]], [["<4"], [">95"]])
    assert not warning_never_applies([["<5"], [">90"]], [["<4"], [">80"]])


def test_the_tutorials_own_slo_has_a_warning_that_can_never_apply():
    assert places(TUTORIAL) == [("PE110", 9, 20)]


def test_each_finding_stands_at_its_scalar():
    text = TUTORIAL.replace('"<=0.4"', '"<=0.4", "0.4"').replace("throughput", "thruput").replace('"90%"', '"x"')

    assert places(text) == [("PE102", 7, 29), ("PE111", 10, 10), ("PE105", 11, 1)]


@pytest.mark.parametrize("criterion", [">=5", ">5", "|5", ">-10%"])
def test_an_unquoted_angle_bracket_is_one_finding_whether_it_parses_or_not(criterion: str):
    text = f"objectives:\n- sli: throughput\n  pass:\n  - criteria:\n    - {criterion}\ntotal_score: {{pass: '1'}}\n"

    assert [place[0] for place in places(text)] == ["PE103"]


@pytest.mark.parametrize("criterion", ["<5", "=0", "<=+10%"])
def test_other_unquoted_criteria_are_fine(criterion: str):
    text = f"objectives:\n- sli: throughput\n  pass:\n  - criteria:\n    - {criterion}\ntotal_score: {{pass: '1'}}\n"

    assert places(text) == []


@pytest.mark.parametrize(
    "objectives",
    [
        "[]",
        "[{sli: throughput}]",
        "[{sli: throughput, pass: []}]",
        "[{sli: throughput, pass: [{criteria: []}]}]",
        "[{sli: throughput, pass: [{criteria: ['>1']}]}, {sli: error_rate, pass: [{criteria: ['<1']}], weight: -1}]",
    ],
)
def test_nothing_is_scored_without_criteria_or_without_weight(objectives: str):
    assert places(f"objectives: {objectives}\ntotal_score: {{pass: 90%}}\n") == [("PE104", 1, 1)]


@pytest.mark.parametrize("total", ["", "total_score: {}", "total_score: {pass: '>=90%'}", "total_score: {pass: 90%%}"])
def test_a_total_score_is_a_number_with_one_percent_sign_at_most(total: str):
    assert [place[0] for place in places(SLO.replace('total_score: {pass: "90%"}', total))] == ["PE105"]


def test_a_service_without_slo_would_pass_unseen():
    (finding,) = checked({"slo.yaml": None})

    assert (finding.code, finding.line) == ("PE104", 0)


def test_an_slo_that_is_no_utf_8_is_told_by_line():
    files = Files(Level("svc/", {"slo.yaml": b"objectives:\n- sli: \xff\n"}))

    found = check(files, Wish(Gate("production", load="LiveTraffic"), SHIPYARD), TARGET)

    assert [(finding.path, finding.line, finding.column) for finding in found] == [("svc/slo.yaml", 2, 8)]


def test_indicators_of_all_levels_count():
    slo = {"slo.yaml": SLO.replace("throughput", "errors")}
    errors = level({"prometheus/sli.yaml": "indicators: {errors: up}\n"})

    assert codes(checked(slo)) == ["PE111"]
    assert codes(checked(slo, stage=errors)) == []
    assert codes(checked(slo, project=errors)) == []
    assert codes(checked({**slo, "dynatrace/sli.yaml": "indicators: {errors: x}\n"})) == []


def test_an_indicator_without_a_query_is_none():
    slo = {"slo.yaml": SLO.replace("throughput", "errors")}

    assert codes(checked({**slo, "prometheus/sli.yaml": "indicators: {errors: ''}\n"})) == ["PE111"]


def test_a_broken_sli_file_of_any_level_is_found_there_and_indicators_are_not_guessed():
    broken = level({"prometheus/sli.yaml": "indicators: 5\n"}, prefix="stage/")

    (finding,) = checked({"slo.yaml": SLO.replace("throughput", "errors")}, stage=broken)

    assert (finding.code, finding.path, finding.line) == ("PE201", "stage/prometheus/sli.yaml", 1)


def test_an_sli_file_without_indicators_is_fine_only_below_one_that_has_some():
    empty = {"prometheus/sli.yaml": "spec_version: '1.0'\n"}

    assert codes(checked(empty)) == ["PE201"]
    assert codes(checked(empty, project=level({"prometheus/sli.yaml": GOOD["prometheus/sli.yaml"]}))) == []
