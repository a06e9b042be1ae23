"""Git over HTTP(S): one pool of kept-alive connections to each upstream."""

import base64
import io
import socket
import ssl
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import InsecureRequestWarning, ProtocolError
from urllib3.util import Timeout

from prodeval.adapters.git.failures import BadAnswerError, Wait, refused
from prodeval.adapters.git.guard import CONNECT_TIMEOUT, Guard
from prodeval.adapters.git.transport import Service, Stream
from prodeval.domain.credentials import KEY, GitCredentials, Proxy
from prodeval.domain.errors import AccessDeniedError, ProdevalError
from prodeval.domain.http_dates import parse_http_date, parse_reset, parse_retry_after

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 3
# Some hosts answer Git only to a client that begins like this.
_AGENT = "git/2.40 (prodeval)"


class _WatchedConnection(HTTPConnection):
    """A connection whose socket the guard can shut down, whatever it waits for."""

    guard: ClassVar[Guard]
    _made = 0

    def _new_conn(self) -> socket.socket:
        self._made += 1  # a connection that was closed by the server is made again
        made = self._made
        return self.guard.connect(self._dns_host, self.port, lambda: self.sock is not None and self._made == made)


class _WatchedTLSConnection(_WatchedConnection, HTTPSConnection):
    """The same with TLS."""


