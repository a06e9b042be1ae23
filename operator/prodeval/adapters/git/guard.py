"""Ends network calls that take too long: whoever waits on one of these sockets is woken when they are shut down."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from prodeval.domain.errors import GitOperationFailedError

CONNECT_TIMEOUT = 10.0
"""Seconds for each address of a host."""

_LONGEST_SHOWN = 80


InUse = Callable[[], bool]
"""Whether the owner of a connection still has it."""


def _addresses(host: str, port: int) -> Iterator[tuple[int, int, int, tuple[Any, ...]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a part that is empty or too long
        raise OSError(f"{host[:_LONGEST_SHOWN]} is no host name") from error
    return ((family, kind, proto, address) for family, kind, proto, _, address in found)


class Guard:
    """The open sockets of one upstream.

    A time-out on a socket is not enough: a server that sends a byte now and then never runs into it.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._watched: list[tuple[socket.socket, InUse]] = []
        self._expired, self._closed = False, threading.Event()

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the operator runs."""
        if self._closed.wait(seconds):
            self.check()

    def connect(self, host: str, port: int, in_use: InUse) -> socket.socket:
        """A TCP connection, watched from its first packet on. Raises OSError."""
        failure: OSError | None = None
        for family, kind, proto, address in _addresses(host, port):
            sock = socket.socket(family, kind, proto)
            try:
                sock.settimeout(CONNECT_TIMEOUT)
                self._watch(sock, in_use)
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except (OSError, GitOperationFailedError) as error:
                sock.close()
                self.check()
                failure = error if isinstance(error, OSError) else None
            else:
                return sock
        raise failure or OSError(f"{host} has no address")

    def sweep(self) -> None:
        """Let go of connections that are not in use any more.

        Not when they are closed: the last answer on a connection is read after its owner has closed it.
        """
        with self._mutex:
            gone = [handle for handle, in_use in self._watched if not in_use()]
            self._watched = [(handle, in_use) for handle, in_use in self._watched if handle not in gone]
        for handle in gone:
            handle.close()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Shut every socket down when the time is over; whoever uses them in here gets an OSError then."""
        self._expired = self._closed.is_set()
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @property
    def reason(self) -> str:
        """Why connections are shut down, if they are."""
        if self._closed.is_set():
            return "it was closed, as when the operator stops"
        return "it took too long, the connection was closed" if self._expired else ""

    def check(self) -> None:
        """Raises GitOperationFailedError if the time is over, or the operator ends."""
        if self.reason:
            raise GitOperationFailedError(self.reason)

    def close(self) -> None:
        """End all calls, for good."""
        self._closed.set()
        self._expire()
        with self._mutex:
            watched, self._watched = self._watched, []
        for handle, _ in watched:
            handle.close()

    def _watch(self, sock: socket.socket, in_use: InUse) -> None:
        """Keep a second handle, since TLS takes the first one over."""
        with self._mutex:
            self.check()
            self._watched.append((sock.dup(), in_use))

    def _expire(self) -> None:
        self._expired = True
        with self._mutex:
            for handle, _ in self._watched:
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)
