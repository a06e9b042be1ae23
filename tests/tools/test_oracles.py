import json
import subprocess
from collections.abc import Iterable
from pathlib import Path


def ask(program: Path, questions: Iterable[object]) -> list[dict]:
    stdin = "".join(json.dumps(question) + "\n" for question in questions)
    ran = subprocess.run([program], input=stdin, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def resource(**status: object) -> dict:
    return {
        "apiVersion": "prodeval.dev/v1alpha1",
        "kind": "ProductionEvaluation",
        "metadata": {"name": "helloservice", "namespace": "default", "generation": 2},
        "status": status,
    }


def test_kstatus_answers_each_object_in_order(tools: Path):
    stalled = {"type": "Stalled", "status": "True", "reason": "EvaluationFailed", "message": "p95 is too high"}

    answers = ask(
        tools / "kstatus",
        [
            resource(observedGeneration=1),
            resource(observedGeneration=2),
            resource(observedGeneration=2, conditions=[stalled]),
            {},
        ],
    )

    assert [answer.get("status") for answer in answers] == ["InProgress", "Current", "Failed", None]
    assert answers[2]["message"] == "p95 is too high"
    assert "Kind" in answers[3]["error"]


def decode(tools: Path, kind: str, *texts: str) -> list[dict]:
    return ask(tools / "keptn-decode", [{"kind": kind, "text": text} for text in texts])


def test_an_slo_gets_the_defaults_of_lighthouse(tools: Path):
    absent, empty = decode(tools, "slo", "objectives: [{sli: a}]", "comparison: {}")

    assert absent["objectives"][0]["weight"] == 1
    assert absent["comparison"]["number_of_comparison_results"] == 1
    assert empty["comparison"] == {
        "compare_with": "",
        "include_result_with_score": "all",
        "number_of_comparison_results": 3,
        "aggregate_function": "avg",
    }


def test_a_document_that_crashes_keptn_is_a_panic_and_the_next_one_is_answered(tools: Path):
    crashed, next_one = decode(tools, "slo", "---\n", "total_score: {pass: 90%}")

    assert crashed["error"].startswith("panic: ")
    assert next_one["total_score"] == {"pass": "90%", "warning": ""}


def test_what_yaml_refuses_is_an_error(tools: Path):
    (answer,) = decode(tools, "slo", "a: b: c")

    assert answer["error"] == "yaml: mapping values are not allowed in this context"


def test_a_shipyard_is_decoded(tools: Path):
    text = (
        "spec: {stages: [{name: qa, sequences: [{name: delivery, tasks: [{name: evaluation, triggeredAfter: 2m}]}]}]}"
    )

    (answer,) = decode(tools, "shipyard", text)

    assert answer["spec"]["stages"][0]["sequences"][0]["tasks"] == [
        {"name": "evaluation", "triggeredAfter": "2m", "properties": None}
    ]


def test_thousands_of_texts_are_answered_by_one_process(tools: Path):
    answers = decode(tools, "slo", *(f"spec_version: '{number}'" for number in range(5000)))

    assert [answer["spec_version"] for answer in answers] == [str(number) for number in range(5000)]
