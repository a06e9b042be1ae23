"""`prodeval evaluate`: what it reads, what it prints, and its exit codes."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from prodeval.cli import main
from tests.unit.slo.recorded import DATA

SLO = """\
comparison: {compare_with: single_result, include_result_with_score: pass}
objectives:
  - sli: response_time_p95
    displayName: Response time
    key_sli: true
    weight: 2
    pass: [{criteria: ["<=+10%", "<0.6"]}]
    warning: [{criteria: ["<0.8"]}]
  - sli: error_rate
    pass: [{criteria: ["=0"]}, {criteria: ["=7"]}]
  - sli: throughput
total_score: {pass: 90%, warning: 75%}
"""
HISTORY = """\
- {id: e1, time: "2023-03-01T09:00:00.000Z", result: pass, values: {response_time_p95: 0.25}}
- {id: e2, time: "2023-03-02T09:00:00.000Z", result: pass, values: {response_time_p95: 0.5}, failed: [error_rate]}
- {id: e3, time: "2023-03-03T09:00:00.000Z", result: fail, values: {response_time_p95: 9}}
- {id: e4, time: "2023-03-04T09:00:00.000Z", result: pass, invalidated: true, values: {response_time_p95: 9}}
"""
GOOD = "{response_time_p95: 0.4, error_rate: 0, throughput: 20}"
SLOW = "{response_time_p95: 0.7, error_rate: 0, throughput: null}"
BAD = """\
- {metric: response_time_p95, value: 3}
- {metric: error_rate, success: false, message: query did not return any values}
"""


class Command:
    """The command in a folder with its files."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.err = ""

    def file(self, name: str, text: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def run(self, *arguments: str) -> tuple[int, str]:
        code = main(["evaluate", *arguments])
        out, self.err = self.capsys.readouterr()
        return code, out

    def evaluate(self, values: str, *arguments: str, slo: str = SLO) -> tuple[int, str]:
        files = ("--slo", self.file("slo.yaml", slo), "--values", self.file("values.yaml", values))
        return self.run(*files, "--history", self.file("history.yaml", HISTORY), *arguments)


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


def test_a_pass_as_a_table(command: Command) -> None:
    assert command.evaluate(GOOD) == (
        0,
        (
            "OBJECTIVE            VALUE  COMPARED  PASS                    WARNING  VERDICT  POINTS\n"
            "Response time (key)  0.4    0.5       <=+10% (0.55) and <0.6  <0.8     pass     2/2\n"
            "error_rate           0      -         =0 or =7 ✗              -        pass     1/1\n"
            "throughput           20     -         -                       -        info     -\n"
            "\n"
            "Verdict: pass, score 100 (pass from 90%, warning from 75%)\n"
            "Compared with: e2\n"
        ),
    )


def test_a_fail_as_a_table_names_the_cause(command: Command) -> None:
    code, out = command.evaluate(BAD)
    assert code == 1
    assert out == (
        "OBJECTIVE            VALUE  COMPARED  PASS                        WARNING  VERDICT  POINTS\n"
        "Response time (key)  3      0.5       <=+10% (0.55) ✗ and <0.6 ✗  <0.8 ✗   fail     0/2\n"
        "error_rate           -      -         =0 ✗ or =7 ✗                -        fail     0/1\n"
        "throughput           -      -         -                           -        info     -\n"
        "\n"
        "Verdict: fail, score 0 (pass from 90%, warning from 75%)\n"
        "Message: Evaluation failed due to key_sli objective 'Response time': failed evaluation with score 0.000000\n"
        "error_rate: query did not return any values\n"
        "Compared with: e2\n"
    )


def test_a_warning_exits_like_a_pass(command: Command) -> None:
    slo = SLO.replace("warning: 75%", "warning: 60%")
    code, out = command.evaluate(SLOW, slo=slo)
    assert code == 0
    assert "Verdict: warning, score 66.67 (pass from 90%, warning from 60%)" in out


def test_an_error_has_no_score_and_notes_are_printed(command: Command) -> None:
    slo = SLO.replace("single_result", "Single_Result").replace("pass: 90%", "pass: high")
    assert command.evaluate(GOOD, slo=slo) == (
        1,
        (
            "Verdict: fail, errored\n"
            "Message: could not parse pass target percentage\n"
            "Note: compare_with 'Single_Result' is unknown: Keptn compares with the last 3 results; "
            "write single_result or several_results\n"
        ),
    )


def test_a_criterion_that_was_not_read_says_so(command: Command) -> None:
    slo = SLO.replace('criteria: ["=0"]', 'criteria: ["0"]')
    _, out = command.evaluate("{response_time_p95: 0.4, error_rate: null}", slo=slo)
    assert "0 (unreadable) or =7 ✗" in out


def test_json_is_the_object_of_the_event(command: Command) -> None:
    code, out = command.evaluate(GOOD, "-o", "json")
    told = json.loads(out)
    assert (code, told["status"], told["result"], told["message"], told["notes"]) == (0, "succeeded", "pass", "", [])
    assert told["evaluation"]["comparedEvents"] == ["e2"]
    assert told["evaluation"]["indicatorResults"][0]["value"]["comparedValue"] == 0.5


def junit(out: str) -> dict[str, str]:
    suite = ET.fromstring(out)
    kinds = {case.get("name", ""): (case[0].tag if len(case) else "passed") for case in suite}
    assert suite.get("tests") == str(len(kinds))
    assert suite.get("failures") == str(list(kinds.values()).count("failure"))
    assert suite.get("skipped") == str(list(kinds.values()).count("skipped"))
    return kinds


def test_junit_of_a_fail_has_a_failure_for_each_failed_objective(command: Command) -> None:
    code, out = command.evaluate(BAD, "-o", "junit")
    assert code == 1
    assert junit(out) == {
        "Response time": "failure",
        "error_rate": "failure",
        "throughput": "skipped",
        "total score": "failure",
    }


def test_junit_of_a_pass_has_no_failure_though_an_objective_failed(command: Command) -> None:
    slo = SLO.replace("pass: 90%", "pass: 60%")
    code, out = command.evaluate("{response_time_p95: 0.4, error_rate: 5, throughput: 1}", "-o", "junit", slo=slo)
    assert code == 0
    assert junit(out) == {
        "Response time": "system-out",
        "error_rate": "skipped",
        "throughput": "skipped",
        "total score": "passed",
    }


def test_junit_survives_characters_that_xml_cannot_hold(command: Command) -> None:
    slo = 'objectives: [{sli: a, displayName: "a\\0\\a<&", pass: [{criteria: ["<1"]}]}]\ntotal_score: {pass: "1"}\n'
    _, out = command.evaluate("{a: 0}", "-o", "junit", slo=slo)
    assert list(junit(out)) == ["a\ufffd\ufffd<&", "total score"]


@pytest.mark.parametrize("values", ["", "{}", "[]"])
def test_no_values_at_all_are_values(command: Command, values: str) -> None:
    code, out = command.evaluate(values)
    assert code == 1
    assert "error_rate: no value received from SLI provider" in out


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("slo.yaml", "objectives: {a: b}", "slo.yaml:1:13: objectives wants a list, not a mapping"),
        ("slo.yaml", b"\xff", "slo.yaml: byte 0 is no UTF-8"),
        ("values.yaml", "{a: [", "values.yaml:2:1: "),
        ("values.yaml", "text", "values.yaml: wants a mapping from indicator to number, or a list of values"),
        ("values.yaml", "{a: b}", "values.yaml: the value of a wants a number, not 'b'"),
        ("values.yaml", "{a: true}", "values.yaml: the value of a wants a number, not True"),
        ("values.yaml", "[{value: 1}]", "values.yaml: value 1 wants a metric, and success as true or false"),
        ("values.yaml", "[{metric: a, success: 1}]", "values.yaml: value 1 wants a metric"),
        ("history.yaml", "{a: 1}", "history.yaml: wants a list of earlier evaluations"),
        ("history.yaml", "[{time: x, result: pass}]", "history.yaml, evaluation 1: time: 'x' is no timestamp"),
        (
            "history.yaml",
            "[{result: good}]",
            "history.yaml, evaluation 1: result wants one of pass, warning, fail, not 'good'",
        ),
        (
            "history.yaml",
            "[{result: pass, failed: a}]",
            "history.yaml, evaluation 1: failed wants a list of indicators",
        ),
    ],
)
def test_bad_input_exits_2_and_names_the_place(command: Command, name: str, text: str | bytes, problem: str) -> None:
    given = {"slo.yaml": SLO, "values.yaml": GOOD, "history.yaml": HISTORY} | {name: text}
    files = {name: command.file(name, content) for name, content in given.items()}
    options = [item for name, path in files.items() for item in (f"--{name.split('.', maxsplit=1)[0]}", path)]
    assert command.run(*options) == (2, "")
    assert f"prodeval evaluate: {command.folder}/{problem}" in command.err


