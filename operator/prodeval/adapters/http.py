"""HTTP for the adapters, and the only user of requests (and of urllib3 below it).

The environment is ignored on purpose: a proxy variable would hand tokens to a proxy, a .netrc would replace them.
Redirects are never followed: requests keeps own headers such as `x-token` across hosts.
"""

import contextlib
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError as TransportError
from urllib3.exceptions import ProtocolError, ReadTimeoutError
from urllib3.response import HTTPResponse as RawResponse

from prodeval.domain.errors import RetryableError
from prodeval.domain.json_values import JSON

MEBIBYTE = 1024 * 1024
_CONNECTIONS = 64
_CHUNK = 65536
_LATE = (requests.ReadTimeout, TimeoutError)


class HttpFailedError(RetryableError):
    """No answer, or not a whole one; the message names the place, never a header, a query or a body.

    Attributes:
        problem: the message without the place.
        reached: whether the server took the connection, so that it may still answer another question.
    """

    def __init__(self, problem: str, *, place: str = "", reached: bool = False) -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.problem, self.reached = problem, reached


class HttpTooLargeError(HttpFailedError):
    """The server answers, but more than we read."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer, whatever its status.

    Attributes:
        headers: names in any case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> JSON:
        """The body as JSON; raises HttpFailedError if it is none."""
        try:
            return cast("JSON", json.loads(self.body))
        except (ValueError, RecursionError) as error:
            raise HttpFailedError("the answer is no JSON", reached=True) from error


class HttpClient:
    """Requests to one server; safe to call from many threads.

    Attributes:
        address: the base URL, without userinfo.

    Args:
        base_url: paths are appended to it.
        headers: sent with each request; may hold secrets.
        timeout: seconds for connecting, and for the answer; their sum bounds a whole request, also if the
            server sends one byte at a time.
        max_bytes: of an answer's body.
        verify: False trusts any certificate; text is the path of a CA bundle.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: tuple[float, float] = (5.0, 30.0),
        max_bytes: int = 16 * MEBIBYTE,
        verify: bool | str = True,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self.address = _without_userinfo(self._base_url)
        self._timeout = timeout
        self._max_bytes = max_bytes
        # Compressed answers would need a second limit, for what they unpack to.
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "prodeval", **(headers or {})}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = verify
        self._session.mount("http://", _Adapter())
        self._session.mount("https://", _Adapter())

    def request(  # noqa: PLR0913 - what a request consists of
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | Sequence[str]] | None = None,
        form: Mapping[str, str | Sequence[str]] | None = None,
        json: JSON = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = math.inf,
    ) -> HttpResponse:
        """Send one request and read its whole answer; raises HttpFailedError, HttpTooLargeError over `max_bytes`.

        `path` begins with `/` and is percent-encoded already; `headers` come on top of the client's; `seconds` bounds
        the whole request if that is sooner than the client's time-out.
        """
        place = f"{method} {self.address}{path}"
        sent = {**self._headers, **(headers or {})}
        _check_headers(sent, place)
        ends = time.monotonic() + min(sum(self._timeout), seconds)
        request = requests.Request(method, self._base_url + path, headers=sent, params=params, data=form, json=json)
        try:
            with self._send(request, seconds) as response:
                return HttpResponse(response.status_code, response.headers, self._read(response, ends))
        except HttpTooLargeError as error:
            raise HttpTooLargeError(error.problem, place=place, reached=True) from error
        except (OSError, ValueError) as error:  # the errors of requests are of these two
            raise HttpFailedError(self._explain(error, seconds), place=place, reached=_reached(error)) from error

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def _send(self, request: requests.Request, seconds: float) -> requests.Response:
        prepared = self._session.prepare_request(request)
        connect, read = (min(limit, seconds) for limit in self._timeout)
        return self._session.send(
            prepared, stream=True, timeout=(connect, read), allow_redirects=False, verify=self._session.verify
        )

    def _read(self, response: requests.Response, ends: float) -> bytes:
        raw: RawResponse = response.raw
        body = bytearray()
        if int(raw.length_remaining or 0) > self._max_bytes:
            raise HttpTooLargeError(f"the answer has more than {self._max_bytes} bytes")
        with _shut_after(ends - time.monotonic(), raw.shutdown):
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > self._max_bytes:
                    raise HttpTooLargeError(f"the answer has more than {self._max_bytes} bytes")
        return bytes(body)

    def _explain(self, error: Exception, seconds: float) -> str:
        if isinstance(error, requests.ConnectTimeout):
            return f"no connection {_within(self._timeout[0], seconds)}"
        if isinstance(error, _LATE):
            return f"no whole answer {_within(self._timeout[1], seconds)}"
        if isinstance(error, requests.exceptions.ChunkedEncodingError):
            return "the answer broke off"
        return _system_message(error)


def _within(limit: float, seconds: float) -> str:
    """The bound that was missed; what is left of a longer wait is another number each time and is not told."""
    return f"within {limit:g} s" if limit <= seconds else "in time"


def _system_message(error: BaseException) -> str:
    """What the system or TLS said, without the layers around it, which quote the URL."""
    inner: BaseException | None = error
    while isinstance(inner, requests.RequestException | TransportError):
        inner = inner.__cause__ or inner.__context__
    if isinstance(inner, OSError):
        return inner.strerror or str(inner)
    return str(inner) if isinstance(inner, ValueError) else type(error).__name__


def _reached(error: Exception) -> bool:
    """Whether the connection stood: what came after it says nothing about the next request."""
    inner = error.args[0] if error.args else None
    return isinstance(error, (*_LATE, requests.exceptions.ChunkedEncodingError)) or isinstance(
        inner, ProtocolError | ReadTimeoutError
    )


def _without_userinfo(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def can_be_sent(value: str) -> bool:
    """Whether a header can hold a value."""
    return value.isascii() and value.isprintable() and value == value.strip()


def _check_headers(headers: Mapping[str, str], place: str) -> None:
    """Refuse what cannot be sent, before an error of a library would quote it."""
    for name, value in headers.items():
        if not can_be_sent(value):
            problem = f"header {name} would hold a blank end, a line break or a non-ASCII character"
            raise HttpFailedError(problem, place=place)


@contextlib.contextmanager
def _shut_after(seconds: float, shut: Callable[[], None]) -> Iterator[None]:
    """Call `shut` after some seconds unless the block ended; raises TimeoutError if it was called.

    A socket's own time-out starts anew with each byte.
    """
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        with contextlib.suppress(OSError, RuntimeError, ValueError):  # it was closed in this very moment
            shut()

    timer = threading.Timer(max(seconds, 0.0), expire)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if expired.is_set():
            raise TimeoutError


class _BoundedHeaders(HTTPConnection):
    """A connection on which the read time-out bounds all headers of an answer together."""

    def getresponse(self) -> RawResponse:  # type: ignore[override]  # as in urllib3 itself
        sock, seconds = self.sock, self.timeout
        with _shut_after(cast("float", seconds), lambda: sock.shutdown(socket.SHUT_RD)):
            return super().getresponse()


class _BoundedTlsHeaders(_BoundedHeaders, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _BoundedHeaders


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTlsHeaders


class _Adapter(HTTPAdapter):
    """The adapter of requests on those connections, which keeps as many of them open as threads may ask at once."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
