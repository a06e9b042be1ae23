"""Values and history for `prodeval evaluate`: YAML or JSON, in the forms that docs/evaluate.md shows."""

from pathlib import Path

import yaml

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.go_yaml import resolve
from prodeval.domain.json_values import JSON, JSONObject, as_object, as_text
from prodeval.domain.sli.timeframe import TimeframeError, parse_instant
from prodeval.domain.slo import PreviousEvaluation, SLIValue
from prodeval.domain.yaml_nodes import compose

NOT_MEASURED = "query did not return any values"
"""The message of a value that is null, as prometheus-service words it."""

RESULTS = ("pass", "warning", "fail")


def read_text(path: Path) -> str:
    """The text of a file; raises InvalidFileError if it cannot be read or is no UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidFileError(error.strerror or str(error), path=str(path)) from error
    except UnicodeDecodeError as error:
        raise InvalidFileError(f"byte {error.start} is no UTF-8", path=str(path)) from error


def read_document(path: Path) -> JSON:
    """The first document of a YAML or JSON file, as JSON."""
    root = compose(read_text(path), path=str(path))
    return None if root is None else _as_json(root, str(path))


def _as_json(node: yaml.Node, path: str) -> JSON:
    if isinstance(node, yaml.ScalarNode):
        return resolve(node, path=path)
    if isinstance(node, yaml.SequenceNode):
        return [_as_json(item, path) for item in node.value]
    return {str(key.value): _as_json(value, path) for key, value in node.value}


def values(document: JSON, path: str) -> list[SLIValue]:
    """The measured values: a mapping from indicator to number or null, or a list of the provider's values.

    Raises:
        InvalidFileError: neither of the two.
    """
    match document:
        case None:
            return []
        case dict():
            return [_by_name(metric, value, path) for metric, value in document.items()]
        case list():
            return [_delivered(as_object(item), number, path) for number, item in enumerate(document, 1)]
    raise InvalidFileError("wants a mapping from indicator to number, or a list of values", path=path)


def _by_name(metric: str, value: JSON, path: str) -> SLIValue:
    if value is None:
        return SLIValue(metric, 0.0, success=False, message=NOT_MEASURED)
    return SLIValue(metric, _number(value, metric, path), success=True)


def _delivered(item: JSONObject, number: int, path: str) -> SLIValue:
    metric, success = item.get("metric"), item.get("success", True)
    if not isinstance(metric, str) or not isinstance(success, bool):
        raise InvalidFileError(f"value {number} wants a metric, and success as true or false", path=path)
    value = _number(item.get("value", 0.0), metric, path)
    return SLIValue(metric, value, success, as_text(item.get("message")))


def _number(value: JSON, metric: str, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidFileError(f"the value of {metric} wants a number, not {value!r}", path=path)
    try:
        return float(value)
    except OverflowError as error:
        raise InvalidFileError(f"the value of {metric} is beyond the range of numbers", path=path) from error


def history(document: JSON, path: str) -> list[PreviousEvaluation]:
    """Earlier evaluations, in any order.

    Raises:
        InvalidFileError: an entry without id, time, result or values that can be read.
    """
    if document is None:
        return []
    if not isinstance(document, list):
        raise InvalidFileError("wants a list of earlier evaluations", path=path)
    return [_previous(as_object(item), number, path) for number, item in enumerate(document, 1)]


def _previous(item: JSONObject, number: int, path: str) -> PreviousEvaluation:
    place = f"{path}, evaluation {number}"
    result, failed = item.get("result"), item.get("failed") or []
    if result not in RESULTS:
        raise InvalidFileError(f"result wants one of {', '.join(RESULTS)}, not {result!r}", path=place)
    if not isinstance(failed, list):
        raise InvalidFileError("failed wants a list of indicators", path=place)
    try:
        time = parse_instant(as_text(item.get("time")))
    except TimeframeError as error:
        raise InvalidFileError(f"time: {error}", path=place) from error
    measured = [value for value in values(item.get("values"), place) if value.metric not in failed]
    return PreviousEvaluation(
        id=str(item.get("id", number)),
        time=time,
        result=str(result),
        invalidated=item.get("invalidated") is True,
        values=tuple(measured),
    )