def test_an_empty_history_is_a_history(command: Command) -> None:
    files = ("--slo", command.file("slo.yaml", SLO), "--values", command.file("values.yaml", GOOD))
    code, out = command.run(*files, "--history", command.file("history.yaml", ""))
    assert code == 0
    assert "Compared with" not in out


def test_a_number_beyond_all_floats_is_bad_input(command: Command) -> None:
    recorded = {"id": "big", "slo": SLO, "sli": [{"metric": "a", "value": 10**400, "success": True}]}
    code, out = command.run("--cases", command.file("cases.jsonl", json.dumps(recorded)))
    assert (code, out) == (
        1,
        "big cannot be read: sli: the value of a is beyond the range of numbers\n0 agree, 1 differ\n",
    )


def test_a_file_that_is_not_there_exits_2(command: Command) -> None:
    assert command.run("--slo", "nowhere.yaml", "--values", "nowhere.yaml") == (2, "")
    assert command.err == "prodeval evaluate: nowhere.yaml: No such file or directory\n"


def test_both_files_are_needed(command: Command) -> None:
    assert command.run("--slo", "slo.yaml") == (2, "")
    assert command.err == "prodeval evaluate: --slo and --values: both are needed\n"


def test_an_unknown_option_exits_2(command: Command) -> None:
    with pytest.raises(SystemExit) as caught:
        command.run("--nonsense")
    assert caught.value.code == 2


