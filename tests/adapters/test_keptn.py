"""The client against a server that answers as a real Keptn was recorded to."""

import contextlib
import json
import socket
import threading
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

from prodeval.adapters.keptn import KeptnClient
from prodeval.domain.errors import DependencyNotReadyError, InvalidSpecError, KeptnUnavailableError
from prodeval.domain.event_fields import keep_fields
from prodeval.domain.events import parse_time, slim
from tests.unit.verdict.recordings import EVENTS, EXECUTIONS, read_lines, recording

TOKEN = "s3cr3t-t0ken"
EVALUATION = "/controlPlane/v1/project/s02-pass/stage/production/service/helloservice/evaluation"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ERRORS = {line["name"]: line for line in read_lines("errors")}
BODY_HEADERS = {"Content-Length", "Transfer-Encoding", "Connection"}


class Pieces(list):
    """Parts of a body, so that the server never holds it whole; `told` says whether its length is."""

    told = True

    @property
    def size(self):
        return str(sum(map(len, self))) if self.told else None


class Keptn:
    """Answers from a recording; `answers` come first, one for each request."""

    def __init__(self, name):
        self.run = recording(name)
        self.answers = []
        self.requests = []
        self.date = "Sun, 06 Nov 1994 08:49:37 GMT"

    def answer(self, method, path, query, body):
        self.requests.append((method, path, query, body))
        if self.answers:
            return self.answers.pop(0)
        if path == EVENTS:
            return 200, {}, self._events(query)
        if path == EXECUTIONS:
            return 200, {}, self.run.raw_executions(1e9)
        return 404, {}, {"code": 404, "message": f"path {path} was not found"}

    def _events(self, query):
        """As mongodb-datastore: newest first, times compared as text, both ends excluded."""
        found = self.run.raw_events(1e9) if query["project"] == self.run.head["project"] else []
        found = [event for event in found if event["time"] > query.get("fromTime", "")]
        for parameter, read in FILTERS.items():
            found = [event for event in found if query.get(parameter, read(event)) == read(event)]
        start, size = int(query.get("nextPageKey", "0")), int(query.get("pageSize", "20"))
        following = {"nextPageKey": str(start + size)} if start + size < len(found) else {}
        return {"events": found[start : start + size], "pageSize": size, "totalCount": len(found)} | following


FILTERS = {
    "eventID": lambda event: event["id"],
    "keptnContext": lambda event: event["shkeptncontext"],
    "type": lambda event: event["type"],
    "stage": lambda event: event["data"].get("stage"),
    "service": lambda event: event["data"].get("service"),
}


def as_kept(events):
    """Events without what the client drops."""
    return tuple(slim(replace(event, data=keep_fields(event.data))) for event in events)


def recorded(name):
    """An answer as it was recorded."""
    line = ERRORS[name]
    headers = {key: value for key, value in line["headers"].items() if key not in BODY_HEADERS}
    return line["status"], headers, line["body"]


@contextlib.contextmanager
def serving(keptn):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            parts = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            assert self.headers["x-token"] == TOKEN
            path = parts.path.removeprefix("/api")
            status, headers, body = keptn.answer(self.command, path, dict(parse_qsl(parts.query)), sent)
            pieces = (
                body if isinstance(body, Pieces) else Pieces([(body if isinstance(body, str) else json.dumps(body))])
            )
            self.send_response_only(status)
            for name, value in {"Date": keptn.date, "Content-Length": pieces.size, **headers}.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # a client may have enough
                for piece in pieces:
                    self.wfile.write(piece.encode())
            self.close_connection = pieces.size is None

        do_GET = do_POST = answer  # noqa: N815 - http.server asks for these names

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    client = KeptnClient(f"http://127.0.0.1:{server.server_port}/api", lambda: TOKEN, timeout=(1, 5))
    try:
        yield client
    finally:
        client.close()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def keptn():
    return Keptn("02-pass")


@pytest.fixture
def client(keptn):
    with serving(keptn) as made:
        yield made


def scripted(keptn, *names):
    keptn.answers += [recorded(name) for name in names]


