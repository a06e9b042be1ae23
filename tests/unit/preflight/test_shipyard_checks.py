"""Places and borderlines of the checks of the shipyard."""

import pytest

from prodeval.domain.durations import go_duration
from prodeval.domain.preflight.shipyard_checks import check_shipyard
from prodeval.domain.shipyard import Gate
from tests.unit.preflight.upstream import SHIPYARD, checked

TIMED = SHIPYARD + "            - name: evaluation\n              properties: {timeframe: %s}\n"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2m", 120), ("1h30m", 5400), ("1.5m", 90), ("+2m", 120), (".5h", 1800), ("500ms", 0.5), ("1m1us", 60.000001)],
)
def test_durations_are_read_as_go_does(text: str, seconds: float):
    assert go_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "2", "1d", "2 m", "m", "2m ", "2M", "1e3s", "٢m"])
def test_what_is_no_duration_for_go_is_none(text: str):
    assert go_duration(text) is None


def places(shipyard: str, gate: Gate | None = None) -> list[tuple[str, int, int]]:
    return [(finding.code, finding.line, finding.column) for finding in checked(shipyard=shipyard, gate=gate)]


@pytest.mark.parametrize("timeframe", ["120", "59s", "'120'", "1d", "[2m]", "true", "-2m"])
def test_a_timeframe_that_keptn_cannot_use_is_found_at_its_task(timeframe: str):
    assert places(TIMED % timeframe) == [("PE306", 10, 15)]


def test_a_timeframe_that_the_spec_replaces_is_no_finding():
    assert places(TIMED % "120", Gate("production", timeframe="2m")) == []


def test_what_is_absent_is_found_where_it_should_stand():
    assert places(SHIPYARD, Gate("live")) == [("PE302", 5, 7)]
    assert places(SHIPYARD, Gate("production", sequence="deploy")) == [("PE303", 5, 7)]
    assert places(SHIPYARD, Gate("production", after_task="deploy")) == [("PE304", 7, 11)]


def test_a_missing_timeframe_matters_only_where_nothing_else_gives_the_window():
    def codes(tasks: str, sequence: str = "delivery") -> list[str]:
        text = (
            SHIPYARD.replace("[", "")
            .replace("delivery", sequence)
            .replace("            - name: je-deployment\n", tasks)
        )
        return [finding.code for finding in check_shipyard(text, "shipyard.yaml")]

    evaluation = "            - name: evaluation\n"
    assert codes(evaluation) == ["PE311"]
    assert codes("            - name: test\n" + evaluation) == []
    assert codes(evaluation, sequence="evaluation") == []


def test_the_load_test_may_have_an_evaluation_in_front_of_it_if_another_one_follows():
    before, after = ("            - name: evaluation\n              properties: {timeframe: 2m}\n",) * 2
    test = "            - name: je-test\n"

    assert [place[0] for place in places(SHIPYARD + before + test)] == ["PE310"]
    assert places(SHIPYARD + before + test + after) == []


def test_findings_are_sorted_by_file_and_place():
    found = checked({"slo.yaml": "a: [", "job/config.yaml": "a: b"}, shipyard=TIMED % "5")

    assert [finding.path for finding in found] == ["job/config.yaml", "shipyard.yaml", "slo.yaml"]
