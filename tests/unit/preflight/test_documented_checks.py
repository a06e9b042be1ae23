"""Each check of the docs: the bad example has the finding, the good one has none at all."""

import re
from pathlib import Path

import pytest
import yaml

from prodeval.domain.preflight import CHECKS, Finding, lint
from tests.unit.preflight.upstream import checked

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
SECTIONS = {part[:5]: part for part in re.split(r"^## ", DOCS, flags=re.MULTILINE)[1:]}
SCHEMA = yaml.safe_load((ROOT / "crds/productionevaluations.yaml").read_text(encoding="utf-8"))
SPEC = SCHEMA["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def example(code: str, which: str) -> tuple[str, str]:
    """The file's name and text."""
    found = re.search(rf"^{which} `([^`]+)`:\n\n```\w*\n(.*?)^```", SECTIONS[code], re.MULTILINE | re.DOTALL)
    assert found, f"no {which} example for {code}"
    return found[1], found[2]


def findings(code: str, which: str) -> tuple[Finding, ...]:
    name, text = example(code, which)
    if name == "resource.yaml":
        return lint(name, {name: text.encode()}, SPEC).findings
    if name == "shipyard.yaml":
        return checked(shipyard=text)
    if name == "subscriptions":
        return checked(subscriptions=frozenset(text.split()))
    return checked({name: text})


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_the_bad_example_has_the_finding_in_its_file(check):
    found = {finding.code: finding for finding in findings(check.code, "Bad")}

    assert check.code in found
    assert found[check.code].severity is check.severity
    name = example(check.code, "Bad")[0]
    assert found[check.code].path == (name if name != "subscriptions" else "shipyard.yaml")
    assert found[check.code].line > 0 or name == "subscriptions"
    assert found[check.code].remedy


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_the_good_example_has_no_finding(check):
    assert findings(check.code, "Good") == ()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_the_section_has_the_title_and_the_severity(check):
    title, _, text = SECTIONS[check.code].partition("\n")

    assert title == f"{check.code}: {check.title}"
    assert text.startswith(f"\n{check.severity.value.capitalize()}.")


def test_there_is_a_section_for_each_code_and_no_other():
    assert list(SECTIONS) == sorted(check.code for check in CHECKS)
