"""What the client of the Kubernetes API says when it gets no answer, or not the right one."""

import contextlib
import http.server
import socket
import threading

import pytest
import yaml

from prodeval.adapters import cluster as adapter
from prodeval.adapters.cluster import Cluster
from prodeval.domain.errors import AccessDeniedError, ClusterUnavailableError, ConfigError, DependencyNotReadyError
from prodeval.domain.resource import ResourceKey

REMEDY = "see that it runs, and that its address and the network in between are right"
KEY = ResourceKey("team-a", "helloservice")
ASKED = {
    "the list": lambda cluster: list(cluster.resources([])),
    "the list of a namespace": lambda cluster: list(cluster.resources(["team-a"])),
    "a Secret": lambda cluster: cluster.secret("keptn", "keptn-api-token"),
    "a ConfigMap": lambda cluster: cluster.config_map("team-a", "gate"),
    "a resource": lambda cluster: cluster.read(KEY),
    "a write": lambda cluster: cluster.patch_status(KEY, {}, "1"),
}
each_request = pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Make a client of whatever is at an address."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(adapter, "TIMEOUT", (0.2, 0.2))

    def make(address):
        kubeconfig = {
            "current-context": "one",
            "clusters": [{"name": "one", "cluster": {"server": address}}],
            "users": [{"name": "one", "user": {"token": "a token"}}],
            "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        }
        file = tmp_path / "kubeconfig"
        file.write_text(yaml.safe_dump(kubeconfig))
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
        return Cluster()

    return make


@contextlib.contextmanager
def answering(status):
    """The address of a server with one answer to everything."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_PATCH = answer  # noqa: N815 - the names that the library calls

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@each_request
def test_a_refused_connection_is_blamed_on_the_server_alone(client, ask):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"https://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(ClusterUnavailableError) as caught:
            ask(client(address))
    assert str(caught.value) == f"the API server at {address} does not answer (Connection refused); {REMEDY}"


def test_a_server_that_is_silent_is_named_with_the_time_it_had(client):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ClusterUnavailableError) as caught:
            client(address).read(KEY)
    assert str(caught.value) == f"the API server at {address} does not answer (nothing within 0.2 s); {REMEDY}"


def test_a_network_that_swallows_everything_is_told_with_the_time_it_had(client):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as waiting:
        # Linux drops the first packet of a connection that finds the queue of a listener full.
        for _ in range(2):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        address = f"http://127.0.0.1:{full.getsockname()[1]}"
        with pytest.raises(ClusterUnavailableError, match=r"does not answer \(no connection within 0\.2 s\)"):
            client(address).read(KEY)


def test_a_name_that_does_not_resolve_is_told(client):
    with pytest.raises(ClusterUnavailableError, match=r"https://nowhere\.invalid:6443 does not answer \(\S+ .*\); see"):
        client("https://nowhere.invalid:6443").read(KEY)


def test_a_server_without_tls_is_told_in_the_words_of_tls(client):
    with answering(200) as address, pytest.raises(ClusterUnavailableError, match=r"\(\[SSL: .*\); see that it runs"):
        client(address.replace("http:", "https:")).read(KEY)


def test_only_a_kind_that_is_absent_is_blamed_on_the_crd(client):
    with answering(404) as address:
        with pytest.raises(DependencyNotReadyError) as caught:
            ASKED["the list"](client(address))
        assert str(caught.value) == (
            "the kind ProductionEvaluation does not exist yet; apply the CRD: kubectl apply -k crds/"
        )
    with answering(503) as address:
        with pytest.raises(ClusterUnavailableError) as caught:
            ASKED["the list"](client(address))
        assert str(caught.value) == f"the kind ProductionEvaluation: the API server at {address} answered HTTP 503"


@each_request
def test_a_token_that_is_refused_is_no_matter_of_rights(client, ask):
    with answering(401) as address, pytest.raises(AccessDeniedError, match=r"refuses the operator's token \(HTTP 401"):
        ask(client(address))


@each_request
def test_a_right_that_is_missing_is_named_with_what_it_is_for(client, ask):
    with answering(403) as address, pytest.raises(AccessDeniedError, match=r"^(the|Sec|Conf|Prod).*: the operator's"):
        ask(client(address))


@pytest.mark.parametrize("content", [b"clusters: [", b"\xff\xfe\x00"])
def test_a_kubeconfig_that_cannot_be_read_is_told_in_one_line(tmp_path, monkeypatch, content):
    file = tmp_path / "kubeconfig"
    file.write_bytes(content)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    with pytest.raises(ConfigError, match=r"^no cluster: [^\n]+\. Run in a pod, or set KUBECONFIG$"):
        Cluster()
