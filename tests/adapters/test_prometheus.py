"""SLIs from a real Prometheus, and from a server that knows no POST."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from prodeval.adapters.http import HttpClient
from prodeval.adapters.prometheus import PrometheusClient
from prodeval.domain.sli import SLIRequest, read_answer, retrieve

TWO_SERIES = 'label_replace(vector(1), "a", "1", "", "") or label_replace(vector(2), "a", "2", "", "")'
START, END = "2026-03-01T12:00:00.000Z", "2026-03-01T12:01:15.250Z"


@pytest.fixture(scope="module")
def client(prometheus):
    return PrometheusClient(HttpClient(prometheus.url))


def value(client, query):
    return read_answer("a", client.query(query, "1600000000.5"))


@pytest.mark.parametrize(("query", "number"), [("vector(1.5)", 1.5), ("vector(0)", 0.0), ("vector(-1e-300)", -1e-300)])
def test_one_sample_is_a_value(client, query, number):
    measured = value(client, query)
    assert (measured.success, measured.value, measured.message) == (True, number, "")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("vector(1) > 2", "query did not return any values"),
        (TWO_SERIES, "query did return multiple values"),
        ("vector(0) / 0", "query did not return valid values"),
        ("vector(1) / 0", "query did not return valid values"),
        ("5", "prometheus api response is not a Vector: scalar: 5 @[1600000000.5]"),
        ("vector(5)[2m:1m]", "prometheus api response is not a Vector: {} =>\n5 @[1599999900]\n5 @[1599999960]"),
        (
            f"({TWO_SERIES})[1m:1m]",
            'prometheus api response is not a Vector: {a="1"} =>\n1 @[1599999960]\n{a="2"} =>\n2 @[1599999960]',
        ),
    ],
)
def test_everything_else_is_a_failed_value(client, query, message):
    measured = value(client, query)
    assert (measured.success, measured.value, measured.message) == (False, 0.0, message)


@pytest.mark.parametrize(
    ("query", "beginning"),
    [
        ("sum(", "unable to query prometheus api: bad_data: "),
        (f"vector(1) * on() ({TWO_SERIES}) * on() ({TWO_SERIES})", "unable to query prometheus api: execution: "),
        (
            '"text"',
            'unable to query prometheus api: unmarshalerDecoder: unexpected value type "string", error found in #10',
        ),
    ],
)
def test_a_refused_query_is_a_failed_value_in_the_words_of_prometheus(client, query, beginning):
    assert value(client, query).message.startswith(beginning)


def test_the_window_reaches_the_query_and_its_end_is_the_moment_asked_for(client):
    sli = "indicators:\n  length: count_over_time(vector(1)[$DURATION_SECONDS:1s])\n  moment: timestamp(vector(1))\n"
    request = SLIRequest("p", "s", "v", ("moment", "length"), START, END)
    retrieval = retrieve(request, (None, None, sli), client.query)
    assert [one.value for one in retrieval.values] == [1772366475.25, 76.0]


def test_an_address_where_nobody_listens_is_a_failed_value_that_names_it():
    nobody = PrometheusClient(HttpClient("http://127.0.0.1:9"))
    request = SLIRequest("p", "s", "v", ("a",), START, END)
    retrieval = retrieve(request, ("indicators: {a: up}", None, None), nobody.query)
    assert (retrieval.result, retrieval.message) == ("fail", "unable to retrieve metrics")
    assert retrieval.values[0].message.startswith(
        "unable to query prometheus api: POST http://127.0.0.1:9/api/v1/query"
    )


class GetOnly(BaseHTTPRequestHandler):
    """Refuses POST with the status in its class, and answers GET with the query that it was sent."""

    status = 405

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(self.status, b"")

    def do_GET(self):
        self._send(200, self.path.encode())

    def _send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def get_only(refusal):
    handler = type("Handler", (GetOnly,), {"status": refusal})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("refusal", [405, 501])
def test_a_server_that_knows_no_post_is_asked_by_get(refusal):
    with get_only(refusal) as url:
        answer = PrometheusClient(HttpClient(url)).query("up == 1", "1600000000.5")
    assert (answer.status, answer.body) == (200, b"/api/v1/query?query=up+%3D%3D+1&time=1600000000.5")


def test_another_refusal_is_the_answer():
    with get_only(503) as url:
        answer = PrometheusClient(HttpClient(url)).query("up", "1")
    assert read_answer("a", answer).message == "unable to query prometheus api: server_error: server error: 503"
