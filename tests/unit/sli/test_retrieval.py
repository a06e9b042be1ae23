"""Queries, windows and answers where the recorded retrievals say nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest

from prodeval.domain.errors import RetryableError
from prodeval.domain.sli import Answer, SLIRequest, build_query, read_answer, retrieve

REQUEST = SLIRequest("p", "s", "v", ("a",), start="1600000000", end="1600000060")


def request(**more: Any) -> SLIRequest:
    return replace(REQUEST, **more)


def query(text: str, **more: Any) -> str | None:
    return build_query("a", {"a": text}, request(**more), "60s")


def answered(body: object, status: int = 200) -> str:
    value = read_answer("a", Answer(status, json.dumps(body).encode()))
    assert not value.success
    return value.message


def vector(*values: object) -> dict[str, object]:
    result = [{"metric": {}, "value": value} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def test_longer_names_are_replaced_first() -> None:
    assert query("$LABEL.version $LABEL.v", labels={"v": "1", "version": "2"}) == "2 1"
    assert query("$job_name $job", filters={"job": "x", "job_name": "y"}) == "y x"


def test_what_is_inserted_is_subject_to_later_steps_only() -> None:
    assert query("$LABEL.a", labels={"a": "$DURATION_SECONDS $PROJECT"}) == "60s $PROJECT"


def test_filters_come_before_everything_and_in_both_cases() -> None:
    assert query("$SERVICE $service $Service", filters={"service": "'x'"}) == "x x $Service"


@pytest.mark.parametrize(
    ("value", "matcher"),
    [
        ("x", "k='x'"),
        ("a\"b'c", "k='abc'"),
        ('=~"x.*"', "k=~'x.*'"),
        ("!~'y'", "k!~'y'"),
        ("!=z", "k!=z"),
        ("='q'", "k='q'"),
    ],
)
def test_default_queries_match_the_filters(value: str, matcher: str) -> None:
    expected = f"sum(rate(http_requests_total{{job='v-p-s-canary',{matcher}}}[60s]))"
    assert build_query("throughput", {}, request(filters={"k": value}), "60s") == expected


def test_an_unknown_indicator_has_no_query() -> None:
    assert build_query("a", {"a": ""}, request(), "60s") is None


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (
            "2022-04-06T10:00:00",
            "1600000060",
            'unable to parse start timestamp: strconv.ParseInt: parsing "2022-04-06T10:00:00": invalid syntax',
        ),
        (
            "99999999999999999999",
            "1",
            'unable to parse start timestamp: strconv.ParseInt: parsing "99999999999999999999": value out of range',
        ),
        ("1", "", 'unable to parse end timestamp: strconv.ParseInt: parsing "": invalid syntax'),
    ],
)
def test_a_moment_that_cannot_be_read_is_a_failed_value(start: str, end: str, message: str) -> None:
    retrieval = retrieve(request(start=start, end=end), (None, None, "indicators: {a: x}"), never_asked)
    assert [one.message for one in retrieval.values] == [message]


def never_asked(query: str, time: str) -> Answer:
    raise AssertionError(query, time)


def test_a_server_that_does_not_answer_is_a_failed_value() -> None:
    def ask(query: str, time: str) -> Answer:
        raise RetryableError(f"no connection for {query} at {time}")

    retrieval = retrieve(request(), (None, None, "indicators: {a: x}"), ask)
    assert retrieval.values[0].message == "unable to query prometheus api: no connection for x at 1600000060"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"status": "success"}, 400, "bad_response: inconsistent body for response code"),
        ({"status": "error", "errorType": "timeout", "error": "slow"}, 200, "timeout: slow"),
        ({}, 302, "bad_response: bad response code 302"),
        (
            ["x"],
            200,
            (
                "bad_response: readObjectStart: expect { or n, but found [, "
                'error found in #1 byte of ...|["x"]|..., bigger context ...|["x"]|...'
            ),
        ),
        (vector([1, 2]), 200, "bad_response: a sample is no pair of a time and a number"),
        (vector([1, "x"]), 200, "bad_response: a sample is no pair of a time and a number"),
        (vector(None), 200, "bad_response: a sample is no pair of a time and a number"),
        (
            {"status": "success"},
            200,
            'unmarshalerDecoder: unexpected value type "", error found in #0 byte of ...||..., bigger context ...||...',
        ),
    ],
)
def test_an_answer_that_says_nothing_usable(body: object, status: int, message: str) -> None:
    assert answered(body, status) == f"unable to query prometheus api: {message}"


@pytest.mark.parametrize("body", [b"{", b'{"a": \xff}', b"[" * 100_000, b'{"a":' * 100_000])
def test_a_body_that_is_no_json(body: bytes) -> None:
    assert read_answer("a", Answer(200, body)).message.startswith("unable to query prometheus api: bad_response: ")


def test_an_empty_body() -> None:
    assert read_answer("a", Answer(200, b"")).message.startswith("unable to query prometheus api: bad_response: ")


def test_series_are_printed_with_their_labels_sorted() -> None:
    series = {"metric": {"b": '"', "__name__": "up", "a": "1"}, "values": [[1.5, "+Inf"]]}
    named = {"metric": {"__name__": "up"}, "values": []}
    body = {"status": "success", "data": {"resultType": "matrix", "result": [series, named]}}
    expected = 'prometheus api response is not a Vector: up{a="1", b="\\""} =>\n+Inf @[1.5]\nup =>'
    assert answered(body) == expected
