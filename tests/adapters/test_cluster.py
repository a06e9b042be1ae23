"""The client of the Kubernetes API: against a server that answers as it is told, and against the real one."""

import contextlib
import json
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from kubernetes.config import kube_config

from prodeval.adapters.cluster import Cluster
from prodeval.domain.errors import (
    ClusterUnavailableError,
    DependencyNotReadyError,
    StatusRefusedError,
)
from prodeval.domain.resource import GROUP, KIND, VERSION, Identity, ResourceKey

KEY = ResourceKey("team-a", "web")
PATH = f"/apis/{GROUP}/{VERSION}/namespaces/team-a/productionevaluations/web"
BODY = {
    "apiVersion": f"{GROUP}/{VERSION}",
    "kind": KIND,
    "metadata": {"namespace": "team-a", "name": "web", "uid": "u1", "resourceVersion": "7"},
}
HTML = "<html><body>Log in</body></html>"


def status(code, message, reason=""):
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "message": message,
        "reason": reason,
    }


class Server:
    """Gives the scripted answers in turn, the last for ever: (status, headers, body)."""

    def __init__(self):
        self.answers, self.requests, self.connections = [], [], set()

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextlib.contextmanager
def serving(server):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            server.requests.append((self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), sent))
            server.connections.add(self.client_address)
            code, headers, body = server.next()
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(code)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - http.server asks for these names

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


