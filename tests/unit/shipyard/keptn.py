"""Keptn's own decoding of shipyards."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path


def decoded(tools: Path, texts: Iterable[str]) -> list[dict]:
    """What Keptn makes of each text."""
    stdin = "".join(json.dumps({"kind": "shipyard", "text": text}) + "\n" for text in texts)
    ran = subprocess.run([tools / "keptn-decode"], input=stdin, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def names(shipyard: dict, stage: str, sequence: str) -> list[str]:
    """The names of the tasks of a sequence."""
    stages = {each["name"]: each for each in shipyard["spec"]["stages"]}
    sequences = {each["name"]: each for each in stages[stage]["sequences"]}
    return [task["name"] for task in sequences[sequence]["tasks"]]
