"""A real Git server: `git http-backend` behind a small HTTP server with basic authentication.

It runs in threads of this process. The repositories are bare ones on disk, so a test
can put hooks into them.
"""

import base64
import hmac
import os
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

from demo.certificates import Certificate, issue
from demo.loopback import ADDRESS

ISOLATION = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0"}
"""Environment that keeps Git away from the settings of this machine's user."""

SETTINGS = ("http.receivepack=true", "uploadpack.allowFilter=true", "receive.advertiseAtomic=true")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was answered; sizes are those of the bodies, in bytes."""

    method: str
    path: str
    """With the query."""
    status: int
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class GitServer:
    """A running Git server."""

    root: Path
    url: str
    user: str
    password: str = field(repr=False)
    ca_file: Path | None
    requests: list[Request]
    """All requests so far, oldest first; each stands here before its answer is sent."""

    def create(self, name: str, branch: str = "main") -> Path:
        """Make an empty bare repository with that default branch, and return its folder."""
        folder = self.root / f"{name}.git"
        git("init", "--quiet", "--bare", f"--initial-branch={branch}", str(folder))
        for setting in SETTINGS:
            git("-C", str(folder), "config", *setting.split("="))
        return folder

    def url_of(self, name: str) -> str:
        """Give the address of a repository, without credentials."""
        return f"{self.url}/{name}.git"

    def authenticated_url_of(self, name: str) -> str:
        """Give the address of a repository with user and password in it, for the git command."""
        parts = urlsplit(self.url_of(name))
        return urlunsplit(parts._replace(netloc=f"{self.user}:{self.password}@{parts.netloc}"))


def git(*arguments: str, stdin: bytes | None = None) -> str:
    """Run git without this machine's settings, and return its standard output.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    ran = subprocess.run(
        ["git", *arguments], env=os.environ | ISOLATION, input=stdin, stdout=subprocess.PIPE, check=True
    )
    return ran.stdout.decode()


@contextmanager
def git_server(
    root: Path,
    *,
    user: str = "keptn",
    password: str = "throw-away",
    tls: bool = False,
    accepted: Callable[[], None] | None = None,
) -> Iterator[GitServer]:
    """Serve the repositories below `root` for the length of a block.

    Args:
        root: The folder of the repositories; made if it is absent.
        user: Who may read and write.
        password: The password of that user.
        tls: Whether to speak HTTPS, with a certificate of the server's own authority.
        accepted: Called after a push was accepted and before its answer is sent; if it raises, the connection
            is cut without an answer.
    """
    root.mkdir(parents=True, exist_ok=True)
    certificate = issue(root / "pki") if tls else None
    with _Server(root, (user, password), certificate, accepted) as server:
        url = f"{'https' if tls else 'http'}://{ADDRESS}:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="git-server", daemon=True)
        thread.start()
        try:
            yield GitServer(root, url, user, password, certificate.ca_file if certificate else None, server.answered)
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        root: Path,
        credentials: tuple[str, str],
        certificate: Certificate | None,
        accepted: Callable[[], None] | None,
    ) -> None:
        super().__init__((ADDRESS, 0), _Handler)
        self.root = root
        self.user = credentials[0]
        self.authorization = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        self.accepted = accepted
        self.answered: list[Request] = []
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate.certificate_file, certificate.key_file)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up, and answers that a test cuts off, are no news."""


class _Handler(BaseHTTPRequestHandler):
    """One connection. Bodies go through temporary files, so that no pipe can block another."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing: `GitServer.requests` is the log."""

    def _serve(self) -> None:
        with tempfile.TemporaryFile() as body, tempfile.TemporaryFile() as output:
            received = self._read_body(body)
            if not hmac.compare_digest(self.headers.get("Authorization", ""), self.server.authorization):
                self._answer(HTTPStatus.UNAUTHORIZED, [("WWW-Authenticate", 'Basic realm="git"')], b"", received)
                return
            self._run_backend(body, received, output)
            self._forward(output, received)

    def _read_body(self, body: BinaryIO) -> int:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body.write(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
        else:
            body.write(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        return body.tell()

    def _run_backend(self, body: BinaryIO, size: int, output: BinaryIO) -> None:
        body.seek(0)
        address = urlsplit(self.path)
        variables = {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(size),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": self.server.user,
            "REMOTE_ADDR": ADDRESS,
        }
        subprocess.run(
            ["git", "http-backend"],
            env=os.environ | ISOLATION | variables,
            stdin=body,
            stdout=output,
            stderr=subprocess.DEVNULL,
            check=False,
        )

    def _forward(self, output: BinaryIO, received: int) -> None:
        output.seek(0)
        head, _, content = output.read().partition(b"\r\n\r\n")
        headers = BytesParser().parsebytes(head)
        status = HTTPStatus(int(headers.get("Status", "200 OK").split()[0]))
        if self.path.endswith("/git-receive-pack") and b"ok refs/" in content and self.server.accepted:
            self.server.accepted()
        self._answer(status, [(name, value) for name, value in headers.items() if name != "Status"], content, received)

    def _answer(self, status: HTTPStatus, headers: list[tuple[str, str]], content: bytes, received: int) -> None:
        self.server.answered.append(Request(self.command, self.path, status.value, received, len(content)))
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(content)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
