"""What one answer of Prometheus' query API means as a value.

The messages are those of prometheus-service 0.9.1 and of Prometheus' Go client below it.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import cast

from prodeval.domain.go_numbers import format_positional, parse_float
from prodeval.domain.json_values import JSON, JSONObject, as_list, as_object, as_text, child
from prodeval.domain.slo.values import NOT_A_NUMBER, SLIValue

_NO_VECTOR = "prometheus api response is not a Vector: "
_SUCCESS = 2
_API_ERRORS = frozenset({400, 422})
"""The statuses with which Prometheus explains itself in JSON."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whatever its status."""

    status: int
    body: bytes


class UnusableAnswerError(ValueError):
    """The answer holds no single value; its text is the message of the failed SLI."""


def read_answer(metric: str, answer: Answer) -> SLIValue:
    """The one value that the answer holds, or a failed value that says why it holds none."""
    try:
        return SLIValue(metric, _single_value(_data(answer), answer.body), success=True)
    except UnusableAnswerError as error:
        return failed(metric, str(error))


def failed(metric: str, message: str) -> SLIValue:
    """A value that could not be retrieved."""
    return SLIValue(metric, 0.0, success=False, message=message)


def _data(answer: Answer) -> JSONObject:
    """The `data` of a successful answer."""
    if answer.status // 100 != _SUCCESS and answer.status not in _API_ERRORS:
        raise _api_failure(_explain_status(answer.status))
    body = as_object(_json(answer.body))
    if body.get("status") == "error":
        raise _api_failure(f"{as_text(body.get('errorType'))}: {as_text(body.get('error'))}")
    if answer.status in _API_ERRORS:
        raise _api_failure("bad_response: inconsistent body for response code")
    return as_object(body.get("data"))


def _api_failure(problem: str) -> UnusableAnswerError:
    return UnusableAnswerError(f"unable to query prometheus api: {problem}")


def _explain_status(status: int) -> str:
    kinds = {4: "client", 5: "server"}
    kind = kinds.get(status // 100)
    return f"{kind}_error: {kind} error: {status}" if kind else f"bad_response: bad response code {status}"


def _json(body: bytes) -> JSON:
    text = body.decode(errors="replace")
    start = text.lstrip()[:1]
    if start != "{":
        head = text.find(start) + len(start)
        raise _api_failure(f"bad_response: readObjectStart: expect {{ or n, but found {start}, {_context(text, head)}")
    try:
        return cast("JSON", json.loads(text))
    except (ValueError, RecursionError) as error:
        raise _api_failure(f"bad_response: {error}") from error


def _context(text: str, head: int) -> str:
    """Where the Go client's JSON library stopped reading, in its words."""
    start = max(head - 10, 0)
    near, wide = text[start : head + 10], text[max(head - 50, 0) : head + 50]
    return f"error found in #{head - start} byte of ...|{near}|..., bigger context ...|{wide}|..."


def _single_value(data: JSONObject, body: bytes) -> float:
    kind, result = data.get("resultType"), data.get("result")
    if kind == "vector":
        return _only_sample(as_list(result))
    if kind == "scalar":
        raise UnusableAnswerError(f"{_NO_VECTOR}scalar: {_sample(result)}")
    if kind == "matrix":
        series = "\n".join(_series(as_object(one)) for one in as_list(result))
        raise UnusableAnswerError(f"{_NO_VECTOR}{series}")
    text = _raw_data(body)
    problem = f'unmarshalerDecoder: unexpected value type "{as_text(kind)}"'
    raise _api_failure(f"{problem}, {_context(text, len(text))}")


def _only_sample(samples: Sequence[JSON]) -> float:
    if not samples:
        raise UnusableAnswerError("query did not return any values")
    if len(samples) > 1:
        raise UnusableAnswerError("query did return multiple values")
    _, value = _pair(child(samples[0], "value"))
    if not isfinite(value):
        raise UnusableAnswerError(NOT_A_NUMBER)
    return value


def _pair(sample: JSON) -> tuple[float, float]:
    """Time and value of a sample; the value is text in JSON."""
    match sample:
        case [int() | float() as time, str() as value]:
            try:
                return float(time), parse_float(value)
            except ValueError:
                pass
    raise _api_failure("bad_response: a sample is no pair of a time and a number")


def _sample(sample: JSON) -> str:
    time, value = _pair(sample)
    return f"{format_positional(value)} @[{format_positional(time)}]"


def _series(series: JSONObject) -> str:
    labels = dict(as_object(series.get("metric")))
    name = as_text(labels.pop("__name__", ""))
    pairs = ", ".join(sorted(f"{label}={json.dumps(value, ensure_ascii=False)}" for label, value in labels.items()))
    title = f"{name}{{{pairs}}}" if pairs or not name else name
    return "\n".join([f"{title} =>", *(_sample(sample) for sample in as_list(series.get("values")))])


def _raw_data(body: bytes) -> str:
    """The `data` object as it stands in the body."""
    text = body.decode(errors="replace")
    match = re.search(r'"data"\s*:\s*', text)
    if not match:
        return ""
    _, end = json.JSONDecoder().raw_decode(text, match.end())
    return text[match.end() : end]
