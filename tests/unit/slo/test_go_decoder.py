"""Keptn's own decoder, compiled from its Go code, beside ours."""

import json
import subprocess
from pathlib import Path
from typing import Any

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.slo import decode_slo
from tests.unit.slo.recorded import decoded_form, without_nulls
from tests.unit.slo.slo_texts import SLOTexts

SAMPLE = 600


def ours(text: str) -> dict[str, Any] | None:
    try:
        return decoded_form(decode_slo(text))
    except InvalidFileError:
        return None


def theirs(program: Path, texts: list[str]) -> list[dict[str, Any]]:
    questions = "".join(json.dumps({"kind": "slo", "text": text}) + "\n" for text in texts)
    run = subprocess.run([program], input=questions, capture_output=True, encoding="utf-8", check=True)
    return [json.loads(line) for line in run.stdout.split("\n") if line]


def agrees(text: str, answer: dict[str, Any]) -> bool:
    decoded = ours(text)
    if "error" in answer:
        return decoded is None
    return decoded is None if has_null_criteria(answer) else decoded == without_nulls(answer)


def has_null_criteria(answer: dict[str, Any]) -> bool:
    """A null entry of a list of criteria decodes, and crashes Keptn as soon as it evaluates."""
    lists = [one[name] or [] for one in answer["objectives"] or [] for name in ("pass", "warning")]
    return any(entry is None for entries in lists for entry in entries)


def test_we_decode_what_keptn_decodes_and_refuse_what_it_refuses(tools: Path) -> None:
    generator = SLOTexts(seed=20261)
    texts = [generator.text() for _ in range(SAMPLE)]
    answers = theirs(tools / "keptn-decode", texts)
    differing = [text for text, answer in zip(texts, answers, strict=True) if not agrees(text, answer)]
    assert differing == []
    assert SAMPLE / 4 < sum("error" in answer for answer in answers) < SAMPLE * 3 / 4
