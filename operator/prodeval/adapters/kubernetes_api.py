"""Requests to the Kubernetes API, and the only user of kubernetes.

Its generated methods are not used: they take an answer of something in between for an object, and sleep in the calling
thread for as long as a `Retry-After` says.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import cast
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes import client, config
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError, ReadTimeoutError

from prodeval import __version__
from prodeval.domain.errors import ClusterUnavailableError, ConfigError
from prodeval.domain.http_dates import parse_http_date, parse_retry_after
from prodeval.domain.json_values import JSON, JSONObject, as_object, as_text, child
from prodeval.domain.printable import bounded_line

JSON_TYPE = "application/json"
_LONGEST_MESSAGE = 500
_WEBHOOK = "failed calling webhook"


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What the API server said about one object or list.

    Attributes:
        body: of an error its Status; {} where that may be plain text: 404 (the kind is not served) and 429.
        retry_after: seconds for which it asked to be left alone.
    """

    status: int
    body: JSONObject
    retry_after: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether it did what it was asked."""
        return self.status in range(200, 300)

    @property
    def is_absent(self) -> bool:
        """Whether the object does not exist, though its kind does."""
        return self.status == HTTPStatus.NOT_FOUND and bool(self.body)

    @property
    def words(self) -> str:
        """What its Status says, on one line."""
        return bounded_line(as_text(self.body.get("message")), _LONGEST_MESSAGE) or "it does not say why"


class KubernetesApi:
    """The API server that the pod runs in, else of the current kubeconfig; ConfigError without one.

    Safe to call from many threads. Nothing is tried again, so that no thread waits for longer than the time-out.

    Args:
        connections: that are kept open; as many as there are threads.
        timeout: seconds to connect and to read; the library itself waits for ever.
    """

    def __init__(self, *, connections: int, timeout: tuple[float, float]) -> None:
        configuration = _configuration()
        configuration.retries = False
        configuration.connection_pool_maxsize = connections
        self.address = configuration.host
        self._timeout = timeout
        self._client = client.ApiClient(configuration)
        self._pool = self._client.rest_client.pool_manager

    def request(  # noqa: PLR0913 - what a request consists of
        self,
        method: str,
        path: str,
        what: str,
        *,
        query: Mapping[str, str] | None = None,
        body: JSON = None,
        content_type: str = JSON_TYPE,
        accept: str = JSON_TYPE,
    ) -> ApiAnswer:
        """Send one request; `what` names in messages whom it is about.

        Raises ClusterUnavailableError if the API as a whole does not answer: there is no connection or no answer in
        time, it fails, it refuses the token, or something in between answers in its place. One request too many (429)
        is an answer: what follows from it depends on the request.
        """
        url = f"{self.address}{path}" + (f"?{urlencode(query)}" if query else "")
        sent = {"Accept": accept, "User-Agent": f"prodeval/{__version__}"}
        sent |= {"Content-Type": content_type} if body is not None else {}
        content = json.dumps(body).encode() if body is not None else None
        connect, read = self._timeout
        try:
            self._client.update_params_for_auth(sent, [], ["BearerToken"], path, method, None)
            response = self._pool.request(
                method, url, body=content, headers=sent, timeout=urllib3.Timeout(connect=connect, read=read)
            )
        except (HTTPError, OSError, ValueError, config.ConfigException) as error:
            raise ClusterUnavailableError(
                f"the API server at {self.address} does not answer ({self._cause(error)}); "
                "see that it runs, and that its address and the network in between are right"
            ) from error
        return self._checked(response, what)

    def unavailable(self, what: str, answer: ApiAnswer) -> ClusterUnavailableError:
        """The error for an answer that nobody expects."""
        problem = f"{what}: the API server at {self.address} answered HTTP {answer.status}"
        return ClusterUnavailableError(problem, retry_after=answer.retry_after)

    def _checked(self, response: urllib3.BaseHTTPResponse, what: str) -> ApiAnswer:
        status, wait = response.status, _retry_after(response.headers)
        if status == HTTPStatus.UNAUTHORIZED:
            problem = f"the API server at {self.address} refuses the operator's token (HTTP {status})"
            raise ClusterUnavailableError(problem, retry_after=wait)
        answer = ApiAnswer(status, _object(response.data), wait)
        if status not in range(200, 500) and not _is_of_one_object(answer):
            raise self.unavailable(what, answer)
        if answer.body or status in {HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS}:
            return answer
        problem = (
            f"what answers at {self.address} is not the API server (HTTP {status} without JSON of Kubernetes); "
            "see what stands in between"
        )
        raise ClusterUnavailableError(problem, retry_after=wait)

    def _cause(self, error: Exception) -> str:
        """Why there is no answer, in the words of the system or of TLS where they have some."""
        inner: Exception = (isinstance(error, MaxRetryError) and error.reason) or error
        # Its subclass tells of a refusal, or of a name that does not resolve.
        if isinstance(inner, ConnectTimeoutError) and not isinstance(inner, NewConnectionError):
            return f"no connection within {self._timeout[0]:g} s"
        if isinstance(inner, ReadTimeoutError):
            return f"nothing within {self._timeout[1]:g} s"
        for below in (inner.__cause__, *inner.args, inner):
            if isinstance(below, OSError):
                return below.strerror or str(below)
        return type(inner).__name__


def _object(content: bytes) -> JSONObject:
    """An object of Kubernetes; {} if it is anything else."""
    try:
        found = as_object(cast("JSON", json.loads(content)))
    except (ValueError, RecursionError):
        return {}
    return found if as_text(child(found, "kind")) else {}


def _is_of_one_object(answer: ApiAnswer) -> bool:
    """Whether a 5xx says nothing about other objects: a webhook of one namespace may be down."""
    return answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and _WEBHOOK in answer.words


def _retry_after(headers: Mapping[str, str]) -> float | None:
    now = parse_http_date(headers.get("Date", "")) or datetime.now(UTC)
    return parse_retry_after(headers.get("Retry-After", ""), now)


def _configuration() -> client.Configuration:
    configuration = client.Configuration()
    # The library's loaders are untyped.
    in_pod = cast("Callable[..., None]", config.load_incluster_config)
    from_kubeconfig = cast("Callable[..., None]", config.load_kube_config)
    try:
        in_pod(client_configuration=configuration)
    except config.ConfigException:
        try:
            from_kubeconfig(client_configuration=configuration)
        # A file that is there and cannot be read has an error of its own kind.
        except (config.ConfigException, yaml.YAMLError, OSError, ValueError) as error:
            text = " ".join(str(error).split()).rstrip(".")
            raise ConfigError(f"no cluster: {text}. Run in a pod, or set KUBECONFIG") from error
    return configuration