def test_help_does_not_speak_of_cases(command: Command) -> None:
    with pytest.raises(SystemExit) as caught:
        command.run("--help")
    assert caught.value.code == 0
    assert "cases" not in command.capsys.readouterr().out


def test_the_recorded_cases_agree(command: Command) -> None:
    assert command.run("--cases", str(DATA / "verdicts.jsonl.gz")) == (0, "1500 agree, 0 differ\n")


def first_case() -> dict[str, Any]:
    with gzip.open(DATA / "verdicts.jsonl.gz", "rt") as lines:
        case: dict[str, Any] = json.loads(next(lines))
    return case


def test_each_difference_is_printed_and_exits_1(command: Command) -> None:
    same, other = first_case(), first_case()
    other["id"] = "other"
    other["expected"]["evaluation"]["score"] = 50
    other["expected"]["evaluation"]["indicatorResults"][0]["passTargets"][0]["violated"] = 0
    other["expected"]["evaluation"]["comparedEvents"] = ["e1"]
    text = f"{json.dumps(same)}\n\n{json.dumps(other)}\n"
    assert command.run("--cases", command.file("cases.jsonl", text)) == (
        1,
        (
            "other evaluation.score: recorded 50, ours 100.0\n"
            'other evaluation.comparedEvents: recorded ["e1"], ours ""\n'
            "other evaluation.indicatorResults[0].passTargets[0].violated: recorded 0, ours false\n"
            "1 agree, 1 differ\n"
        ),
    )


def test_null_and_nothing_are_the_same_at_the_top_of_a_case(command: Command) -> None:
    message = "no evaluation performed by lighthouse because no SLO file configured for project p"
    evaluation = {"result": "pass", "score": 0, "comparedEvents": None, "indicatorResults": []}
    expected = {"status": "succeeded", "result": "pass", "message": message, "evaluation": evaluation}
    case = {"project": "p", "slo": None, "expected": expected}
    assert command.run("--cases", command.file("cases.jsonl", json.dumps(case))) == (0, "1 agree, 0 differ\n")


@pytest.mark.parametrize(
    ("name", "content"), [("cases.jsonl", b"{"), ("cases.jsonl", b"\xff"), ("cases.jsonl.gz", b"{}")]
)
def test_cases_that_cannot_be_read_exit_2(command: Command, name: str, content: bytes) -> None:
    assert command.run("--cases", command.file(name, content)) == (2, "")
    assert name in command.err


def test_it_starts_without_what_only_the_operator_needs() -> None:
    program = (
        "import sys, prodeval.cli.evaluate; print(*{'kopf', 'kubernetes', 'requests', 'dulwich'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_the_example_of_the_documentation_gives_what_it_says(command: Command) -> None:
    text = (Path(__file__).parents[3] / "docs" / "evaluate.md").read_text()
    blocks = re.findall(r"`(\w+)\.yaml`\n\n```yaml\n(.*?)```", text, re.DOTALL)
    options = [item for name, content in blocks for item in (f"--{name}", command.file(f"{name}.yaml", content))]
    told = re.search(r"\ngives\n\n```\n(.*?)```", text, re.DOTALL)
    assert told is not None
    assert [name for name, _ in blocks] == ["slo", "values", "history"]
    assert command.run(*options) == (0, told[1])
