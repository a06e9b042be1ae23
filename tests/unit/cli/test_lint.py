"""`prodeval lint`: which files it takes for what, what it writes, and how it ends."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from prodeval.cli import main
from prodeval.domain.preflight import CHECKS
from tests.unit.preflight.upstream import GOOD, SHIPYARD

ROOT = Path(__file__).parents[3]
RESOURCE = """\
apiVersion: prodeval.dev/v1alpha1
kind: ProductionEvaluation
metadata: {name: helloservice}
spec: {project: fulltour, service: helloservice}
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good service, and the working directory above it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "helloservice"
    for name, text in GOOD.items():
        write(folder / name, text)
    write(tmp_path / "shipyard.yaml", SHIPYARD)
    write(tmp_path / "resource.yaml", RESOURCE)
    return folder


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def lint(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    code = main(["lint", *arguments])
    return code, capsys.readouterr().out.splitlines()


def test_a_good_folder_is_clean_and_silent(service: Path, capsys):
    assert lint(capsys, ".") == (0, [])


def test_a_finding_is_a_line_with_file_line_column_code_message_and_remedy(service: Path, capsys):
    write(service / "slo.yaml", GOOD["slo.yaml"].replace('[">5"]', '["5"]'))

    code, lines = lint(capsys, "helloservice")

    assert code == 1
    assert re.fullmatch(r"helloservice/slo\.yaml:4:\d+ PE102 '5' is no criterion: .*; write one like .*", lines[0])


def test_doubts_alone_are_no_failure(service: Path, capsys):
    write(service / "locust/locust.conf", "run-time = 1h\n")

    code, lines = lint(capsys, "helloservice")

    assert code == 0
    assert [line.split()[1] for line in lines] == ["PE512"]


def test_the_job_config_beside_it_tells_how_long_a_load_test_may_run(service: Path, capsys):
    write(service / "locust/locust.conf", "run-time = 10m\n")
    write(
        service / "job/config.yaml",
        GOOD["job/config.yaml"].replace("{name: locust,", "{name: x, maxPollDuration: 900,"),
    )

    assert lint(capsys, ".") == (0, [])


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("any.yml", "objectives: []\n", "PE104"),
        ("any.yml", '{"objectives": [], "total_score": {"pass": "1"}}', "PE104"),
        ("any.yaml", "indicators: [a]\n", "PE201"),
        ("any.json", '{"kind": "Shipyard"}', "PE301"),
        ("any.yaml", "apiVersion: spec.keptn.sh/0.2.3\n", "PE301"),
        ("any.yaml", "apiVersion: v2\nactions: [{event: x}]\n", "PE401"),
        ("any.yaml", RESOURCE.replace("project", "projct"), "PE601"),
        ("any.yaml", "kind: Service\n---\n" + RESOURCE.replace("project", "projct"), "PE601"),
        ("any.py", "from locust import task\n(\n", "PE510"),
        ("any.conf", "run-time = x\n", "PE511"),
        ("broken.yaml", "objectives:\n- sli: [\n", "PE101"),
        ("slo.yaml", "a: [\n", "PE101"),
        ("slo.yaml", "", "PE104"),
        ("sli.yaml", "\t", "PE201"),
        ("shipyard.yaml", "{{ template }}", "PE301"),
        ("job/config.yaml", "- a\n", "PE401"),
        ("slo.yaml", b"objectives: \xff\n", "PE101"),
        ("any.yaml", b"kind: Shipyard\nmetadata: \xff\n", "PE301"),
        ("any.yaml", b"# prodeval.dev/ ProductionEvaluation \xff\n", "PE601"),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_content_and_by_its_name_if_that_is_broken(
    name: str, text: str | bytes, code: str, tmp_path: Path, capsys
):
    write(tmp_path / name, text)

    assert code in {line.split()[1] for line in lint(capsys, str(tmp_path))[1]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\n"),
        ("chart.yaml", "apiVersion: v2\nname: x\n"),
        ("list.yaml", "- a\n"),
        ("broken.yaml", "a: [\n"),
        ("script.py", "def x(:\n"),
        ("nginx.conf", "server {\n"),
        ("README.md", "objectives: []\n"),
        (".hidden/slo.yaml", "objectives: []\n"),
    ],
)
def test_files_of_other_kinds_are_nobodys_business_in_a_folder(name: str, text: str, tmp_path: Path, capsys):
    write(tmp_path / name, text)

    assert lint(capsys, str(tmp_path)) == (0, [])


