"""What stands between an operator and its API server, and does to its requests what networks and gateways do."""

import contextlib
import http.client
import json
import socket
import ssl
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from demo.certificates import issue
from demo.loopback import ADDRESS

PATIENCE = 60.0
"""Seconds without a byte from the API server; bookmarks of a watch come each minute at most."""


@dataclass(frozen=True)
class Answer:
    """What is said in place of the API server: a Status of Kubernetes."""

    status: HTTPStatus
    headers: dict = field(default_factory=dict)

    @property
    def content(self):
        said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": self.status, "reason": "Injected"}
        return json.dumps(said | {"message": self.status.phrase}).encode()


@dataclass
class ApiProxy:
    """A proxy in front of an API server.

    Attributes:
        fault: from method and path to an Answer, which is given in place of the API server's; None: it is asked.
        answered: (method, path) of what was answered in place of it.
        cuts: how many connections with a watch were cut.
    """

    url: str
    ca_file: object
    upstream: object
    fault: object = None
    answered: list = field(default_factory=list)
    cuts: int = 0
    watches: set = field(default_factory=set)

    def cut(self):
        """End all connections that carry a watch, in both directions and in the middle of whatever is under way."""
        for one in tuple(self.watches):
            self.cuts += 1
            shut(one)

    @contextlib.contextmanager
    def cutting(self, seconds):
        """Cut all watches again and again, for the length of a block."""
        ended = threading.Event()

        def cut():
            while not ended.wait(seconds):
                self.cut()

        thread = threading.Thread(target=cut)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    @contextlib.contextmanager
    def faulty(self, fault):
        """Give answers of one's own for the length of a block; see `fault`."""
        self.fault, self.answered = fault, []
        try:
            yield
        finally:
            self.fault = None


@contextlib.contextmanager
def api_proxy(cluster, folder):
    """Serve on a free port for the length of a block, with a certificate of its own."""
    certificate = issue(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate_file, certificate.key_file)
    with _Server((ADDRESS, 0), _Handler) as server:
        # The handshake is made by the thread that serves the connection.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.trust = ssl.create_default_context(cafile=cluster.ca_file)
        server.proxy = ApiProxy(f"https://{ADDRESS}:{server.server_port}", certificate.ca_file, urlsplit(cluster.url))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.proxy
        finally:
            server.shutdown()
            server.proxy.cut()
            thread.join()


def shut(connection):
    """End a connection under the thread that uses it, which keeps the object: TLS would take its own away from it."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args):
        """Connections end in the middle here; that is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def forward(self):
        proxy = self.server.proxy
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = proxy.fault(self.command, self.path) if proxy.fault else None
        if said is not None:
            proxy.answered.append((self.command, self.path))
            self._say(said.status, said.headers, said.content)
            return
        try:
            self._ask(sent)
        except (OSError, http.client.HTTPException):  # the API server is away: so is the proxy
            shut(self.connection)
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = forward  # noqa: N815 - http.server asks for these names

    def _ask(self, sent):
        upstream, kept = self.server.proxy.upstream, {"Authorization", "Accept", "Content-Type", "User-Agent"}
        with contextlib.closing(
            http.client.HTTPSConnection(upstream.hostname, upstream.port, context=self.server.trust, timeout=PATIENCE)
        ) as connection:
            headers = {name: value for name, value in self.headers.items() if name.title() in kept}
            connection.connect()
            asks = connection.sock
            connection.request(self.command, self.path, body=sent or None, headers=headers)
            response = connection.getresponse()
            if "watch=true" in self.path:
                self._stream(response, asks)
            else:
                given = {name: response.headers[name] for name in ("Content-Type", "Date", "Retry-After")}
                self._say(response.status, {name: one for name, one in given.items() if one}, response.read())

    def _say(self, status, headers, content):
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, response, upstream):
        """Pass on each event as it comes, until one side ends the connection."""
        mine = {self.connection, upstream}
        self.server.proxy.watches |= mine
        try:
            self.send_response_only(response.status)
            self.send_header("Content-Type", response.headers["Content-Type"])
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while content := response.read1(1 << 16):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
            self.wfile.write(b"0\r\n\r\n")
        finally:
            self.server.proxy.watches -= mine

    def log_message(self, *args):
        """Write nothing."""