class TestEvents:
    def test_all_events_come_oldest_first(self, keptn, client):
        answer = client.events("s02-pass", LONG_AGO)
        events = answer.events
        assert events == as_kept(keptn.run.events(1e9))
        assert answer.complete
        assert list(events) == sorted(events, key=lambda event: event.time)

    def test_further_pages_are_read(self):
        keptn = Keptn("35-many-evaluations")
        with serving(keptn) as client:
            answer = client.events("s35-many-evaluations", LONG_AGO)
        events = answer.events
        assert answer.complete
        assert len(events) == len({event["id"] for event in keptn.run.raw_events(1e9)}) > 200
        assert [query.get("nextPageKey") for _, _, query, _ in keptn.requests] == [None, "100", "200"]

    def test_only_what_is_new_is_asked_for(self, keptn, client):
        known = as_kept(keptn.run.events(1e9))
        since = known[-3].time
        found = client.events("s02-pass", since).events
        bound = parse_time(keptn.requests[0][2]["fromTime"])
        assert since - timedelta(seconds=2) < bound < since
        assert found == tuple(event for event in known if event.time > bound)
        assert 3 <= len(found) < len(known)

    def test_the_events_of_one_context(self, keptn, client):
        context = keptn.run.head["contexts"][0]
        events = client.events_of_context("s02-pass", context)
        assert {event.context for event in events} == {context}
        assert len(events) == 19

    def test_one_event_by_its_id(self, keptn, client):
        wanted = as_kept(keptn.run.events(1e9))[5]
        assert client.event("s02-pass", wanted.id) == wanted
        assert client.event("s02-pass", "nope") is None

    def test_the_newest_event_of_a_type(self, client):
        scope = ("s02-pass", "production", "helloservice")
        found = client.newest_event(*scope, "sh.keptn.event.je-deployment.finished")
        assert found.text("stage") == "production"
        assert client.newest_event(*scope, "sh.keptn.event.nope.finished") is None

    def test_an_unknown_project_has_none(self, client):
        answer = client.events("nope", LONG_AGO)
        assert (answer.events, answer.complete) == ((), True)

    @pytest.mark.parametrize("name", ["event-unknown-project", "event-nextpagekey-100000"])
    def test_no_events_are_no_error(self, keptn, client, name):
        scripted(keptn, name)
        answer = client.events("s02-pass", LONG_AGO)
        assert (answer.events, answer.complete) == ((), True)

    @pytest.mark.parametrize("key", ["abc", "-1", "9" * 500, "100", 100])
    def test_a_strange_or_repeated_page_key_ends_the_list_as_cut(self, keptn, client, key):
        page = {"events": keptn.run.raw_events(1e9)[:1], "nextPageKey": key}
        keptn.answers += [(200, {}, page)] * 2
        answer = client.events("s02-pass", LONG_AGO)
        assert (len(answer.events), answer.complete) == (1, False)

    @pytest.mark.parametrize("key", [0, "0", "", None, {}, ["7"]])
    def test_these_page_keys_say_that_it_was_the_last(self, keptn, client, key):
        keptn.answers.append((200, {}, {"events": keptn.run.raw_events(1e9)[:1], "nextPageKey": key}))
        answer = client.events("s02-pass", LONG_AGO)
        assert (len(answer.events), answer.complete) == (1, True)

    def test_a_list_without_an_end_is_cut(self, keptn, client):
        page = {"events": keptn.run.raw_events(1e9)[:1]}
        keptn.answers += [(200, {}, page | {"nextPageKey": str(number)}) for number in range(1, 200)]
        answer = client.events("s02-pass", LONG_AGO)
        assert (len(answer.events), answer.complete) == (1, False)
        assert len(keptn.requests) == 100

    def test_what_is_no_event_is_left_out(self, keptn, client):
        keptn.answers.append((200, {}, {"events": [None, 7, {"id": "x"}, *keptn.run.raw_events(1e9)[:1]]}))
        assert len(client.events("s02-pass", LONG_AGO).events) == 1

    def test_the_events_of_one_service_in_all_stages(self):
        keptn = Keptn("24-two-services")
        with serving(keptn) as client:
            answer = client.service_events("s24-two-services", "helloservice", LONG_AGO)
        assert {event.text("service") for event in answer.events} == {"helloservice"}
        assert {event.text("stage") for event in answer.events} >= {"qa", "production"}
        assert answer.complete

    def test_of_one_service_three_pages_are_read(self):
        keptn = Keptn("35-many-evaluations")
        whole = keptn.run.raw_events
        keptn.run = replace(keptn.run, answers=[])
        object.__setattr__(keptn.run, "raw_events", lambda t: whole(t) * 3)
        with serving(keptn) as client:
            service = whole(1e9)[0]["data"]["service"]
            answer = client.service_events("s35-many-evaluations", service, LONG_AGO)
        assert [query.get("nextPageKey") for _, _, query, _ in keptn.requests] == [None, "100", "200"]
        assert not answer.complete

    @pytest.mark.parametrize(
        ("date", "time"),
        [
            ("Sun, 06 Nov 1994 08:49:37 GMT", datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)),
            ("yesterday", None),
            ("Sun, 99 Nov 9999999999 08:49:37 GMT", None),
            (None, None),
        ],
    )
    def test_an_answer_says_when_by_keptns_clock(self, keptn, client, date, time):
        keptn.date = date
        assert client.events("s02-pass", LONG_AGO).answered == time


