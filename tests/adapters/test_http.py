import contextlib
import json
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from prodeval.adapters.http import HttpClient, HttpFailedError

SECRET = "s3cr3t-t0ken"


class Echo(BaseHTTPRequestHandler):
    """Says what it was asked; /moved redirects, /big sends 200 kB, /chunked sends chunks."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/moved":
            return self._send(302, b"", {"Location": "/elsewhere"})
        if self.path == "/big":
            return self._send(200, b"x" * 200_000)
        if self.path == "/chunked":
            return self._send_chunks([b"ab", b"cd"])
        told = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": sent}
        return self._send(200, json.dumps(told).encode())

    do_GET = do_POST = do_PUT = answer  # noqa: N815 - http.server asks for these names

    def _send(self, status, body, headers=()):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _send_chunks(self, chunks):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in [*chunks, b""]:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(handler=Echo, tls=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def raw_server(*pieces, pause=0.02):
    """Accepts one connection, sends the pieces with a pause after each, then closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve():
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            for piece in pieces:
                connection.sendall(piece)
                if stop.wait(pause):
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join()
        listener.close()


@contextlib.contextmanager
def client(url, **options):
    made = HttpClient(url, **options)
    try:
        yield made
    finally:
        made.close()


def test_a_request_carries_parameters_and_both_kinds_of_headers():
    with serving() as url, client(f"{url}/api/", headers={"x-token": SECRET}) as http:
        response = http.request("GET", "/a%2Fb", params={"q": ["1", "2"], "t": "x y"}, headers={"X-More": "1"})
    told = json.loads(response.body)
    assert (response.status, told["path"]) == (200, "/api/a%2Fb?q=1&q=2&t=x+y")
    assert (told["headers"]["x-token"], told["headers"]["X-More"]) == (SECRET, "1")


def test_a_form_and_a_json_body_are_sent_as_such():
    with serving() as url, client(url) as http:
        form = json.loads(http.request("POST", "/", form={"query": "up > 0"}).body)
        document = json.loads(http.request("PUT", "/", json={"a": [1]}).body)
    assert (form["body"], form["headers"]["Content-Type"]) == ("query=up+%3E+0", "application/x-www-form-urlencoded")
    assert (document["method"], json.loads(document["body"])) == ("PUT", {"a": [1]})


def test_an_empty_json_object_is_still_a_body():
    with serving() as url, client(url) as http:
        assert json.loads(http.request("POST", "/", json={}).body)["body"] == "{}"


def test_a_redirect_is_an_answer_and_is_not_followed():
    with serving() as url, client(url, headers={"x-token": SECRET}) as http:
        response = http.request("GET", "/moved")
    assert (response.status, response.headers["location"]) == (302, "/elsewhere")