def test_a_file_of_another_kind_that_was_named_is_mentioned(tmp_path: Path, capsys):
    write(tmp_path / "x.yaml", "kind: Deployment\n")

    assert main(["lint", str(tmp_path / "x.yaml")]) == 0
    assert "nothing to check" in capsys.readouterr().err


def test_keptns_own_hidden_folder_is_looked_into_and_links_are_not_followed(tmp_path: Path, capsys):
    write(tmp_path / ".keptn-stages/qa/svc/slo.yaml", "objectives: []\n")
    (tmp_path / "link").symlink_to(tmp_path)

    assert len(lint(capsys, str(tmp_path))[1]) == 2


def test_indicators_may_stand_in_an_sli_file_further_up(service: Path, capsys):
    write(service / "slo.yaml", GOOD["slo.yaml"].replace("throughput", "errors"))
    assert [line.split()[1] for line in lint(capsys, ".")[1]] == ["PE111"]

    write(service.parent / "prometheus/sli.yaml", "indicators: {errors: up}\n")
    assert lint(capsys, ".") == (0, [])


def test_json_is_a_list_of_objects(service: Path, capsys):
    write(service / "slo.yaml", "objectives: []\ntotal_score: {pass: '1'}\n")

    main(["lint", "-o", "json", "."])
    (found,) = json.loads(capsys.readouterr().out)

    assert found == {
        "code": "PE104",
        "severity": "error",
        "path": "helloservice/slo.yaml",
        "line": 1,
        "column": 1,
        "message": found["message"],
        "remedy": "give at least one objective pass criteria",
    }


def test_sarif_names_the_rule_the_level_and_the_region(service: Path, capsys):
    write(service / "a b" / "locust.conf", "run-time = 1h\n")

    assert main(["lint", "-o", "sarif", "."]) == 0
    log = json.loads(capsys.readouterr().out)

    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [check.code for check in CHECKS]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("PE512", "warning")
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "helloservice/a%20b/locust.conf"},
                "region": {"startLine": 1, "startColumn": 1},
            }
        }
    ]


@pytest.mark.parametrize("arguments", [[], ["-o", "xml", "."]])
def test_wrong_usage_ends_with_2(arguments: list[str], capsys):
    with pytest.raises(SystemExit) as ended:
        main(["lint", *arguments])

    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_path_that_cannot_be_read_ends_with_2(tmp_path: Path, capsys):
    assert main(["lint", str(tmp_path / "absent")]) == 2
    assert "absent: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["lint", "evaluate"])
def test_the_command_starts_without_the_operators_libraries(command: str):
    code = f"import sys; from prodeval.cli import main\ntry: main(['{command}', '--help'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'kopf', 'kubernetes', 'requests', 'dulwich', 'urllib3', 'aiohttp'} & sys.modules.keys()))"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.endswith("[]\n")


def test_the_examples_of_the_help_run(service: Path, capsys):
    for name, text in GOOD.items():
        write(service.parent / "examples" / name, text)
    write(service.parent / "slo.yaml", GOOD["slo.yaml"])
    with pytest.raises(SystemExit):
        main(["lint", "--help"])
    examples = re.findall(r"^  (prodeval lint .*?)(?: {2,}.*)?$", capsys.readouterr().out, re.MULTILINE)

    assert len(examples) == 3
    for example in examples:
        subprocess.run(example, shell=True, check=True, env={"PATH": f"{Path(sys.executable).parent}:/bin:/usr/bin"})
    assert json.loads((service.parent / "lint.sarif").read_text())["runs"][0]["results"] == []


def test_the_pre_commit_hook_runs_lint_on_files_of_these_kinds():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

    assert hook["entry"] == "prodeval lint"
    assert all(re.search(hook["files"], name) for name in [*GOOD, "shipyard.json", "resource.yml"])