class TestSequenceExecutions:
    def test_they_are_read_and_filtered_by_keptn(self, keptn, client):
        found = client.sequence_executions("s02-pass", stage="production", service="helloservice")
        assert {(one.stage, one.sequence, one.state) for one in found} == {
            ("qa", "delivery", "finished"),
            ("production", "delivery", "finished"),
        }
        query = keptn.requests[0][2]
        assert query == {"project": "s02-pass", "stage": "production", "service": "helloservice", "pageSize": "100"}

    @pytest.mark.parametrize("name", ["sequence-execution-unknown-stage", "sequence-execution-unknown-keptnContext"])
    def test_none_are_no_error(self, keptn, client, name):
        scripted(keptn, name)
        assert client.sequence_executions("s02-pass") == ()

    def test_an_unknown_project_is_a_dependency(self, keptn, client):
        scripted(keptn, "sequence-execution-unknown-project")
        with pytest.raises(DependencyNotReadyError, match="does not know the project nope"):
            client.sequence_executions("nope")

    @pytest.mark.parametrize("name", ["path-unknown-in-api", "path-unknown-in-controlplane"])
    def test_an_older_keptn_has_none(self, keptn, client, name):
        scripted(keptn, name)
        assert client.sequence_executions("s02-pass") == ()

    def test_null_stands_for_none(self, keptn, client):
        keptn.answers.append((200, {}, {"sequenceExecutions": None}))
        assert client.sequence_executions("s02-pass") == ()


class TestTriggerEvaluation:
    def test_it_returns_the_context(self, keptn, client):
        keptn.answers.append((200, {}, {"keptnContext": "c"}))
        labels = {"version": "v1"}
        assert client.trigger_evaluation("s02-pass", "production", "helloservice", timeframe="2m", labels=labels) == "c"
        ((method, path, _, body),) = keptn.requests
        assert (method, path, json.loads(body)) == ("POST", EVALUATION, {"timeframe": "2m", "labels": labels})

    def test_names_cannot_leave_their_place_in_the_path(self, keptn, client):
        keptn.answers.append((200, {}, {"keptnContext": "c"}))
        client.trigger_evaluation("../p?", "s#", "a/b", timeframe="2m")
        assert keptn.requests[0][1] == "/controlPlane/v1/project/..%2Fp%3F/stage/s%23/service/a%2Fb/evaluation"

    @pytest.mark.parametrize(
        "name", ["evaluation-unknown-project", "evaluation-unknown-stage", "evaluation-unknown-service"]
    )
    def test_what_keptn_does_not_know_is_a_dependency(self, keptn, client, name):
        scripted(keptn, name)
        with pytest.raises(DependencyNotReadyError, match=r"p/s/v: .*not found"):
            client.trigger_evaluation("p", "s", "v", timeframe="2m")

    @pytest.mark.parametrize("name", ["evaluation-bad-timeframe", "evaluation-timeframe-59s"])
    def test_a_bad_timeframe_is_said_in_keptns_words(self, keptn, client, name):
        scripted(keptn, name)
        with pytest.raises(InvalidSpecError, match=r"p/s/v: .*(invalid duration|at least 1 minute)"):
            client.trigger_evaluation("p", "s", "v", timeframe="59s")

    def test_an_answer_without_a_context_is_no_success(self, keptn, client):
        keptn.answers.append((200, {}, {}))
        with pytest.raises(KeptnUnavailableError, match="context"):
            client.trigger_evaluation("p", "s", "v", timeframe="2m")


