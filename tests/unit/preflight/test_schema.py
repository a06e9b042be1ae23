"""Resources held against the schema of the CustomResourceDefinition."""

from collections.abc import Iterator

import pytest

from prodeval.domain.preflight import lint
from prodeval.domain.preflight.schema import RULES
from tests.unit.preflight.test_documented_checks import SPEC

HEAD = "apiVersion: prodeval.dev/v1alpha1\nkind: ProductionEvaluation\nmetadata: {name: x}\n"
MINIMAL = HEAD + "spec:\n  project: p\n  service: s\n"


def found(text: str) -> list[tuple[int, str]]:
    linted = lint("resource.yaml", {"resource.yaml": text.encode()}, SPEC)
    return [(finding.line, finding.message) for finding in linted.findings]


def test_the_six_lines_are_fine_alone_and_among_other_documents():
    assert found(MINIMAL) == []
    assert found("kind: Service\n---\n" + MINIMAL + "---\n" + MINIMAL) == []


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        ("  stag: production\n", 7, "spec.stag is no field"),
        ("  ? [a]\n  : b\n", 7, "spec.(no text) is no field"),
        ("  historyLimit: 51\n", 7, "spec.historyLimit is 51"),
        ("  historyLimit: -1\n", 7, "spec.historyLimit is -1"),
        ("  historyLimit: '5'\n", 7, "spec.historyLimit is no integer"),
        ("  historyLimit: true\n", 7, "spec.historyLimit is no integer"),
        ("  suspend: 1\n", 7, "spec.suspend is no boolean"),
        ("  version: 1.0\n", 7, "spec.version is no string"),
        ("  shipyard: []\n", 7, "spec.shipyard is no object"),
        ("  degradeOn: Fail\n", 7, "spec.degradeOn is no array"),
        ("  degradeOn: [Fail, Fail]\n", 7, "spec.degradeOn names something twice"),
        ("  degradeOn:\n  - Fail\n  - Bad\n", 9, "spec.degradeOn[1] is 'Bad'"),
        ("  stage: Prod\n", 7, "spec.stage is 'Prod'"),
        (f"  version: {'x' * 200}\n", 7, "spec.version is 200 characters long"),
        ("  resultTimeout: 25h\n", 7, "spec.resultTimeout: must be from 1m to 24h"),
        ("  files:\n  - {}\n", 8, "spec.files[0]: give exactly one of"),
        ("  files:\n  - stage: {paths: [slo.yaml]}\n", 8, "spec.files[0].stage.name is missing"),
        ("  files:\n  - stage: {name: qa, paths: [../x]}\n", 8, "spec.files[0].stage.paths[0] is '../x'"),
        ("  files: [" + "{stage: {name: qa}}, " * 17 + "]\n", 7, "spec.files is 17 items long"),
        (
            "  files: [" + f"{{inline: {{path: locust/x.txt, content: {'x' * 16000}}}}}, " * 5 + "]\n",
            7,
            "spec.files: inline files may hold 64 KiB together",
        ),
    ],
)
def test_what_the_api_server_refuses_is_found_at_its_line(lines: str, line: int, message: str):
    ((at, text),) = found(MINIMAL + lines)

    assert (at, text[: len(message)]) == (line, message)


def test_names_that_clash_are_found_though_the_schema_lets_them_through():
    assert "three different tasks" in found(MINIMAL + "  shipyard: {testTask: evaluation}\n")[0][1]


def test_lines_count_from_the_top_of_the_file():
    assert found("kind: Service\n---\n" + MINIMAL.replace("  project: p\n", ""))[0] == (7, "spec.project is missing")


def test_a_field_that_stands_twice_is_found_each_time():
    assert found(MINIMAL + "  service: t\n") == [
        (6, "spec.service stands here 2 times"),
        (7, "spec.service stands here 2 times"),
    ]


def test_names_and_versions_are_needed():
    assert found(MINIMAL.replace("{name: x}", "{}"))[0][1] == "metadata.name is missing"
    assert "v1alpha1" not in found(MINIMAL.replace("v1alpha1", "v9"))[0][1]


def test_a_document_that_is_no_yaml_is_found_by_its_line_in_the_file():
    assert found(MINIMAL + "---\na: [\n")[0][0] == 9


def test_every_path_that_a_resource_names_is_looked_at():
    files = """\
  files:
    - stage: {name: qa, paths: [slo.yaml, helm/x.yaml]}
    - configMap: {name: gate, items: [{key: a, path: job/config.yaml}, {key: b, path: dynatrace/sli.yaml}]}
    - inline: {path: metadata.yaml, content: x}
"""

    assert [(line, message.split()[0]) for line, message in found(MINIMAL + files)] == [
        (8, "'helm/x.yaml'"),
        (9, "'job/config.yaml'"),
        (10, "'metadata.yaml'"),
    ]


def test_inline_files_are_checked_as_the_files_that_they_become():
    text = (
        MINIMAL
        + "  files:\n  - inline:\n      path: slo.yaml\n      content: |\n        objectives:\n        - sli: [\n"
    )

    assert [(line, message[:12]) for line, message in found("---\n" + text)] == [(11, "slo.yaml:3:1")]


def test_inline_files_that_are_no_files_are_the_schemas_business():
    assert len(found(MINIMAL + "  files: [{inline: {path: [a], content: b}}, {inline: x}, {? [a] : b}, c]\n")) == 5


def rules(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for rule in schema.get("x-kubernetes-validations") or ():
            yield rule["rule"]
        for value in schema.values():
            yield from rules(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from rules(value)


def test_all_rules_of_the_schema_that_need_no_earlier_version_are_known():
    assert {rule for rule in rules(SPEC) if "oldSelf" not in rule} == RULES.keys()
