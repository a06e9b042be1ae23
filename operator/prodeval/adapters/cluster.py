"""The Kubernetes API, for what kopf does not do: Secrets, ConfigMaps, our own status; the only user of kubernetes."""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import cast

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException, OpenApiException
from pydantic import ValidationError
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError, ReadTimeoutError

from prodeval import __version__
from prodeval.domain.errors import (
    AccessDeniedError,
    ClusterUnavailableError,
    ConfigError,
    DependencyNotReadyError,
    ProdevalError,
)
from prodeval.domain.json_values import JSONObject, as_list, as_object, as_text, child
from prodeval.domain.resource import GROUP, PLURAL, VERSION, ResourceKey

TIMEOUT = (5.0, 30.0)
"""Seconds to connect and to read; the library itself waits for ever."""

_PAGE = 500
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 401, 403, 404, 409


class Cluster:
    """A client of the API server that the pod runs in, else of the current kubeconfig; ConfigError without one."""

    def __init__(self) -> None:
        configuration = _configuration()
        self._address = configuration.host
        api = client.ApiClient(configuration)
        api.user_agent = f"prodeval/{__version__}"
        self._core, self._custom = client.CoreV1Api(api), client.CustomObjectsApi(api)

    def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The decoded data of a Secret.

        Raises DependencyNotReadyError if it is absent, AccessDeniedError, ClusterUnavailableError.
        """
        with self._asking(f"Secret {name!r} in namespace {namespace!r}"):
            found = self._core.read_namespaced_secret(name, namespace, _request_timeout=TIMEOUT)
        return _decoded(found.data)

    def config_map(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The data of a ConfigMap, text as UTF-8; raises as `secret`."""
        with self._asking(f"ConfigMap {name!r} in namespace {namespace!r}"):
            found = self._core.read_namespaced_config_map(name, namespace, _request_timeout=TIMEOUT)
        texts = {key: text.encode() for key, text in (found.data or {}).items()}
        return texts | _decoded(found.binary_data)

    def resources(self, namespaces: Sequence[str]) -> Iterator[JSONObject]:
        """All ProductionEvaluations of some namespaces; of all if none is named. Raises as `secret`."""
        for namespace in namespaces:
            yield from self._pages(
                partial(self._custom.list_namespaced_custom_object, GROUP, VERSION, namespace, PLURAL)
            )
        if not namespaces:
            yield from self._pages(partial(self._custom.list_cluster_custom_object, GROUP, VERSION, PLURAL))

    def read(self, key: ResourceKey) -> JSONObject | None:
        """A ProductionEvaluation as it is now; None if it is gone. Raises ClusterUnavailableError."""
        with self._asking(f"ProductionEvaluation {key}"):
            try:
                found = self._custom.get_namespaced_custom_object(
                    GROUP, VERSION, key.namespace, PLURAL, key.name, _request_timeout=TIMEOUT
                )
            except ApiException as error:
                if error.status == _NOT_FOUND:
                    return None
                raise
        return cast("JSONObject", found)

    def patch_status(self, key: ResourceKey, patch: JSONObject, resource_version: str) -> JSONObject | None:
        """Merge a patch into the status, if nobody wrote the object since `resource_version`.

        Returns the object as it is then; None if somebody did, or if it is gone. Raises ClusterUnavailableError.
        """
        body = {"metadata": {"resourceVersion": resource_version}, "status": patch}
        with self._asking(f"the status of ProductionEvaluation {key}"):
            try:
                patched = self._custom.patch_namespaced_custom_object_status(
                    GROUP,
                    VERSION,
                    key.namespace,
                    PLURAL,
                    key.name,
                    body,
                    _content_type="application/merge-patch+json",
                    _request_timeout=TIMEOUT,
                )
            except ApiException as error:
                if error.status in {_CONFLICT, _NOT_FOUND}:
                    return None
                raise
        return cast("JSONObject", patched)

    def _pages(self, ask: Callable[..., object]) -> Iterator[JSONObject]:
        token = ""
        while True:
            with self._asking("the kind ProductionEvaluation", absent="; apply the CRD: kubectl apply -k crds/"):
                page = cast("JSONObject", ask(limit=_PAGE, _continue=token or None, _request_timeout=TIMEOUT))
            yield from map(as_object, as_list(page.get("items")))
            token = as_text(child(page, "metadata", "continue"))
            if not token:
                return

    @contextmanager
    def _asking(self, what: str, *, absent: str = "") -> Iterator[None]:
        """Raise our own errors for those of the library, whose texts may quote headers; `absent` is the remedy for 404.

        Who does not answer at all says nothing about `what`, so it is not named then.
        """
        try:
            yield
        except HTTPError as error:
            raise ClusterUnavailableError(
                f"the API server at {self._address} does not answer ({_cause(error)}); "
                "see that it runs, and that its address and the network in between are right"
            ) from error
        except (OpenApiException, ValidationError) as error:
            raise self._failure(error, what, absent) from error

    def _failure(self, error: Exception, what: str, absent: str) -> ProdevalError:
        status = error.status if isinstance(error, ApiException) else None
        if status == _NOT_FOUND:
            return DependencyNotReadyError(f"{what} does not exist yet{absent}")
        if status == _UNAUTHORIZED:
            return AccessDeniedError(f"the API server at {self._address} refuses the operator's token (HTTP {status})")
        if status == _FORBIDDEN:
            return AccessDeniedError(
                f"{what}: the operator's service account may not use it (HTTP {status}); see deploy/"
            )
        answer = f"HTTP {status}" if status else f"what cannot be read: {type(error).__name__}"
        return ClusterUnavailableError(f"{what}: the API server at {self._address} answered {answer}")


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


def _decoded(data: Mapping[str, bytes | str] | None) -> dict[str, bytes]:
    try:
        return {key: base64.b64decode(value, validate=True) for key, value in (data or {}).items()}
    except binascii.Error:  # the API server checks this; a proxy in between may not
        return {}


def _cause(error: HTTPError) -> str:
    """Why there is no answer, in the words of the system or of TLS where they have some."""
    inner = (isinstance(error, MaxRetryError) and error.reason) or error
    # Its subclass tells of a refusal, or of a name that does not resolve.
    if isinstance(inner, ConnectTimeoutError) and not isinstance(inner, NewConnectionError):
        return f"no connection within {TIMEOUT[0]:g} s"
    if isinstance(inner, ReadTimeoutError):
        return f"nothing within {TIMEOUT[1]:g} s"
    for below in (inner.__cause__, *inner.args):
        if isinstance(below, OSError):
            return below.strerror or str(below)
    return type(inner).__name__
