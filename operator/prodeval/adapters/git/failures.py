"""From what went wrong on the wire to the error that a person reads; nothing of it holds a secret."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import paramiko
import urllib3.exceptions
from dulwich.errors import GitProtocolError, HangupException

from prodeval.adapters.git.transport import Service, Transport
from prodeval.domain.credentials import GitCredentials, secret_texts
from prodeval.domain.errors import AccessDeniedError, GitOperationFailedError, ProdevalError
from prodeval.domain.masking import Mask
from prodeval.domain.printable import printable

_LONGEST_MESSAGE = 500
_LONGEST_CLEANED = 1 << 16
_WIRE_ERRORS = (
    urllib3.exceptions.HTTPError,
    paramiko.SSHException,
    GitProtocolError,
    HangupException,
    OSError,
    EOFError,  # paramiko's word for a connection that ends too early
)


class LostAnswerError(GitOperationFailedError):
    """A push was sent, and its answer did not arrive: nobody knows yet whether it counts."""


class StaleReadError(GitOperationFailedError):
    """The server refuses to give what it listed a moment ago; the next listing shows why."""


class BadAnswerError(GitOperationFailedError):
    """The server's answer breaks the protocol or a bound."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a server asks us to wait.

    Attributes:
        seconds: None if it does not say.
        is_limit: it refuses because of too many requests, whatever the status: GitHub says 403 then.
    """

    seconds: float | None = None
    is_limit: bool = False


class ServerRefusalError(GitProtocolError):
    """The server answered with an error instead of data.

    Attributes:
        words: its own, as they came; not part of the text of the error, since they may hold anything.
    """

    def __init__(self, words: bytes) -> None:
        super().__init__("the server refused")
        self.words = words


def clean(text: bytes | str, mask: Mask) -> str:
    """A server's own words: printable, on one line, bounded, without any secret that it echoes."""
    words = text[:_LONGEST_CLEANED] if isinstance(text, str) else text[:_LONGEST_CLEANED].decode("utf-8", "replace")
    words = " ".join(mask.mask(printable(words)).split())
    return words if len(words) <= _LONGEST_MESSAGE else words[: _LONGEST_MESSAGE - 1] + "…"


def mask_of(credentials: GitCredentials) -> Mask:
    """Hides what must never be shown, in each form in which a server could send it back."""
    mask = Mask()
    mask.learn(*secret_texts(credentials))
    return mask


@contextmanager
def located(transport: Transport, doing: str) -> Iterator[None]:
    """Name the host in the error of an answer that breaks the protocol; let all others pass."""
    try:
        yield
    except BadAnswerError as error:
        transport.hang_up()
        raise _failed(transport, doing, error) from error


@contextmanager
def translated(
    transport: Transport, doing: str, refusal: type[GitOperationFailedError] = GitOperationFailedError
) -> Iterator[None]:
    """Turn the errors of sockets, TLS, SSH and the protocol into GitOperationFailedError, naming host and cause.

    `refusal` is what an error message of the server becomes.
    """
    try:
        with located(transport, doing):
            yield
    except ProdevalError:
        transport.hang_up()
        raise
    except _WIRE_ERRORS as error:
        transport.hang_up()
        kind = refusal if isinstance(error, ServerRefusalError) else GitOperationFailedError
        raise _failed(transport, doing, error, kind) from None  # whose text may hold what a server echoed


def _failed(
    transport: Transport,
    doing: str,
    error: BaseException,
    kind: type[GitOperationFailedError] = GitOperationFailedError,
) -> ProdevalError:
    if isinstance(error, urllib3.exceptions.ProxyError) and "407" in str(error.original_error):
        return refused(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, Service.READ, transport.credentials, Wait())
    words = error.words if isinstance(error, ServerRefusalError) else _cause(error)
    cause = transport.guard.reason or clean(words, mask_of(transport.credentials))
    return kind(f"{transport.credentials.host}: could not {doing}: {cause}; will be tried again")


def _cause(error: BaseException) -> str:
    """The innermost reason: urllib3 wraps it in the names of its pools."""
    if isinstance(error, (HangupException, EOFError)):
        return "the server closed the connection"
    if isinstance(error, urllib3.exceptions.IncompleteRead) or isinstance(
        error.__cause__, urllib3.exceptions.IncompleteRead
    ):
        return "the answer broke off"  # urllib3 counts its bytes, which differ from try to try
    if isinstance(error, urllib3.exceptions.ProtocolError) and len(error.args) > 1:
        return f"{error.args[0]} {error.args[1]}"
    if isinstance(error, urllib3.exceptions.ProxyError):
        return f"proxy: {error.original_error}"
    return str(error) or type(error).__name__


def refused(status: int, service: Service, credentials: GitCredentials, wait: Wait) -> ProdevalError:
    """What an HTTP status other than 200 means."""
    if status == HTTPStatus.FORBIDDEN and wait.is_limit:
        text = f"{credentials.host} limits requests (HTTP {status}); will be tried again"
        return GitOperationFailedError(text, retry_after=wait.seconds)
    who = f"user {credentials.user!r}" if credentials.user else "anonymous access"
    match status, service:
        case HTTPStatus.UNAUTHORIZED, _:
            problem = f"refuses {who}"
        case HTTPStatus.FORBIDDEN, Service.WRITE:
            problem = f"lets {who} read {credentials.url}, but not write"
        case HTTPStatus.FORBIDDEN, _:
            problem = f"does not let {who} read {credentials.url}"
        case HTTPStatus.NOT_FOUND, _:
            problem = f"says that {credentials.url} is not found, or {who} may not see it"
        case HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, _:
            problem = "is behind a proxy that refuses its user or password"
        case _:
            text = f"{credentials.host} answered HTTP {status}; will be tried again"
            return GitOperationFailedError(text, retry_after=wait.seconds)
    return AccessDeniedError(f"{credentials.host} {problem} (HTTP {status}); check Secret {credentials.secret!r}")
