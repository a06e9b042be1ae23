"""Recorded evaluations of Keptn, run again: one JSON object per line, inputs and expected outcome."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from prodeval.cli.evaluation_inputs import history, values
from prodeval.cli.evaluation_outputs import as_object
from prodeval.domain.errors import InvalidFileError
from prodeval.domain.json_values import JSON, JSONObject, as_text, child
from prodeval.domain.json_values import as_object as object_of
from prodeval.domain.slo import Evaluation, evaluate

_FIELDS = (
    ("status",),
    ("result",),
    ("message",),
    ("evaluation", "result"),
    ("evaluation", "score"),
    ("evaluation", "comparedEvents"),
    ("evaluation", "indicatorResults"),
)


def read_cases(path: Path) -> Iterator[JSONObject]:
    """The cases of a .jsonl or .jsonl.gz file; raises InvalidFileError."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as lines:
            yield from (object_of(json.loads(line)) for line in lines if line.strip())
    except (OSError, ValueError, EOFError) as error:
        raise InvalidFileError(str(error), path=str(path)) from error


def differences(case: JSONObject) -> list[str]:
    """Where our outcome differs from the recorded one: the place, what was recorded, what we say."""
    place = as_text(case.get("id"), "case")
    try:
        ours = as_object(_evaluate(case))
    except InvalidFileError as error:
        return [f"{place} cannot be read: {error}"]
    expected = case.get("expected")
    return [
        f"{place} {difference}"
        for keys in _FIELDS
        for difference in _differences(".".join(keys), child(expected, *keys) or _EMPTY, child(ours, *keys) or _EMPTY)
    ]


def _evaluate(case: JSONObject) -> Evaluation:
    return evaluate(
        as_text(case.get("slo")),
        values(case.get("sli"), "sli"),
        history(case.get("previous"), "previous"),
        project=as_text(case.get("project")),
        stage=as_text(case.get("stage")),
        service=as_text(case.get("service")),
    )


_EMPTY: JSON = ""
"""Null, an empty list, an empty text, 0 and an absent member are one and the same at the top."""


def _differences(place: str, expected: JSON, ours: JSON) -> Iterator[str]:
    match expected, ours:
        case dict(), dict():
            for key in {**expected, **ours}:
                yield from _differences(f"{place}.{key}", expected.get(key), ours.get(key))
        case list(), list() if len(expected) == len(ours):
            for index, pair in enumerate(zip(expected, ours, strict=True)):
                yield from _differences(f"{place}[{index}]", *pair)
        case _ if expected != ours or isinstance(expected, bool) != isinstance(ours, bool):
            yield f"{place}: recorded {json.dumps(expected)}, ours {json.dumps(ours)}"
