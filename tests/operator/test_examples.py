"""Every example is accepted by the API server, would be pushed, and stands in the documentation as it is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from demo.upstream import create_upstream
from prodeval.domain.resource import Target, read_resource

RESOURCES = sorted(Path("examples").glob("*.yaml"))
INSTALLATIONS = sorted(path for path in Path("examples/install").rglob("*") if path.is_file())
OVERLAY = [Path("examples/kustomize", f"{name}.yaml") for name in ("helloservice", "kustomization", "name-reference")]
CHECK = Path("examples/argocd/health.lua")
PRODEVAL = Path(sys.executable).with_name("prodeval")
PAGE = Path("docs/resource.md")
EVERY_FIELD = Path("examples/every-field.yaml")
each = pytest.mark.parametrize("example", RESOURCES, ids=lambda path: path.stem)


def resource(example):
    """The only ProductionEvaluation of a file."""
    documents = yaml.safe_load_all(example.read_text())
    (found,) = (one for one in documents if one["kind"] == "ProductionEvaluation")
    return found


@each
def test_the_api_server_accepts_it(cluster, example):
    said = cluster.kubectl("apply", "--dry-run=server", "--filename", str(example)).splitlines()
    assert {line.partition(" ")[2] for line in said} == {"created (server dry run)"}


@each
def test_it_reads_as_what_it_says(example):
    assert read_resource(resource(example)).target == Target("fulltour", "production", "helloservice")


@each
def test_lint_finds_nothing(example):
    ran = subprocess.run([PRODEVAL, "lint", example], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.fixture(scope="module")
def plan(gitserver):
    """What would be pushed for an example to the tutorial's upstream."""
    upstream = create_upstream(gitserver())

    def of(example):
        command = [PRODEVAL, "plan", "--file", example, "--upstream", upstream]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return of


@each
def test_it_would_be_pushed_without_a_doubt(plan, example):
    ran = plan(example)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "helloservice/slo.yaml" in ran.stdout


def test_the_added_lines_in_the_page_are_those_of_the_plan(plan):
    last, compared = RESOURCES[0], []
    for kind, text in re.findall(r"```(yaml|diff)\n(.*?)\n```", PAGE.read_text(), re.DOTALL):
        if kind == "yaml":
            (last,) = (example for example in (*RESOURCES, *OVERLAY) if example.read_text().strip() == text)
        else:
            shown = last if compared else Path("examples/helloservice.yaml")
            assert text in plan(shown).stdout
            compared.append(shown.stem)
    assert compared == ["helloservice", "live-traffic", "rollback"]


@pytest.mark.parametrize(
    ("page", "example"),
    [
        *((PAGE, example) for example in (*RESOURCES, *OVERLAY)),
        *((Path("docs/install.md"), file) for file in INSTALLATIONS),
        (Path("docs/status.md"), CHECK),
    ],
    ids=lambda path: path.name if path.suffix == ".md" else str(path.relative_to("examples")),
)
def test_it_stands_in_the_documentation(page, example):
    assert f"```{example.suffix.lstrip('.')}\n{example.read_text().strip()}\n```" in page.read_text()


def fields(schema, place=""):
    """The paths of all fields below a schema; of objects and lists what is in them."""
    below = [fields(field, f"{place}.{name}") for name, field in schema.get("properties", {}).items()]
    inside = fields(schema["items"], f"{place}[]") if "properties" in schema.get("items", {}) else set()
    return set().union(inside, *below) or {place.lstrip(".")}


@pytest.fixture(scope="module")
def spec_fields():
    definition = yaml.safe_load(Path("crds/productionevaluations.yaml").read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return fields(schema["properties"]["spec"])


def test_the_page_describes_every_field(spec_fields):
    rows = set(re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.MULTILINE))
    described = {"files[].configMap.items[].key", "files[].configMap.items[].path"}
    assert spec_fields - rows == described
    assert rows & {"project", "files"} == {"project", "files"}


def test_one_example_has_every_field(spec_fields):
    assert set(given(resource(EVERY_FIELD)["spec"])) == spec_fields


def given(value, place=""):
    """The paths of all values."""
    if isinstance(value, dict):
        for name, each_value in value.items():
            yield from given(each_value, f"{place}.{name}")
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for item in value:
            yield from given(item, f"{place}[]")
    else:
        yield place.lstrip(".")
