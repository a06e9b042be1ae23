"""From what went wrong on the wire to the error that a person reads; nothing of it holds a secret."""

import base64
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

import paramiko
import urllib3.exceptions
from dulwich.errors import GitProtocolError, HangupException

from prodeval.adapters.git.transport import Service, Transport
from prodeval.domain.credentials import GitCredentials
from prodeval.domain.errors import AccessDeniedError, GitOperationFailedError, ProdevalError

_LONGEST_MESSAGE = 500
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[^\x20-\x7e\xa0-\u200a\u2010-\u2027\u2030-\ud7ff\uf900-\ufefe]")


class LostAnswerError(GitOperationFailedError):
    """A push was sent, and its answer did not arrive: nobody knows yet whether it counts."""


class StaleReadError(GitOperationFailedError):
    """The server refuses to give what it listed a moment ago; the next listing shows why."""


class BadAnswerError(GitOperationFailedError):
    """The server's answer breaks the protocol or a bound."""


class ServerRefusalError(GitProtocolError):
    """The server answered with an error instead of data; the text is its own."""


def clean(text: bytes | str, secrets: Sequence[str] = ()) -> str:
    """A server's own words: printable, on one line, bounded, without any secret that it echoes."""
    words = text if isinstance(text, str) else text[: 8 * _LONGEST_MESSAGE].decode("utf-8", "replace")
    for secret in filter(None, secrets):
        words = words.replace(secret, "***")
    words = " ".join(_UNPRINTABLE.sub(" ", words).split())
    return words if len(words) <= _LONGEST_MESSAGE else words[: _LONGEST_MESSAGE - 1] + "…"


def secrets_of(credentials: GitCredentials) -> tuple[str, ...]:
    """What must never be shown, in the forms that a server could send it back."""
    proxy = credentials.proxy.password if credentials.proxy else ""
    basic = base64.b64encode(f"{credentials.user}:{credentials.token}".encode()).decode() if credentials.token else ""
    return tuple(filter(None, (basic, credentials.token, proxy, credentials.private_key_passphrase)))


@contextmanager
def translated(transport: Transport, doing: str) -> Iterator[None]:
    """Turn the errors of sockets, TLS, SSH and the protocol into GitOperationFailedError, naming host and cause."""
    try:
        yield
    except BadAnswerError as error:
        transport.hang_up()
        raise _failed(transport, doing, error) from error
    except ProdevalError:
        transport.hang_up()
        raise
    except (urllib3.exceptions.HTTPError, paramiko.SSHException, GitProtocolError, HangupException, OSError) as error:
        transport.hang_up()
        transport.guard.check()
        raise _failed(transport, doing, error) from error


def _failed(transport: Transport, doing: str, error: BaseException) -> ProdevalError:
    if isinstance(error, urllib3.exceptions.ProxyError) and "407" in str(error.original_error):
        return refused(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, Service.READ, transport.credentials, None)
    cause = clean(_cause(error), secrets_of(transport.credentials))
    kind = StaleReadError if isinstance(error, ServerRefusalError) else GitOperationFailedError
    return kind(f"{transport.credentials.host}: could not {doing}: {cause}; will be tried again")


def _cause(error: BaseException) -> str:
    """The innermost reason: urllib3 wraps it in the names of its pools."""
    if isinstance(error, HangupException):
        return "the server closed the connection"
    if isinstance(error, urllib3.exceptions.ProtocolError) and len(error.args) > 1:
        return f"{error.args[0]} {error.args[1]}"
    if isinstance(error, urllib3.exceptions.ProxyError):
        return f"proxy: {error.original_error}"
    return str(error) or type(error).__name__


def refused(status: int, service: Service, credentials: GitCredentials, retry_after: float | None) -> ProdevalError:
    """What an HTTP status other than 200 means."""
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
            return GitOperationFailedError(text, retry_after=retry_after)
    return AccessDeniedError(f"{credentials.host} {problem} (HTTP {status}); check Secret {credentials.secret!r}")
