"""Recorded SLI retrievals of prometheus-service, each reproduced: the queries sent and the values delivered."""

import json
from typing import Any

import pytest

from prodeval.domain.sli import Answer, Retrieval, SLIRequest, retrieve
from tests.unit.slo.recorded import lines

CASES = lines("retrievals")
NEVER_ANSWERED = {"inf", "neg-inf"}
"""Keptn has no JSON for infinities and never answers; we report a failed value."""
PRESENT_AS_END = {"badend"}
"""Keptn takes the present for an end that it cannot read; we report a failed value."""
UNREADABLE = {"empty-sli-file", "nested-indicator", "list-indicator", "badyaml"}
"""We keep the file and the place, Keptn prints the decoder's error through a broken format."""
DIFFERENT = NEVER_ANSWERED | PRESENT_AS_END | UNREADABLE


def retrieved(case: dict[str, Any]) -> tuple[Retrieval, list[dict[str, str]]]:
    sent = []

    def ask(query: str, time: str) -> Answer:
        sent.append({"method": "POST", "path": "/api/v1/query", "query": query, "time": time})
        answer = case["answers"].get(query) or case["answers"]["*"]
        body = answer["text"] if "text" in answer else json.dumps(answer["body"])
        return Answer(answer.get("status", 200), body.encode())

    levels = (case["project_sli"], case["stage_sli"], case["service_sli"])
    return retrieve(request(case["data"]), levels, ask), sent


def request(data: dict[str, Any]) -> SLIRequest:
    asked = data["get-sli"]
    return SLIRequest(
        project=data["project"],
        stage=data["stage"],
        service=data["service"],
        indicators=tuple(asked["indicators"]),
        start=asked["start"],
        end=asked["end"],
        labels=data["labels"],
        filters={one["key"]: one["value"] for one in asked.get("customFilters", ())},
        deployment=data.get("deployment", ""),
    )


def delivered(retrieval: Retrieval) -> list[dict[str, Any]] | None:
    values = [
        {"metric": one.metric, "value": one.value, "comparedValue": 0, "success": one.success}
        | ({"message": one.message} if one.message else {})
        for one in retrieval.values
    ]
    return values or None


@pytest.mark.parametrize("case", [case for case in CASES if case["id"] not in DIFFERENT], ids=lambda case: case["id"])
def test_a_recorded_retrieval_is_reproduced(case: dict[str, Any]) -> None:
    retrieval, sent = retrieved(case)
    expected = case["expected"]
    assert sent == expected["requests"]
    assert (retrieval.status, retrieval.result) == (expected["status"], expected["result"])
    assert (retrieval.message or None) == expected["message"]
    assert delivered(retrieval) == expected["indicatorValues"]


@pytest.mark.parametrize("case", [case for case in CASES if case["id"] in NEVER_ANSWERED], ids=lambda case: case["id"])
def test_where_keptn_never_answers_there_is_a_failed_value(case: dict[str, Any]) -> None:
    retrieval, sent = retrieved(case)
    assert case["expected"]["keptn_never_answers"]
    assert sent == case["expected"]["requests"]
    assert [one.message for one in retrieval.values] == ["query did not return valid values"]
    assert retrieval.result == "fail"


@pytest.mark.parametrize("case", [case for case in CASES if case["id"] in PRESENT_AS_END], ids=lambda case: case["id"])
def test_an_end_that_cannot_be_read_is_a_failed_value(case: dict[str, Any]) -> None:
    retrieval, sent = retrieved(case)
    assert sent == []
    assert [one.message for one in retrieval.values] == [
        'unable to parse end timestamp: strconv.ParseInt: parsing "nope": invalid syntax'
    ]


@pytest.mark.parametrize("case", [case for case in CASES if case["id"] in UNREADABLE], ids=lambda case: case["id"])
def test_an_unreadable_file_is_an_error_with_its_place(case: dict[str, Any]) -> None:
    retrieval, sent = retrieved(case)
    ours, theirs = retrieval.message, case["expected"]["error"]
    beginning = "unable to retrieve custom queries for project proj: "
    assert (retrieval.status, retrieval.values, sent) == ("errored", (), [])
    assert theirs.startswith(beginning)
    assert ours.startswith(f"{beginning}prometheus/sli.yaml of the service:")


def test_every_recorded_retrieval_is_looked_at() -> None:
    assert len(CASES) == 45
    assert len(DIFFERENT) == 7
    assert {case["id"] for case in CASES} > DIFFERENT
