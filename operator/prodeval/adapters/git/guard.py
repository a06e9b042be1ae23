"""Ends network calls that take too long: whoever waits on one of these sockets is woken when they are shut down."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prodeval.domain.errors import GitOperationFailedError

CONNECT_TIMEOUT = 10.0
"""Seconds for each address of a host."""


class Guard:
    """The open sockets of one upstream.

    A time-out on a socket is not enough: a server that sends a byte now and then never runs into it.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._handles: dict[int, socket.socket] = {}
        self._expired, self._closed = False, threading.Event()

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the operator runs."""
        self._closed.wait(seconds)
        self.check()

    def connect(self, host: str, port: int, owner: object) -> socket.socket:
        """A TCP connection, watched from its first packet on until its owner releases it. Raises OSError."""
        failure: OSError | None = None
        for family, kind, proto, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            sock = socket.socket(family, kind, proto)
            try:
                sock.settimeout(CONNECT_TIMEOUT)
                self._watch(sock, owner)
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except (OSError, GitOperationFailedError) as error:
                self.release(owner)
                sock.close()
                self.check()
                failure = error if isinstance(error, OSError) else None
            else:
                return sock
        raise failure or OSError(f"{host} has no address")

    def release(self, owner: object) -> None:
        """Forget a connection that its owner closes."""
        with self._mutex:
            handle = self._handles.pop(id(owner), None)
        if handle:
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

    def check(self) -> None:
        """Raises GitOperationFailedError if the time is over, or the operator ends."""
        if self._closed.is_set():
            raise GitOperationFailedError("the operator is stopping")
        if self._expired:
            raise GitOperationFailedError("the upstream took too long; the connection was closed")

    def close(self) -> None:
        """End all calls, for good."""
        self._closed.set()
        self._expire()
        with self._mutex:
            handles, self._handles = list(self._handles.values()), {}
        for handle in handles:
            handle.close()

    def _watch(self, sock: socket.socket, owner: object) -> None:
        """Keep a second handle, since TLS takes the first one over."""
        with self._mutex:
            self.check()
            self._handles[id(owner)] = sock.dup()

    def _expire(self) -> None:
        self._expired = True
        with self._mutex:
            for handle in self._handles.values():
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)
