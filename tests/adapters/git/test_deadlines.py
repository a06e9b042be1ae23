"""A server that stalls holds nobody: neither longer than the time-out, nor when the operator ends."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import asyncssh
import pytest

from prodeval.adapters.git import Repositories
from prodeval.adapters.git.repositories import GitRepository
from prodeval.domain.credentials import GitCredentials
from prodeval.domain.errors import GitOperationFailedError
from tests.adapters.git.conftest import https, ssh
from tests.adapters.git.httpserver import GitServer, Handler, Seen
from tests.adapters.git.plans import BOTH, gate, nothing
from tests.adapters.git.sshserver import serving_ssh
from tests.adapters.git.upstreams import Upstream

Talk = Callable[[socket.socket, threading.Event], None]


@contextmanager
def listening(talk: Talk) -> Iterator[int]:
    """A TCP server that says what it likes; its port."""
    over, held = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as acceptor, ThreadPoolExecutor(8) as pool:

        def accept() -> None:
            while True:
                try:
                    connection, _ = acceptor.accept()
                except OSError:
                    return
                held.append(connection)
                pool.submit(talk, connection, over)

        pool.submit(accept)
        try:
            yield acceptor.getsockname()[1]
        finally:
            over.set()
            acceptor.shutdown(socket.SHUT_RDWR)
            for connection in held:
                connection.close()


def say_nothing(_: socket.socket, over: threading.Event) -> None:
    over.wait(60)


def drip(words: bytes) -> Talk:
    """Say the words, then a byte now and then: each read gets something before it times out."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(words)
        while not over.wait(0.1):
            connection.sendall(b"x")

    return talk


BODY = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n"
STALLS = {
    "no answer": ("http", say_nothing),
    "no handshake": ("https", say_nothing),
    "no banner": ("ssh", say_nothing),
    "a status line without end": ("http", drip(b"HTTP/1.1 2")),
    "headers without end": ("http", drip(b"HTTP/1.1 200 OK\r\nX-Long: ")),
    "a body without end": ("http", drip(BODY + b"ffff")),
    "a banner without end": ("ssh", drip(b"SSH-")),
}


def credentials_for(scheme: str, port: int) -> GitCredentials:
    if scheme != "ssh":
        return https(f"{scheme}://127.0.0.1:{port}/fulltour.git")
    return ssh(_Unreached(port), "fulltour.git")  # type: ignore[arg-type]  # the part of it that is asked


class _Unreached:
    """What a Secret needs to know of an SSH server that never gets that far."""

    def __init__(self, port: int) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.private_key = key.export_private_key("openssh").decode()
        self.known_hosts = f"[127.0.0.1]:{port} {key.export_public_key().decode()}"
        self._port = port

    def url(self, name: str) -> str:
        return f"ssh://git@127.0.0.1:{self._port}/{name}"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("stall", STALLS)
def test_the_time_out_ends_a_call_whatever_the_server_does(stall: str) -> None:
    scheme, talk = STALLS[stall]
    opened = Repositories(author_name="p", author_email="p@x", timeout=0.5)
    with listening(talk) as port, pytest.raises(GitOperationFailedError, match=r"took too long|timed out"):
        opened.open("fulltour", credentials_for(scheme, port)).write(BOTH, nothing)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("stall", STALLS)
def test_closing_ends_a_call_whatever_the_server_does(stall: str) -> None:
    scheme, talk = STALLS[stall]
    opened = Repositories(author_name="p", author_email="p@x", timeout=600)
    reached = threading.Event()

    def noticed(connection: socket.socket, over: threading.Event) -> None:
        reached.set()
        talk(connection, over)

    with listening(noticed) as port, ThreadPoolExecutor(1) as pool:
        call = pool.submit(opened.open("fulltour", credentials_for(scheme, port)).write, BOTH, nothing)
        assert reached.wait(10)
        opened.close()
        assert isinstance(call.exception(5), GitOperationFailedError), repr(call.exception(0))


def stall_pushes(server: GitServer, over: threading.Event) -> threading.Event:
    """Let pushes hang at the server until `over`; returns what is set when one does."""
    stuck = threading.Event()

    def misbehave(handler: Handler, seen: Seen) -> bool:
        if seen.method == "POST" and seen.path.endswith("git-receive-pack"):
            stuck.set()
            over.wait(60)
            return handler.cut()
        return False

    server.misbehave = misbehave
    return stuck


def test_closing_with_a_push_in_flight_ends_all_who_wait_for_it(
    repositories: Repositories, repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    over = threading.Event()
    stuck = stall_pushes(server, over)
    with ThreadPoolExecutor(5) as pool:
        calls = [pool.submit(repository.write, BOTH, gate(b"one"))]
        assert stuck.wait(10)
        calls += [pool.submit(repository.write, BOTH, gate(b"one")) for _ in range(4)]
        repositories.close()
        errors = [call.exception(5) for call in calls]
        over.set()
    assert all(isinstance(error, GitOperationFailedError) for error in errors)
    with pytest.raises(GitOperationFailedError, match="stopping"):
        repositories.open("fulltour", https(server.url("fulltour.git")))


def test_a_push_that_stalls_once_is_looked_into_and_made(server: GitServer, upstream: Upstream) -> None:
    over = threading.Event()
    opened = Repositories(author_name="p", author_email="p@x", timeout=4, delays=lambda: iter([0.0] * 5))
    stuck = stall_pushes(server, over)

    def calm_down() -> None:
        stuck.wait(10)
        server.misbehave = lambda *_: False

    with ThreadPoolExecutor(1) as pool:
        pool.submit(calm_down)
        pushed = opened.open("fulltour", https(server.url("fulltour.git"))).write(BOTH, gate(b"one"))
        over.set()
    assert len(pushed.written) == 2
    opened.close()


@pytest.mark.timeout(30)
def test_closing_ends_a_connection_that_is_being_made() -> None:
    opened = Repositories(author_name="p", author_email="p@x")
    with socket.socket() as full, ThreadPoolExecutor(1) as pool:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        repository = opened.open("fulltour", https(f"http://127.0.0.1:{port}/fulltour.git"))
        call = pool.submit(repository.write, BOTH, nothing)
        while not repository._transport.guard._watched:
            threading.Event().wait(0.01)
        opened.close()
        assert isinstance(call.exception(5), GitOperationFailedError), repr(call.exception(0))
        for one in waiting:
            one.close()


def test_an_ssh_server_that_stalls_in_a_push_is_left(upstream: Upstream) -> None:
    hook = upstream.path / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexec sleep 60\n")
    hook.chmod(0o755)
    opened = Repositories(author_name="p", author_email="p@x", timeout=1.5, delays=lambda: iter([0.0]))
    with serving_ssh(upstream.path.parent) as server:
        with pytest.raises(GitOperationFailedError):
            opened.open("fulltour", ssh(server, "fulltour.git")).write(BOTH, gate(b"one"))
        assert upstream.git("log", "-1", "--format=%s", "main") == "by hand"


def test_an_idle_keep_alive_connection_does_not_hold_the_end(
    repository: GitRepository, repositories: Repositories, server: GitServer
) -> None:
    repository.write(BOTH, nothing)
    repositories.close()
    assert repository._transport.guard._watched == []
