"""The example of docs/shipyard.md."""

import re
from pathlib import Path

from prodeval.domain.shipyard import Gate, patch

DOCS = (Path(__file__).parents[3] / "docs" / "shipyard.md").read_text(encoding="utf-8")


def test_the_documented_shipyard_becomes_the_documented_one():
    before, after = re.findall(r"^```yaml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)

    assert patch(before, Gate("production")).text == after
