"""That the generated shipyards are what they are taken for: all styles often enough, and hardly any refused."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from prodeval.domain.errors import ShipyardRefusedError
from prodeval.domain.shipyard import Gate, patch
from tests.unit.shipyard.keptn import decoded
from tests.unit.shipyard.shipyards import Generated, shipyards

RUNS, EACH = 60, 10
STYLES = (
    "comment",
    "blank lines",
    "double quotes",
    "single quotes",
    "quote ''",
    "key quote '\"'",
    "key order",
    "list 0",
    "list 2",
    "list 4",
    "step 4",
    "gap 3",
    "CRLF",
    "BOM",
    "no final newline",
    "anchor",
    "alias",
    "flow 'tasks'",
    "flow 'item'",
    "flow 'stages'",
    "flow 'document'",
    "flow 'json'",
    "flow 'json lines'",
    "flow over lines",
    "astral",
    "text block",
    "tab",
)


@pytest.fixture(scope="module")
def generated() -> list[Generated]:
    """Some hundred shipyards, the same in each run.

    Many short runs, since Hypothesis varies what it made before; the first of each, its simplest one, does not count.
    """
    found: list[Generated] = []
    for number in range(RUNS):
        found += collected(number)[1:]
    return found


def collected(number: int) -> list[Generated]:
    found: list[Generated] = []

    @seed(number)
    @settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(shipyards())
    def collect(shipyard: Generated) -> None:
        found.append(shipyard)

    collect()
    return found


@pytest.mark.parametrize("style", STYLES)
def test_each_style_is_in_one_of_twenty(generated: list[Generated], style: str):
    counted = Counter(style for shipyard in generated for style in shipyard.styles)

    assert counted[style] >= len(generated) / 20


def refusal(shipyard: Generated) -> str:
    try:
        patch(shipyard.text, Gate("production"))
    except ShipyardRefusedError as refused:
        return refused.problem
    return ""


def test_at_most_one_of_twenty_is_refused_and_none_for_a_patch_that_could_not_be_proven(generated: list[Generated]):
    refusals = [problem for problem in map(refusal, generated) if problem]

    assert len(refusals) <= len(generated) / 20
    assert not any("cannot be patched safely" in problem for problem in refusals)


def test_keptn_reads_each_of_them_and_each_of_their_patches(generated: list[Generated], tools: Path):
    accepted = [shipyard.text for shipyard in generated if not refusal(shipyard)]
    patched = [patch(text, Gate("production")).text for text in accepted]

    for text, shipyard in zip(accepted + patched, decoded(tools, accepted + patched), strict=True):
        assert "error" not in shipyard, text