@pytest.fixture
def cluster_at(monkeypatch, tmp_path):
    """Make the client of the API server at a URL."""

    def make(url, **options):
        file = tmp_path / "kubeconfig"
        content = {
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "users": [{"name": "c", "user": {"token": "t0ken"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        }
        file.write_text(yaml.safe_dump(content))
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(file))
        return Cluster(**options)

    return make


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def cluster(server, cluster_at):
    with serving(server) as url:
        yield cluster_at(url)


def patch(cluster):
    return cluster.patch_status(KEY, {"verdict": "Pass"}, "7")


CALLS = {
    "secret": lambda cluster: cluster.secret("team-a", "git"),
    "config_map": lambda cluster: cluster.config_map("team-a", "files"),
    "resources": lambda cluster: list(cluster.resources([])),
    "identities": lambda cluster: cluster.identities(["team-a"]),
    "read": lambda cluster: cluster.read(KEY),
    "patch_status": patch,
}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
on_one_object = pytest.mark.parametrize("call", [CALLS["read"], CALLS["patch_status"]], ids=["read", "patch_status"])


class TestTheApiAsAWhole:
    @each_call
    @pytest.mark.parametrize("code", [401, 500, 502, 503, 504])
    def test_it_does_not_answer(self, server, cluster, call, code):
        server.answers = [(code, {}, status(code, "no"))]
        with pytest.raises(ClusterUnavailableError, match=f"HTTP {code}"):
            call(cluster)

    @each_call
    def test_a_wait_that_it_asks_for_is_told_and_not_slept(self, server, cluster, call):
        server.answers = [(503, {"Retry-After": "120"}, status(503, "later"))]
        with pytest.raises(ClusterUnavailableError) as caught:
            call(cluster)
        assert caught.value.retry_after == 120.0
        assert len(server.requests) == 1

    @pytest.mark.parametrize("call", [call for name, call in CALLS.items() if name != "patch_status"])
    @pytest.mark.parametrize("body", [status(429, "later"), "Too many requests, please try again later.\n"])
    def test_it_has_too_much_to_do_to_be_read(self, server, cluster, call, body):
        server.answers = [(429, {"Retry-After": "120"}, body)]
        with pytest.raises(ClusterUnavailableError, match="HTTP 429") as caught:
            call(cluster)
        assert caught.value.retry_after == 120.0
        assert len(server.requests) == 1

    @each_call
    @pytest.mark.parametrize(
        ("code", "headers", "body"),
        [
            (200, {"Content-Type": "text/html"}, HTML),
            (200, {"Content-Type": "application/json"}, HTML),
            (200, {}, ""),
            (200, {}, "[1]"),
            (200, {}, '{"login": true}'),
            (200, {}, "[" * 50_000),
            (403, {"Content-Type": "text/html"}, HTML),
            (302, {"Location": "/login"}, HTML),
        ],
        ids=["html", "html as json", "empty", "list", "foreign", "deep", "denied", "redirect"],
    )
    def test_something_in_between_answers(self, server, cluster, call, code, headers, body):
        server.answers = [(code, headers, body)]
        with pytest.raises(ClusterUnavailableError, match="is not the API server"):
            call(cluster)
        assert len(server.requests) == 1

    @each_call
    def test_nobody_listens(self, cluster_at, call):
        with pytest.raises(ClusterUnavailableError) as caught:
            call(cluster_at("http://127.0.0.1:1"))
        assert "http://127.0.0.1:1 does not answer (Connection refused)" in str(caught.value)
        assert "crds" not in str(caught.value)

    @each_call
    def test_it_hangs(self, cluster_at, call):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            with pytest.raises(ClusterUnavailableError, match=r"nothing within 0\.1 s"):
                call(cluster_at(url, timeout=(1, 0.1)))

    @pytest.mark.parametrize("url", ["http://api..invalid", "http://nobody.invalid", "https://127.0.0.1:1"])
    def test_an_address_that_leads_nowhere(self, cluster_at, url):
        with pytest.raises(ClusterUnavailableError, match="does not answer"):
            patch(cluster_at(url))


class TestOneObject:
    @on_one_object
    @pytest.mark.parametrize("code", [400, 403, 413, 422])
    def test_a_refusal_is_its_own_and_told_in_the_servers_words(self, server, cluster, call, code):
        server.answers = [(code, {}, status(code, "ValidatingAdmissionPolicy 'no\x1b[31m\nstatus' denied\u202e"))]
        with pytest.raises(StatusRefusedError) as caught:
            call(cluster)
        text = str(caught.value)
        assert text.endswith(f"team-a/web is refused (HTTP {code}): ValidatingAdmissionPolicy 'no status' denied")
        assert text.isprintable()

    @pytest.mark.parametrize("body", [status(429, "later"), "Too many requests, please try again later.\n"])
    def test_too_many_writes_refuse_the_one_that_is_too_many(self, server, cluster, body):
        server.answers = [(429, {"Retry-After": "120"}, body)]
        with pytest.raises(StatusRefusedError, match="HTTP 429") as caught:
            patch(cluster)
        assert caught.value.retry_after == 120.0
        assert len(server.requests) == 1

    def test_long_words_are_cut(self, server, cluster):
        server.answers = [(422, {}, status(422, "x" * 100_000))]
        with pytest.raises(StatusRefusedError) as caught:
            patch(cluster)
        assert len(str(caught.value)) < 700

    def test_a_webhook_that_is_down_refuses_one_object(self, server, cluster):
        message = 'Internal error occurred: failed calling webhook "a.b.c": connection refused'
        server.answers = [(500, {}, status(500, message, "InternalError"))]
        with pytest.raises(StatusRefusedError, match="failed calling webhook"):
            patch(cluster)

    @on_one_object
    def test_it_is_gone(self, server, cluster, call):
        server.answers = [(404, {}, status(404, "not found", "NotFound"))]
        assert call(cluster) is None

    @on_one_object
    def test_a_kind_that_is_not_served_does_not_make_it_gone(self, server, cluster, call):
        server.answers = [(404, {}, "404 page not found\n")]
        with pytest.raises(ClusterUnavailableError, match="HTTP 404"):
            call(cluster)

    def test_somebody_wrote_it_meanwhile(self, server, cluster):
        server.answers = [(409, {}, status(409, "the object has been modified", "Conflict"))]
        assert patch(cluster) is None

    def test_the_patch_is_sent_as_a_merge_at_a_resource_version(self, server, cluster):
        server.answers = [(200, {}, BODY)]
        assert patch(cluster) == BODY
        ((method, path, _, headers, sent),) = server.requests
        assert (method, path) == ("PATCH", f"{PATH}/status")
        assert headers["Content-Type"] == "application/merge-patch+json"
        assert headers["authorization"] == "Bearer t0ken"
        assert json.loads(sent) == {"metadata": {"resourceVersion": "7"}, "status": {"verdict": "Pass"}}

    def test_it_is_read(self, server, cluster):
        server.answers = [(200, {}, BODY)]
        assert cluster.read(KEY) == BODY
        assert server.requests[0][:2] == ("GET", PATH)


class TestWhatIsRead:
    @pytest.mark.parametrize("name", ["secret", "config_map"])
    def test_what_is_absent_and_what_is_denied(self, server, cluster, name):
        server.answers = [(404, {}, status(404, "not found")), (403, {}, status(403, "forbidden"))]
        with pytest.raises(DependencyNotReadyError, match="in namespace 'team-a' does not exist yet"):
            CALLS[name](cluster)
        with pytest.raises(DependencyNotReadyError, match="see deploy/"):
            CALLS[name](cluster)

    def test_a_secret_is_decoded(self, server, cluster):
        server.answers = [
            (200, {}, {"kind": "Secret", "data": {"token": "aMO8", "empty": ""}}),
            (200, {}, {"kind": "Secret"}),
        ]
        assert cluster.secret("team-a", "git") == {"token": "hü".encode(), "empty": b""}
        assert cluster.secret("team-a", "git") == {}

    def test_a_config_map_is_text_and_bytes(self, server, cluster):
        body = {"kind": "ConfigMap", "data": {"a": "hü"}, "binaryData": {"b": "/w=="}}
        server.answers = [(200, {}, body)]
        assert cluster.config_map("team-a", "files") == {"a": "hü".encode(), "b": b"\xff"}

    @pytest.mark.parametrize("name", ["resources", "identities"])
    def test_a_kind_that_is_not_served_names_the_remedy(self, server, cluster, name):
        server.answers = [(404, {}, "404 page not found\n")]
        with pytest.raises(DependencyNotReadyError, match="kubectl apply -k crds/"):
            CALLS[name](cluster)

    def test_lists_are_read_page_by_page(self, server, cluster):
        pages = [{"kind": "L", "metadata": {"continue": "c/1=="}, "items": [BODY]}, {"kind": "L", "items": [BODY]}]
        server.answers = [(200, {}, page) for page in pages]
        assert list(cluster.resources([])) == [BODY, BODY]
        assert [query for _, _, query, _, _ in server.requests] == [
            {"limit": "500"},
            {"limit": "500", "continue": "c/1=="},
        ]

    def test_a_list_that_expired_on_the_way_is_tried_again_later(self, server, cluster):
        page = {"kind": "L", "metadata": {"continue": "c"}, "items": [BODY]}
        server.answers = [(200, {}, page), (410, {}, status(410, "expired", "Expired"))]
        with pytest.raises(ClusterUnavailableError, match="HTTP 410"):
            cluster.identities([])

    def test_identities_ask_for_metadata_alone_in_each_namespace(self, server, cluster):
        server.answers = [(200, {}, {"kind": "PartialObjectMetadataList", "items": [{"metadata": BODY["metadata"]}]})]
        assert cluster.identities(["team-a", "team-b"]) == {KEY: Identity("u1", 7)}
        assert [path.split("/")[5] for _, path, *_ in server.requests] == ["team-a", "team-b"]
        assert {headers["Accept"] for _, _, _, headers, _ in server.requests} == {
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
        }


class TestEvents:
    def test_it_is_about_the_resource(self, server, cluster):
        server.answers = [(201, {}, {"kind": "Event"})]
        cluster.post_event(BODY, "Warning", "Failed", "a\x1b\nb" + "x" * 5000)
        ((method, path, _, _, sent),) = server.requests
        event = json.loads(sent)
        assert (method, path) == ("POST", "/api/v1/namespaces/team-a/events")
        assert event["involvedObject"] == {"apiVersion": BODY["apiVersion"], "kind": KIND, **BODY["metadata"]}
        assert (event["type"], event["reason"], len(event["message"])) == ("Warning", "Failed", 1024)
        assert event["message"].isprintable()

    @pytest.mark.parametrize("answer", [(403, {}, status(403, "quota")), (503, {}, ""), (200, {}, HTML)])
    def test_what_cannot_be_posted_is_logged(self, server, cluster, caplog, answer):
        server.answers = [answer]
        with caplog.at_level(logging.INFO):
            cluster.post_event(BODY, "Normal", "Passed", "ok")
        (record,) = [one for one in caplog.records if one.name == "prodeval.adapters.cluster"]
        assert record.levelno == logging.INFO
        assert record.getMessage().startswith("Event Passed about team-a/web is ")


def test_as_many_connections_are_kept_as_there_are_threads(server, cluster):
    """One that is thrown away would also be a warning of urllib3, which fails the test."""
    server.answers = [(200, {}, BODY)]
    together = threading.Barrier(20)
    give = server.next

    def wait_for_all():
        together.wait(10)
        return give()

    server.next = wait_for_all
    with ThreadPoolExecutor(20) as threads:
        for _ in range(3):
            list(threads.map(lambda _: cluster.read(KEY), range(20)))
    assert len(server.connections) == 20