def test_registrations_are_read(keptn, client):
    scripted(keptn, "ok-uniform")
    found = {(one.integration, one.event) for one in client.registrations()}
    assert ("approval-service", "sh.keptn.event.approval.triggered") in found


class TestReads:
    """What makes Keptn pull a branch; what it answers does not matter."""

    def test_the_default_branch_is_read_as_the_project(self, keptn, client):
        keptn.answers.append((200, {}, {"resourceURI": "shipyard.yaml", "resourceContent": ""}))
        client.read_default_branch("s02-pass")
        assert [request[:3] for request in keptn.requests] == [
            ("GET", "/resource-service/v1/project/s02-pass/resource/shipyard.yaml", {})
        ]

    def test_a_stage_is_read_as_a_short_list(self, keptn, client):
        keptn.answers.append((200, {}, {"nextPageKey": "0", "resources": []}))
        client.read_stage_branch("s02-pass", "pro duction")
        assert [request[:3] for request in keptn.requests] == [
            ("GET", "/resource-service/v1/project/s02-pass/stage/pro%20duction/resource", {"pageSize": "1"})
        ]

    def test_before_0_18_the_service_has_another_name(self, keptn, client):
        keptn.answers += [(404, {}, "<html>"), (200, {}, {"resources": []})]
        client.read_stage_branch("s02-pass", "qa")
        assert [path.split("/")[1] for _, path, _, _ in keptn.requests] == [
            "resource-service",
            "configuration-service",
        ]

    def test_what_keptn_does_not_have_needs_no_read(self, keptn, client):
        keptn.answers.append((404, {}, {"code": 404, "message": "Stage not found"}))
        client.read_stage_branch("s02-pass", "new")
        assert len(keptn.requests) == 2

    @pytest.mark.parametrize("status", [401, 424, 429, 500, 502])
    def test_a_branch_that_was_not_read_is_an_error(self, keptn, client, status):
        keptn.answers.append((status, {}, {"code": status, "message": "Internal server error"}))
        with pytest.raises(KeptnUnavailableError, match=str(status)):
            client.read_default_branch("s02-pass")

    def test_an_older_keptn_that_cannot_read_is_an_error_too(self, keptn, client):
        keptn.answers += [(404, {}, "<html>"), (500, {}, {"code": 500, "message": "Internal server error"})]
        with pytest.raises(KeptnUnavailableError, match="500"):
            client.read_default_branch("s02-pass")


