"""A real Git server for tests: `git http-backend` behind HTTP, with a log and a place to misbehave."""

import base64
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dulwich.protocol import pkt_seq


@dataclass
class Seen:
    """One request, as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    answer: bytes = field(default=b"", repr=False)


Misbehaviour = Callable[["Handler", Seen], bool]
"""Answers a request itself and returns True, or leaves it to Git."""


class GitServer:
    """Serves the bare repositories below a directory; `misbehave` may be set at any time."""

    def __init__(self, root: Path, *, user: str = "", token: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.root, self.user, self.token = root, user, token
        self.log: list[Seen] = []
        self.misbehave: Misbehaviour = lambda handler, seen: False
        self.version_2 = True
        self.delay = 0.0
        self.hidden = b""
        self.connections = 0
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.owner = self
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.scheme = "https" if tls else "http"
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, name: str) -> str:
        return f"{self.scheme}://localhost:{self.port}/{name}"

    def hide(self, capability: bytes) -> None:
        """Leave a capability out of the advertisements."""
        self.hidden = capability

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def requests(self) -> list[str]:
        """What was asked since the last call."""
        seen, self.log[:] = list(self.log), []
        return [f"{one.method} {one.path.split('/', 2)[2].partition('?service=')[0]}" for one in seen]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: GitServer

    def process_request(self, request: Any, client_address: Any) -> None:
        self.owner.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """The log is kept in the server."""

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self) -> bool:
        """Close the connection without an answer."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        return True

    def git(self, seen: Seen) -> tuple[int, dict[str, str], bytes]:
        """Let `git http-backend` answer."""
        done = subprocess.run(
            ["git", "http-backend"], input=seen.body, capture_output=True, env=self.environment(seen), check=False
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        return int(headers.pop("Status", "200").split()[0]), headers, body

    def _serve(self) -> None:
        owner = self.server.owner
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.title(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self.rfile.read(length))
        owner.log.append(seen)
        if owner.delay:
            threading.Event().wait(owner.delay)
        if owner.misbehave(self, seen):
            return
        if owner.token and seen.headers.get("Authorization") != _basic(owner.user, owner.token):
            self.reply(401, WWW_Authenticate='Basic realm="git"')
            return
        seen.status, headers, seen.answer = self.git(seen)
        if owner.hidden and seen.method == "GET":
            seen.answer = _without(seen.answer, owner.hidden)
        self.reply(seen.status, seen.answer, **headers)

    def environment(self, seen: Seen) -> dict[str, str]:
        url = urlsplit(seen.path)
        return {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.owner.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.server.owner.root),
            "REMOTE_USER": "tester",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": seen.method,
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": seen.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(seen.body)),
            "GIT_PROTOCOL": seen.headers.get("Git-Protocol", "") if self.server.owner.version_2 else "",
        }


def _without(advertisement: bytes, word: bytes) -> bytes:
    """Rewrite the pkt-lines without a word; their lengths change too."""
    lines, rest = [], advertisement
    while rest:
        size = int(rest[:4], 16)
        lines.append(rest[4:size] if size else None)
        rest = rest[max(size, 4) :]
    return pkt_seq(*(line and line.replace(word, b"").replace(b"=  ", b"=") for line in lines))[:-4]


def _basic(user: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


@contextmanager
def serving(root: Path, **options: object) -> Iterator[GitServer]:
    """A server for the length of a `with` block."""
    server = GitServer(root, **options)  # type: ignore[arg-type]  # passed on as they are
    try:
        yield server
    finally:
        server.close()
