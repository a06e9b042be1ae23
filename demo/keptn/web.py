"""HTTP as Keptn's gateway speaks it: the token, what it blocks, and how its services phrase errors."""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit

from demo.loopback import ADDRESS
from prodeval.domain.json_values import JSON, JSONObject

JSON_TYPE = "application/json"
JSON_UTF8 = "application/json; charset=utf-8"
_TEXT = "text/plain"
_MOST_BYTES = 5 * 1024 * 1024
_PREFIX = "/api"


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        path: below `/api`, decoded once, as nginx hands it on.
        query: each parameter's last value.
        names: what the route found in the path, such as `project`.
    """

    method: str
    path: str
    query: Mapping[str, str]
    content_type: str
    body: bytes
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path."""
        return tuple(self.path.removeprefix("/").split("/"))

    def number(self, name: str, default: int = 0) -> int:
        """A whole number of the query, the default if it is absent or empty; RefusedError if it is none."""
        text = self.query.get(name, "")
        try:
            return int(text) if text else default
        except ValueError:
            message = f'Invalid request format: strconv.ParseInt: parsing "{text}": invalid syntax'
            raise refused(HTTPStatus.BAD_REQUEST, message) from None

    def json(self) -> JSON:
        """The body; raises ValueError if it is no JSON."""
        return cast("JSON", json.loads(self.body))


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    body: bytes
    content_type: str = JSON_UTF8
    location: str = ""


class RefusedError(Exception):
    """A request that gets an error; holds the answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def ok(value: JSON, content_type: str = JSON_UTF8) -> Reply:
    """A success with a JSON body."""
    return Reply(HTTPStatus.OK, _dumped(value), content_type)


def refused(status: int, message: str, *, code: int | None = None, content_type: str = JSON_UTF8) -> RefusedError:
    """An error as all of Keptn's services phrase it; `code` is the status unless the service has its own."""
    body: JSONObject = {"code": status if code is None else code, "message": message}
    return RefusedError(Reply(status, _dumped(body), content_type))


def not_found() -> RefusedError:
    """What shipyard-controller and resource-service say of a path that they do not know."""
    return RefusedError(Reply(HTTPStatus.NOT_FOUND, b"404 page not found", _TEXT))


def page_of_nginx(status: HTTPStatus) -> Reply:
    """An error page of the gateway itself."""
    title = f"{status.value} {status.phrase}"
    lines = (
        "<html>",
        f"<head><title>{title}</title></head>",
        "<body>",
        f"<center><h1>{title}</h1></center>",
        "<hr><center>nginx</center>",
        "</body>",
        "</html>",
        "",
    )
    return Reply(status, "\r\n".join(lines).encode(), "text/html")


class Gateway:
    """Checks the token, then asks the application."""

    def __init__(self, token: str, application: Callable[[Request], Reply]) -> None:
        self._token, self._application = token, application

    def answer(self, request: Request, token: str | None) -> Reply:
        """The answer to a request that came with that token."""
        if _is_blocked(request):
            return page_of_nginx(HTTPStatus.FORBIDDEN)
        if len(request.body) > _MOST_BYTES:
            return page_of_nginx(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if token is None or not hmac.compare_digest(token.encode(), self._token.encode()):
            return _unauthenticated(request, token)
        try:
            return self._application(request)
        except RefusedError as refusal:
            return refusal.reply


def _is_blocked(request: Request) -> bool:
    first, *rest = request.segments
    if first == "mongodb-datastore":
        return request.method != "GET" or rest == ["health"]
    return first == "resource-service" and "resource" not in rest


def _unauthenticated(request: Request, token: str | None) -> Reply:
    if request.segments[0] == "v1":
        message = "unauthenticated for invalid credentials" if token is None else "incorrect api key auth"
        return refused(HTTPStatus.UNAUTHORIZED, message, content_type=JSON_TYPE).reply
    body = b'{"code":401, "message":"unauthenticated or invalid credentials"}'
    return Reply(HTTPStatus.UNAUTHORIZED, body, _TEXT)


class KeptnServer(ThreadingHTTPServer):
    """The gateway on a port of loopback; 0 takes any."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, gateway: Gateway) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.gateway = gateway

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: KeptnServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing: the log has the events."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        address = urlsplit(self.path)
        path = unquote(address.path)
        if path != _PREFIX and not path.startswith(f"{_PREFIX}/"):
            self._send(page_of_nginx(HTTPStatus.NOT_FOUND))
            return
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        content_type = self.headers.get("Content-Type", "").partition(";")[0].strip()
        request = Request(self.command, path.removeprefix(_PREFIX), query, content_type, body)
        self._send(self.server.gateway.answer(request, self.headers.get("x-token")))

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - the base class looks for these names

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        if reply.body:
            self.send_header("Content-Type", reply.content_type)
        if reply.location:
            self.send_header("Location", reply.location)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)


def _dumped(value: JSON) -> bytes:
    return json.dumps(_as_go(value), separators=(",", ":"), ensure_ascii=False, default=str).encode()


def _as_go(value: JSON) -> JSON:
    """Go writes a whole number without a point, whatever its type."""
    if isinstance(value, Mapping):
        return {name: _as_go(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_go(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004 - then Go uses an exponent
        return int(value)
    return value