class TestErrors:
    def failure(self, client):
        with pytest.raises(KeptnUnavailableError) as caught:
            client.events("s02-pass", LONG_AGO)
        assert TOKEN not in str(caught.value)
        return caught.value

    @pytest.mark.parametrize("name", ["bad-token-datastore", "no-token-datastore", "bad-token-metadata"])
    def test_a_refused_token_names_the_secret(self, keptn, client, name):
        scripted(keptn, name)
        assert "refuses the API token (401)" in str(self.failure(client))

    @pytest.mark.parametrize("name", ["429-good-token-datastore", "down-api-datastore"])
    def test_a_429_has_two_causes_and_is_retried_soon(self, keptn, client, name):
        scripted(keptn, name, name)
        said = [self.failure(client) for _ in range(2)]
        assert len(set(map(str, said))) == 1
        assert "its api-service is down, or a client at the same address sends a wrong token" in str(said[0])
        assert said[0].retry_after == 2.0

    def test_a_failure_that_lasts_is_put_the_same_way_each_time_whatever_was_asked(self, keptn, client):
        for answer in [recorded("down-api-datastore"), recorded("bad-token-datastore"), (503, {}, "")]:
            keptn.answers += [answer] * 8
            said = {str(self.failure(client)) for _ in range(7)}
            with pytest.raises(KeptnUnavailableError) as caught:
                client.sequence_executions("s02-pass")
            assert said == {str(caught.value)}

    @pytest.mark.parametrize(
        "answer",
        [
            *[(status, {}, "") for status in (301, 401, 429, 502, 503, 504)],
            *[(200, {}, body) for body in ("<html>", "{}")],
        ],
    )
    def test_some_answers_say_that_keptn_as_a_whole_is_away(self, keptn, client, answer):
        keptn.answers.append(answer)
        assert self.failure(client).everywhere

    @pytest.mark.parametrize("status", [400, 404, 422, 500])
    def test_other_answers_may_be_about_one_project_alone(self, keptn, client, status):
        keptn.answers.append((status, {}, {"code": status, "message": "no"}))
        assert not self.failure(client).everywhere

    def test_an_answer_that_is_too_large_is_about_one_project_alone(self, keptn, client, monkeypatch):
        monkeypatch.setattr(client._http, "_max_bytes", 9)
        failure = self.failure(client)
        assert "too large or too slow to be read" in str(failure)
        assert not failure.everywhere

    def test_without_a_token_nothing_can_be_asked(self):
        def absent():
            raise DependencyNotReadyError("Secret 'x' does not exist yet")

        client = KeptnClient("http://127.0.0.1:1/api", absent)
        failure = self.failure(client)
        assert failure.everywhere
        assert "Secret 'x'" in str(failure)
        client.close()

    @pytest.mark.parametrize(
        "name", ["down-api-metadata", "frozen-api-metadata", "event-type-filter-project-only-with-or"]
    )
    def test_a_gateway_error_page_becomes_its_status(self, keptn, client, name):
        scripted(keptn, name)
        text = str(self.failure(client))
        assert text.endswith(("502: Bad Gateway", "504: Gateway Timeout"))

    def test_a_redirect_is_not_followed(self, keptn, client):
        scripted(keptn, "path-trailing-slash")
        assert "redirects (301)" in str(self.failure(client))
        assert len(keptn.requests) == 1

    def test_a_refused_parameter_is_said_in_keptns_words(self, keptn, client):
        scripted(keptn, "event-pagesize-101")
        assert "422: pageSize in query should be less than or equal to 100" in str(self.failure(client))

    def test_of_two_bodies_in_one_answer_the_first_counts(self, keptn, client):
        two = '{"code":404,"message":"stage not found"}{"code":500,"message":"stage not found"}'
        keptn.answers.append((404, {}, two))
        assert str(self.failure(client)).endswith("404: stage not found")

    @pytest.mark.parametrize("body", ["", "<html>", "[" * 50_000, '"x"', "[1]", '{"message": 7}', '{"message": ""}'])
    def test_any_error_body_is_survived(self, keptn, client, body):
        keptn.answers.append((500, {}, body))
        assert str(self.failure(client)).endswith("500: Internal Server Error")

    @pytest.mark.parametrize("body", ["", "<html>", "[" * 50_000, "[]", "{}", "null", '{"items": []}'])
    def test_any_body_of_a_success_is_survived(self, keptn, client, body):
        keptn.answers.append((200, {}, body))
        assert "keptn.url" in str(self.failure(client))

    def test_a_long_foreign_message_is_cut_and_put_on_one_line(self, keptn, client):
        keptn.answers.append((500, {}, {"message": "a\n" * 5000}))
        text = str(self.failure(client))
        assert len(text) < 400
        assert "\n" not in text

    def test_control_characters_of_keptn_reach_no_message(self, keptn, client):
        keptn.answers.append((500, {}, {"message": "a\x1b[31mred\u202e\x00\u2028b\x7f"}))
        text = str(self.failure(client))
        assert text.isprintable()
        assert text.endswith(": ared b")

    @pytest.mark.parametrize("status", [429, 500, 503])
    @pytest.mark.parametrize("header", ["7200", "Sun, 06 Nov 1994 10:49:37 GMT"])
    def test_a_wait_that_is_asked_for_is_passed_on_in_full(self, keptn, client, status, header):
        keptn.answers.append((status, {"Retry-After": header}, ""))
        assert self.failure(client).retry_after == 7200.0

    @pytest.mark.parametrize(
        ("status", "away"),
        [
            *((301, True), (401, True), (403, False), (404, False), (422, False)),
            *((429, True), (500, False), (502, True), (503, True), (504, True)),
        ],
    )
    def test_an_outage_is_told_from_an_error_of_one_project(self, keptn, client, status, away):
        keptn.answers.append((status, {}, ""))
        assert self.failure(client).everywhere == away

    @pytest.mark.parametrize(
        ("body", "away"), [("", True), ("<html>", True), ("{}", True), ("[" * 50_000, False), ("{" + '"x":' * 9, False)]
    )
    def test_what_is_in_between_answers_for_all(self, keptn, client, body, away):
        keptn.answers.append((200, {}, body))
        assert self.failure(client).everywhere == away

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("http://127.0.0.1:1/api", "Connection refused"),
            ("http://keptn.invalid/api", ""),
            ("http://keptn..invalid/api", ""),
        ],
    )
    def test_who_cannot_be_reached_is_away_for_all(self, url, said):
        client = KeptnClient(url, lambda: TOKEN)
        failure = self.failure(client)
        client.close()
        assert failure.everywhere
        assert said in str(failure)
        assert url.removesuffix("/api") in str(failure)

    def test_a_silent_answer_is_about_one_question(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
            client = KeptnClient(url, lambda: TOKEN, timeout=(1, 0.1))
            failure = self.failure(client)
            client.close()
        assert not failure.everywhere
        assert "no whole answer within 0.1 s" in str(failure)

    def test_without_a_token_no_question_can_be_asked(self):
        def no_token():
            raise DependencyNotReadyError("Secret 'x' does not exist yet")

        client = KeptnClient("http://127.0.0.1:1/api", no_token)
        failure = self.failure(client)
        assert failure.everywhere
        assert "without its API token: Secret 'x' does not exist yet" in str(failure)

    def test_a_later_page_that_fails_cuts_the_answer(self):
        keptn = Keptn("35-many-evaluations")
        keptn.answers += [
            (200, {}, keptn._events({"project": "s35-many-evaluations", "pageSize": "100"})),
            (500, {}, ""),
        ]
        with serving(keptn) as client:
            answer = client.events("s35-many-evaluations", LONG_AGO)
        assert (len(answer.events), answer.complete) == (100, False)

    def test_a_later_page_that_finds_keptn_away_is_an_outage(self):
        keptn = Keptn("35-many-evaluations")
        keptn.answers += [
            (200, {}, keptn._events({"project": "s35-many-evaluations", "pageSize": "100"})),
            (502, {}, ""),
        ]
        with serving(keptn) as client, pytest.raises(KeptnUnavailableError) as caught:
            client.events("s35-many-evaluations", LONG_AGO)
        assert caught.value.everywhere

    def test_an_unknown_status_is_survived(self, keptn, client):
        keptn.answers.append((599, {}, ""))
        assert "599" in str(self.failure(client))

    def test_nobody_listening_is_unavailable(self):
        client = KeptnClient("http://127.0.0.1:1/api", lambda: TOKEN)
        failure = self.failure(client)
        assert str(failure) == "Keptn's API at http://127.0.0.1:1/api does not answer: Connection refused"
        assert failure.everywhere
        client.close()

    def test_the_token_is_asked_for_before_each_request(self, keptn):
        tokens = iter([TOKEN, TOKEN, f"{TOKEN}\n"])
        with serving(keptn) as other:
            client = KeptnClient(other._http._base_url, lambda: next(tokens))
            client.events("s02-pass", LONG_AGO)
            client.sequence_executions("s02-pass")
            assert "Secret, key keptn-api-token" in str(self.failure(client))
            client.close()


def bulky(number, size, filling):
    """An event whose payload holds so many bytes of JSON that nobody reads, as text."""
    data = {"project": "p", "stage": "qa", "service": "s"}
    head = json.dumps(
        {
            "id": f"id-{number}",
            "type": "sh.keptn.event.bulk.finished",
            "time": f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z",
            "shkeptncontext": "c",
            "data": data,
        }
    ).removesuffix("}}")
    return f'{head}, "filling": [{",".join([filling] * (size // (len(filling) + 1)))}]}}}}'


class Bulk:
    """Keptn with large events, all of the newest first."""

    date = None

    def __init__(self, events, *, told):
        self.events, self.told, self.sizes = events, told, []

    def answer(self, method, path, query, body):
        start, size = int(query.get("nextPageKey", "0")), int(query["pageSize"])
        self.sizes.append(size)
        page = [piece for event in self.events[start : start + size] for piece in (",", event)][1:]
        following = f', "nextPageKey": "{start + size}"' if start + size < len(self.events) else ""
        pieces = Pieces(['{"events": [', *page, f"]{following}}}"])
        pieces.told = self.told
        return 200, {}, pieces


NESTED = '{"a":{"a":{"a":{"a":[1.5,{"b":null}]}}}}'


def traced(keptn):
    """What the client answers, and how many bytes it took at most."""
    with serving(keptn) as client:
        tracemalloc.start()
        answer = client.events("p", LONG_AGO)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return answer, peak


class TestTooMuchAtOnce:
    @pytest.mark.parametrize("told", [True, False], ids=["length told", "length untold"])
    def test_pages_of_nested_json_take_little_memory(self, told):
        keptn = Bulk([bulky(number, 144_000, NESTED) for number in range(100)], told=told)
        answer, peak = traced(keptn)
        assert peak < 64 * 1024 * 1024
        assert len(answer.events) == 100
        assert answer.complete
        assert keptn.sizes[:4] == [100, 20, 5, 5]

    @pytest.mark.parametrize("filling", ['{"":0}', "{}", "[]", '"ab"'])
    def test_the_largest_page_takes_little_memory_whatever_it_holds(self, filling):
        answer, peak = traced(Bulk([bulky(number, 250_000, filling) for number in range(5)], told=True))
        assert peak < 64 * 1024 * 1024
        assert len(answer.events) == 5

    def test_after_so_many_bytes_an_answer_is_cut(self):
        keptn = Bulk([bulky(number, 900_000, NESTED) for number in range(50)], told=True)
        with serving(keptn) as client:
            answer = client.events("p", LONG_AGO)
        assert not answer.complete
        assert 20 < len(answer.events) < 40

    def test_what_is_kept_counts_too(self):
        results = json.dumps({"indicatorResults": [{"value": 0}] * 10_000}, separators=(",", ":"))
        events = [
            bulky(number, 0, "").replace("bulk", "evaluation").replace('"filling": []', f'"evaluation": {results}')
            for number in range(100)
        ]
        with serving(Bulk(events, told=True)) as client:
            answer = client.events("p", LONG_AGO)
        assert not answer.complete
        assert 0 < len(answer.events) <= 20

    def test_one_event_that_is_too_large_is_left_out(self):
        events = [bulky(number, 3_000_000 if number == 3 else 10, NESTED) for number in range(200)]
        keptn = Bulk(events, told=True)
        with serving(keptn) as client:
            answer = client.events("p", LONG_AGO)
        assert not answer.complete
        assert {event.id for event in answer.events} == {f"id-{number}" for number in range(200)} - {"id-3"}
        assert keptn.sizes[-1] == 100

    def test_events_that_are_all_too_large_are_no_answer(self):
        with (
            serving(Bulk([bulky(1, 3_000_000, NESTED)] * 100, told=True)) as client,
            pytest.raises(KeptnUnavailableError, match="too large") as caught,
        ):
            client.events("p", LONG_AGO)
        assert not caught.value.everywhere

    def test_single_questions_have_the_same_bound(self):
        keptn = Bulk([bulky(number, 144_000, NESTED) for number in range(100)], told=True)
        with serving(keptn) as client:
            assert client.event("p", "id-0").id == "id-19"
            assert client.newest_event("p", "qa", "s", "sh.keptn.event.bulk.finished").id == "id-19"
            assert len(client.events_of_context("p", "c")) == 100
        assert max(keptn.sizes[:2]) == 20
