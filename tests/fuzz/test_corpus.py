"""The seeds of the fuzzer, and every input that ever crashed a parser."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, run

CORPUS = Path(__file__).with_name("corpus")
INPUTS = sorted(path for path in CORPUS.glob("*/*"))


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_but_the_projects_errors_leaves_a_parser(path: Path):
    run(path.parent.name, path.read_bytes())


def test_each_parser_has_seeds():
    assert {path.parent.name for path in INPUTS} == TARGETS.keys()
