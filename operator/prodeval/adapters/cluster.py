"""The Kubernetes API, for what kopf does not do: Secrets, ConfigMaps, our own status; the only user of kubernetes."""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import cast

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException, OpenApiException
from pydantic import ValidationError
from urllib3.exceptions import HTTPError

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
_NOT_FOUND, _CONFLICT = 404, 409
_DENIED = (401, 403)


class Cluster:
    """A client of the API server that the pod runs in, else of the current kubeconfig; ConfigError without one."""

    def __init__(self) -> None:
        api = client.ApiClient(_configuration())
        api.user_agent = f"prodeval/{__version__}"
        self._core, self._custom = client.CoreV1Api(api), client.CustomObjectsApi(api)

    def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The decoded data of a Secret.

        Raises DependencyNotReadyError if it is absent, AccessDeniedError, ClusterUnavailableError.
        """
        try:
            found = self._core.read_namespaced_secret(name, namespace, _request_timeout=TIMEOUT)
        except (OpenApiException, ValidationError, HTTPError) as error:
            raise _failure(error, f"Secret {name!r} in namespace {namespace!r}") from error
        return _decoded(found.data)

    def config_map(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The data of a ConfigMap, text as UTF-8; raises as `secret`."""
        try:
            found = self._core.read_namespaced_config_map(name, namespace, _request_timeout=TIMEOUT)
        except (OpenApiException, ValidationError, HTTPError) as error:
            raise _failure(error, f"ConfigMap {name!r} in namespace {namespace!r}") from error
        texts = {key: text.encode() for key, text in (found.data or {}).items()}
        return texts | _decoded(found.binary_data)

    def resources(self, namespaces: Sequence[str]) -> Iterator[JSONObject]:
        """All ProductionEvaluations of some namespaces; of all if none is named. Raises as `secret`."""
        for namespace in namespaces:
            yield from _pages(partial(self._custom.list_namespaced_custom_object, GROUP, VERSION, namespace, PLURAL))
        if not namespaces:
            yield from _pages(partial(self._custom.list_cluster_custom_object, GROUP, VERSION, PLURAL))

    def read(self, key: ResourceKey) -> JSONObject | None:
        """A ProductionEvaluation as it is now; None if it is gone. Raises ClusterUnavailableError."""
        try:
            found = self._custom.get_namespaced_custom_object(
                GROUP, VERSION, key.namespace, PLURAL, key.name, _request_timeout=TIMEOUT
            )
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise _failure(error, f"ProductionEvaluation {key}") from error
        except (OpenApiException, ValidationError, HTTPError) as error:
            raise _failure(error, f"ProductionEvaluation {key}") from error
        return cast("JSONObject", found)

    def patch_status(self, key: ResourceKey, patch: JSONObject, resource_version: str) -> JSONObject | None:
        """Merge a patch into the status, if nobody wrote the object since `resource_version`.

        Returns the object as it is then; None if somebody did, or if it is gone. Raises ClusterUnavailableError.
        """
        body = {"metadata": {"resourceVersion": resource_version}, "status": patch}
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
            raise _failure(error, f"the status of ProductionEvaluation {key}") from error
        except (OpenApiException, ValidationError, HTTPError) as error:
            raise _failure(error, f"the status of ProductionEvaluation {key}") from error
        return cast("JSONObject", patched)


def _pages(ask: Callable[..., object]) -> Iterator[JSONObject]:
    token = ""
    while True:
        try:
            page = cast("JSONObject", ask(limit=_PAGE, _continue=token or None, _request_timeout=TIMEOUT))
        except (OpenApiException, ValidationError, HTTPError) as error:
            raise _failure(error, "the kind ProductionEvaluation (kubectl apply -k crds/)") from error
        yield from map(as_object, as_list(page.get("items")))
        token = as_text(child(page, "metadata", "continue"))
        if not token:
            return


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
        except config.ConfigException as error:
            raise ConfigError(f"no cluster: {error} Run in a pod, or set KUBECONFIG") from error
    return configuration


def _decoded(data: Mapping[str, bytes | str] | None) -> dict[str, bytes]:
    try:
        return {key: base64.b64decode(value, validate=True) for key, value in (data or {}).items()}
    except binascii.Error:  # the API server checks this; a proxy in between may not
        return {}


def _failure(error: Exception, what: str) -> ProdevalError:
    """The error of prodeval for one of the library; its own text may quote headers and is left out."""
    status = error.status if isinstance(error, ApiException) else None
    if status == _NOT_FOUND:
        return DependencyNotReadyError(f"{what} does not exist yet")
    if status in _DENIED:
        return AccessDeniedError(f"{what}: the operator's service account may not use it (HTTP {status}); see deploy/")
    answer = f"HTTP {status}" if status else type(error).__name__
    return ClusterUnavailableError(f"{what}: the Kubernetes API answered {answer}")