def test_the_environment_neither_reroutes_nor_authenticates(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serving() as url, client(url) as http:
        told = json.loads(http.request("GET", "/").body)
    assert "Authorization" not in told["headers"]


def test_a_chunked_answer_is_read_whole():
    with serving() as url, client(url) as http:
        assert http.request("GET", "/chunked").body == b"abcd"


def test_an_answer_of_exactly_the_limit_is_read():
    with serving() as url, client(url, max_bytes=200_000) as http:
        assert len(http.request("GET", "/big").body) == 200_000


def test_an_answer_over_the_limit_is_refused():
    with serving() as url, client(url, max_bytes=199_999) as http, pytest.raises(HttpFailedError) as caught:
        http.request("GET", "/big")
    assert "more than 199999 bytes" in str(caught.value)


def test_nobody_listening_names_the_place_and_what_the_system_said():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with client(f"http://127.0.0.1:{port}") as http, pytest.raises(HttpFailedError) as caught:
        http.request("GET", "/x", params={"q": SECRET})
    assert str(caught.value) == f"GET http://127.0.0.1:{port}/x: Connection refused"


def test_userinfo_of_the_url_is_not_in_messages():
    with client(f"http://user:{SECRET}@127.0.0.1:1/api") as http, pytest.raises(HttpFailedError) as caught:
        http.request("GET", "/x")
    assert "http://127.0.0.1:1/api/x" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("bad", [f"{SECRET}\n", f" {SECRET}", f"{SECRET}\r\nX: y", f"{SECRET}é"])
def test_a_header_that_cannot_be_sent_is_refused_without_quoting_it(bad):
    with client("http://127.0.0.1:1") as http, pytest.raises(HttpFailedError) as caught:
        http.request("GET", "/", headers={"x-token": bad})
    assert "x-token" in str(caught.value)
    assert SECRET not in str(caught.value)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


def test_a_server_that_says_nothing_is_given_up():
    with raw_server(b"", pause=60) as url, client(url, timeout=(1, 0.1)) as http, pytest.raises(HttpFailedError) as bad:
        http.request("GET", "/")
    assert "no whole answer within 0.1 s" in str(bad.value)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nX: ", *[b"y"] * 5000],
        [HEAD, *[b"y"] * 5000],
        [b"HTTP/1.1 200 OK\r\n\r\n", *[b"y"] * 5000],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"0"] * 5000],
    ],
    ids=["headers", "body", "body until closed", "chunk size"],
)
def test_a_server_that_drips_is_given_up(pieces):
    with raw_server(*pieces) as url, client(url, timeout=(0.1, 0.2)) as http, pytest.raises(HttpFailedError) as caught:
        http.request("GET", "/")
    assert "no whole answer within 0.2 s" in str(caught.value)


def test_an_answer_that_breaks_off_is_no_answer():
    with raw_server(HEAD, b"half") as url, client(url) as http, pytest.raises(HttpFailedError) as caught:
        http.request("GET", "/")
    assert "broke off" in str(caught.value)


def test_a_server_that_closes_without_an_answer_is_named():
    with raw_server() as url, client(url) as http, pytest.raises(HttpFailedError) as caught:
        http.request("GET", "/")
    assert str(caught.value).startswith(f"GET {url}/: ")


def test_garbage_instead_of_http_is_no_answer():
    with raw_server(b"\x00\xff\r\n\r\n") as url, client(url) as http, pytest.raises(HttpFailedError):
        http.request("GET", "/")


def test_tls_is_verified_against_the_given_bundle(tmp_path):
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(tls=context) as url:
        with client(url, verify=str(bundle)) as http:
            assert http.request("GET", "/").status == 200
        with client(url) as http, pytest.raises(HttpFailedError) as caught:
            http.request("GET", "/")
    assert "certificate" in str(caught.value).lower()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_the_same_kind_of_error(body):
    with raw_server(b"HTTP/1.1 200 OK\r\n\r\n" + body, pause=0) as url, client(url) as http:
        response = http.request("GET", "/")
    with pytest.raises(HttpFailedError, match="no JSON"):
        response.json()


def test_as_many_connections_are_kept_as_there_are_threads(caplog):
    together = threading.Barrier(40)

    class Waits(Echo):
        def do_GET(self):
            together.wait(10)
            self.answer()

    with serving(Waits) as url, client(url) as http, ThreadPoolExecutor(40) as threads:
        asked = [threads.submit(http.request, "GET", "/") for _ in range(40)]
        assert {one.result().status for one in asked} == {200}
    assert [record.getMessage() for record in caplog.records if "pool" in record.getMessage()] == []


def test_a_server_that_takes_no_more_connections_is_given_up():
    with contextlib.ExitStack() as stack:
        busy = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # the queue of a backlog of 0 holds one or two
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(busy.getsockname())
        http = stack.enter_context(client(f"http://127.0.0.1:{busy.getsockname()[1]}", timeout=(0.2, 1)))
        with pytest.raises(HttpFailedError, match=r"no connection within 0\.2 s"):
            http.request("GET", "/")
