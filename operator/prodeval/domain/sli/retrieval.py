"""Retrieve the values of an evaluation, as prometheus-service does: one instant query for each objective."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from prodeval.domain.errors import InvalidFileError, RetryableError
from prodeval.domain.go_numbers import format_positional
from prodeval.domain.sli.answers import Answer, failed, read_answer
from prodeval.domain.sli.files import merge_levels
from prodeval.domain.sli.queries import SLIRequest, build_query
from prodeval.domain.sli.timeframe import TimeframeError, parse_rfc3339
from prodeval.domain.slo.values import NO_METRICS, SLIValue, provider_result

Ask: TypeAlias = Callable[[str, str], Answer]
"""Sends a query for a moment, in Unix seconds as text; raises RetryableError if there is no answer."""


_SECONDS = re.compile(r"[+-]?[0-9]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How the provider finishes.

    Attributes:
        status: `succeeded`, or `errored` if the sli.yaml files cannot be used.
        result: `pass`, `warning` or `fail`.
        message: empty if there is nothing to say.
        values: one for each indicator asked for, in order.
    """

    status: str
    result: str
    message: str
    values: tuple[SLIValue, ...]


def retrieve(request: SLIRequest, levels: Sequence[str | None], ask: Ask) -> Retrieval:
    """Ask for every indicator; a value that cannot be retrieved is a failed value and stops nothing.

    Args:
        request: what lighthouse asks.
        levels: the sli.yaml of project, stage and service; None where there is none.
        ask: sends one query.
    """
    try:
        queries = merge_levels(levels)
    except InvalidFileError as error:
        message = f"unable to retrieve custom queries for project {request.project}: {error}"
        return Retrieval("errored", "fail", message, ())
    values = tuple(_value(indicator, queries, request, ask) for indicator in request.indicators)
    result = provider_result(values)
    return Retrieval("succeeded", result, NO_METRICS if result == "fail" else "", values)


def _value(indicator: str, queries: Mapping[str, str], request: SLIRequest, ask: Ask) -> SLIValue:
    try:
        start, end = _instant(request.start, "start"), _instant(request.end, "end")
    except TimeframeError as error:
        return failed(indicator, str(error))
    query = build_query(indicator, queries, request, duration_seconds(start, end))
    if query is None:
        return failed(indicator, "unable to get metriy query: unsupported SLI")
    try:
        answer = ask(query, unix_seconds(end))
    except RetryableError as error:
        return failed(indicator, f"unable to query prometheus api: {error}")
    return read_answer(indicator, answer)


def _instant(text: str, name: str) -> datetime:
    """RFC 3339, or whole Unix seconds. An unparsable end fails too, where Keptn silently takes the present."""
    parsed = parse_rfc3339(text)
    if parsed:
        return parsed
    problem = "invalid syntax"
    if _SECONDS.fullmatch(text):
        try:
            return datetime.fromtimestamp(int(text), UTC)
        except (ValueError, OverflowError, OSError):
            problem = "value out of range"
    raise TimeframeError(f'unable to parse {name} timestamp: strconv.ParseInt: parsing "{text}": {problem}')


def duration_seconds(start: datetime, end: datetime) -> str:
    """The length of the window as PromQL writes it: whole seconds, rounded up, with their unit."""
    return f"{-((start - end) // _SECOND)}s"


def unix_seconds(instant: datetime) -> str:
    """Unix seconds with their fraction, as short as they can be written."""
    seconds = (instant - _EPOCH) // _SECOND
    return format_positional(float(seconds) + instant.microsecond / 1e6)