class HTTPTransport:
    """Requests to one upstream, with its credentials, to its origin alone."""

    stateless = True

    def __init__(self, credentials: GitCredentials, timeout: float) -> None:
        self.credentials, self.guard = credentials, Guard()
        self._base = credentials.url.rstrip("/")
        self._timeout = Timeout(connect=CONNECT_TIMEOUT, read=timeout)
        self._pools = _pools(credentials, self.guard)
        self._headers = {"User-Agent": _AGENT, "Git-Protocol": "version=2"}
        if credentials.token:
            self._headers["Authorization"] = _basic(credentials.user, credentials.token)
        self._open: urllib3.BaseHTTPResponse | None = None

    def advertisement(self, service: Service) -> Stream:
        """GET `info/refs`, following redirects within the origin."""
        url = f"{self._base}/info/refs?service={service.value}"
        for _ in range(_MOST_REDIRECTS):
            response = self._request("GET", url, service)
            if response.status not in _REDIRECTS:
                break
            url = self._redirected(url, response)
        stream = self._answer(response, service, "advertisement")
        self._base = url.removesuffix(f"/info/refs?service={service.value}")
        return stream

    def send(self, service: Service, request: bytes) -> Stream:
        """POST a request to a service."""
        response = self._request("POST", f"{self._base}/{service.value}", service, request)
        return self._answer(response, service, "result")

    def hang_up(self) -> None:
        """Give the connection back if its answer was read to the end, else close it."""
        response, self._open = self._open, None
        if response is not None:
            response.close()
        self.guard.sweep()

    def release(self) -> None:
        """Keep the connections: the next operation is faster with them."""
        self.hang_up()

    def close(self) -> None:
        """Close all connections."""
        self.guard.close()
        self._pools.clear()

    def _request(self, method: str, url: str, service: Service, body: bytes | None = None) -> urllib3.BaseHTTPResponse:
        """One request; a read is repeated once if a kept-alive connection turned out to be dead."""
        self.guard.check()
        self.hang_up()
        headers = self._headers | (_content_headers(service) if body is not None else {})
        try:
            self._open = self._sent(method, url, headers, body)
        except ProtocolError:
            if service is Service.WRITE and body is not None:
                raise
            self.guard.check()
            self._open = self._sent(method, url, headers, body)
        return self._open

    def _sent(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> urllib3.BaseHTTPResponse:
        return self._pools.urlopen(
            method,
            url,
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
            timeout=self._timeout,
        )

    def _redirected(self, url: str, response: urllib3.BaseHTTPResponse) -> str:
        """The next URL, if it is the same repository service on the same origin."""
        target = urljoin(url, response.headers.get("Location", ""))
        response.drain_conn()
        if _origin(target) != _origin(self.credentials.url):
            raise AccessDeniedError(
                f"{self.credentials.host} redirects to another origin, where no credentials are sent; "
                f"put the new address into Secret {self.credentials.secret!r} (remoteURL)"
            )
        if "/info/refs?service=" not in target or "@" in urlsplit(target).netloc:
            raise AccessDeniedError(
                f"{self.credentials.host} redirects {self.credentials.url} to a page that is not Git, "
                f"as hosts do that want a login; check Secret {self.credentials.secret!r}"
            )
        return target

    def _answer(self, response: urllib3.BaseHTTPResponse, service: Service, kind: str) -> Stream:
        if response.status != HTTPStatus.OK:
            raise self._refusal(response, service)
        expected = f"application/x-{service.value}-{kind}"
        if response.headers.get("Content-Type") != expected:
            raise BadAnswerError(f"the answer is no {expected}; remoteURL does not lead to a Git repository")
        if isinstance(response, urllib3.HTTPResponse):
            response.auto_close = False  # else the end of the body looks like a mistake of the reader
        return io.BufferedReader(response, 1 << 16)

    def _refusal(self, response: urllib3.BaseHTTPResponse, service: Service) -> ProdevalError:
        return refused(response.status, service, self.credentials, _wait(response))


def _wait(response: urllib3.BaseHTTPResponse) -> Wait:
    """How long the server asks us to wait.

    Source: docs.github.com, "Rate limits for the REST API": 403 with Retry-After, or x-ratelimit-remaining 0 and the
    time of x-ratelimit-reset.
    """
    headers = response.headers
    now = parse_http_date(headers.get("Date", "")) or datetime.now(UTC)
    seconds = parse_retry_after(headers.get("Retry-After", ""), now)
    is_spent = headers.get("x-ratelimit-remaining", "").strip() == "0"
    if seconds is None and is_spent:
        seconds = parse_reset(headers.get("x-ratelimit-reset", ""), now)
    return Wait(seconds, is_limit=is_spent or seconds is not None)


def _basic(user: str, password: str) -> str:
    """In UTF-8 (RFC 7617), which hosts expect; the usual helpers stop at what Latin-1 cannot hold."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _content_headers(service: Service) -> dict[str, str]:
    return {
        "Content-Type": f"application/x-{service.value}-request",
        "Accept": f"application/x-{service.value}-result",
    }


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _pools(credentials: GitCredentials, guard: Guard) -> urllib3.PoolManager:
    if credentials.insecure_skip_tls:
        urllib3.disable_warnings(InsecureRequestWarning)  # the Secret says it; a warning for each request says no more
    tls: dict[str, Any] = {"ssl_context": _tls(credentials)}
    manager = _proxied(credentials.proxy, tls) if credentials.proxy else urllib3.PoolManager(2, **tls)
    manager.pool_classes_by_scheme = {
        "http": type("Pool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": _watched(_WatchedConnection, guard)}),
        "https": type(
            "Pool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": _watched(_WatchedTLSConnection, guard)}
        ),
    }
    return manager


def _watched(base: type[_WatchedConnection], guard: Guard) -> type[_WatchedConnection]:
    return type(base.__name__, (base,), {"guard": guard})


def _proxied(proxy: Proxy, tls: dict[str, Any]) -> urllib3.ProxyManager:
    headers = {"Proxy-Authorization": _basic(proxy.user, proxy.password)} if proxy.user else None
    return urllib3.ProxyManager(proxy.url, 2, proxy_headers=headers, proxy_ssl_context=tls["ssl_context"], **tls)


def _tls(credentials: GitCredentials) -> ssl.SSLContext:
    try:
        return _context(credentials.ca, insecure=credentials.insecure_skip_tls)
    except (ssl.SSLError, ValueError) as error:
        raise AccessDeniedError(
            f"Secret {credentials.secret!r}: https.certificate in key {KEY!r}, or key 'ca.crt', "
            "is not a PEM certificate"
        ) from error


@lru_cache(maxsize=16)
def _context(ca: str, *, insecure: bool) -> ssl.SSLContext:
    """The system's certificates and the Secret's; a megabyte each, so that upstreams share it. Raises ssl.SSLError."""
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if ca:
        context.load_verify_locations(cadata=ca)
    return context
