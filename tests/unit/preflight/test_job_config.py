"""Who answers a task: event patterns, JSONPath conditions, levels, and the other services of a stage."""

import pytest

from prodeval.domain.errors import InvalidFileError, WouldBreakServicesError
from prodeval.domain.preflight import check_services, effective
from prodeval.domain.preflight.job_config import matches, read_job_config
from prodeval.domain.resource import Target
from prodeval.domain.shipyard import Gate
from tests.unit.preflight.upstream import JOB_CONFIG, TARGET, checked, codes, level

EVENT = "sh.keptn.event.je-test.triggered"
OTHER = JOB_CONFIG.replace("je-test", "test")


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (EVENT, True),
        ("je-test", True),
        ("", True),
        ("^sh.keptn.event.(je-test|je-deployment).triggered$", True),
        (r"sh\.keptn\.event\.je-.*\.triggered", True),
        ("sh.keptn.event.[a-z-]+.triggered", True),
        ("sh.keptn.event.(?:je-)?test.triggered", True),
        ("sh.keptn.event.test.triggered", False),
        ("^je-test", False),
        ("(", False),
        ("(a+)+$", None),
        ("(a|a)*$", None),
        (".*.*.*.*x", None),
        ("[[:alpha:]]", None),
        ("(?i)JE-TEST", None),
        (r"\pL", None),
        ("x" * 500, None),
        ("s" + "?" * 60 + "}", None),
        ("[" * 60 + "a" * 60 + "{1,2" * 20, None),
    ],
)
def test_a_pattern_is_tried_without_anchors_unless_it_could_take_long_or_mean_something_else_in_go(
    pattern: str, fits: bool | None
):
    assert matches(pattern, EVENT) is fits


def condition(path: str, value: str) -> str:
    return JOB_CONFIG.replace(EVENT, f'{EVENT}\n        jsonpath: {{property: "{path}", match: {value}}}')


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("$.data.stage", "production", []),
        ("$.data.stage", "qa", ["PE402"]),
        ("$.data.service", "other", ["PE402"]),
        ("$.data.project", "fulltour", []),
        ("$.data.test.teststrategy", "whatever", []),
    ],
)
def test_a_condition_on_stage_service_or_project_is_evaluated_and_any_other_may_hold(
    path: str, value: str, found: list[str]
):
    assert codes(checked({"job/config.yaml": condition(path, value)})) == found


def test_the_first_level_that_has_a_file_counts():
    stage, project = level({"job/config.yaml": JOB_CONFIG}), level({"job/config.yaml": OTHER})

    assert codes(checked({"job/config.yaml": None}, stage=stage, project=project)) == []
    assert codes(checked({"job/config.yaml": None}, project=project)) == ["PE402"]
    assert codes(checked({"job/config.yaml": OTHER}, stage=stage)) == ["PE402"]
    assert codes(checked({"job/config.yaml": None})) == ["PE402"]
    assert effective(None, b"stage", b"project") == b"stage"


def test_with_live_traffic_nobody_has_to_answer_but_the_file_has_to_be_readable():
    live = Gate("production", load="LiveTraffic")

    assert codes(checked({"job/config.yaml": OTHER}, gate=live, subscriptions=frozenset())) == []
    assert codes(checked({"job/config.yaml": "a: b"}, gate=live)) == ["PE401"]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("actions: []\n", 1, "apiVersion is missing"),
        ("apiVersion: v1\n", 1, "must be v2"),
        ("apiVersion: v2\naction: []\n", 2, "knows no 'action'"),
        ("apiVersion: v2\nactions:\n- tasks:\n  - img: x\n", 4, "knows no 'img'"),
        ("apiVersion: v2\nactions:\n- events:\n  - name: x\n    jsonpath: {path: y}\n", 5, "knows no 'path'"),
        ("apiVersion: v2\nactions: {}\n", 2, "a list"),
        ("apiVersion: v2\nactions:\n- tasks: [{maxPollDuration: '5'}]\n", 3, "a whole number"),
        ("", 1, "apiVersion is missing"),
        ("a: [\n", 2, "parsing"),
    ],
)
def test_what_the_job_executor_refuses_is_refused_by_line(text: str, line: int, problem: str):
    with pytest.raises(InvalidFileError, match=problem) as refused:
        read_job_config(text)

    assert refused.value.line == line


def test_the_most_patient_job_of_an_action_counts():
    text = "apiVersion: v2\nactions:\n- tasks: [{maxPollDuration: 60}, {maxPollDuration: 900}]\n- tasks: [{}]\n"

    assert [action.poll_seconds for action in read_job_config(text)] == [900, 300]


def test_services_that_a_new_task_would_hang_are_named_together():
    configs = {
        Target("p", "production", "a"): JOB_CONFIG.encode(),
        Target("p", "production", "c"): OTHER.encode(),
        Target("p", "production", "b"): None,
        Target("p", "production", "d"): b"\xff",
    }

    with pytest.raises(WouldBreakServicesError, match=r"each delivery of b, c, d would wait"):
        check_services(configs, "je-test")
    check_services({TARGET: JOB_CONFIG.encode()}, "je-test")


def test_a_subscription_to_everything_is_one_to_the_task():
    assert codes(checked(subscriptions=frozenset({"sh.keptn.>"}))) == []
    assert codes(checked(subscriptions=None)) == []
