"""The Kubernetes API, for what kopf does not do: Secrets, ConfigMaps, our own status, Events from any thread."""

import base64
import binascii
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal
from urllib.parse import quote

from prodeval.adapters.kubernetes_api import JSON_TYPE, ApiAnswer, KubernetesApi
from prodeval.domain.errors import DependencyNotReadyError, ProdevalError, StatusRefusedError
from prodeval.domain.json_values import JSON, JSONObject, as_list, as_object, as_text, child
from prodeval.domain.printable import bounded_line
from prodeval.domain.resource import GROUP, KIND, PLURAL, VERSION, Identity, ResourceKey, version_number

TIMEOUT = (5.0, 30.0)
"""Seconds to connect and to read."""

_PAGE = 500
_METADATA_ONLY = f"{JSON_TYPE};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_MERGE_PATCH = "application/merge-patch+json"
_LONGEST_EVENT = 1024
_COMPONENT = "prodeval"

logger = logging.getLogger(__name__)


class Cluster:
    """A client of the API server that the pod runs in, else of the current kubeconfig; ConfigError without one.

    Safe to call from many threads. Each call raises ClusterUnavailableError if the API as a whole does not answer.

    Args:
        connections: that are kept open; as many as there are threads.
        timeout: seconds to connect and to read.
    """

    def __init__(self, *, connections: int = 32, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._api = KubernetesApi(connections=connections, timeout=timeout)

    def secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """The decoded data of a Secret; raises DependencyNotReadyError if it is absent or may not be read."""
        found = self._get("secrets", namespace, name, f"Secret {name!r} in namespace {namespace!r}")
        return _decoded(found.get("data"))

    def config_map(self, namespace: str, name: str) -> dict[str, bytes]:
        """The data of a ConfigMap, text as UTF-8; raises as `secret`."""
        found = self._get("configmaps", namespace, name, f"ConfigMap {name!r} in namespace {namespace!r}")
        texts = {key: as_text(text).encode() for key, text in as_object(found.get("data")).items()}
        return texts | _decoded(found.get("binaryData"))

    def resources(self, namespaces: Sequence[str]) -> Iterator[JSONObject]:
        """All ProductionEvaluations of some namespaces; of all if none is named. Raises as `secret`."""
        return self._listed(namespaces, JSON_TYPE)

    def identities(self, namespaces: Sequence[str]) -> dict[ResourceKey, Identity]:
        """Who is among what `resources` lists, by metadata alone, which is much less. Raises as `secret`."""
        found = (as_object(item.get("metadata")) for item in self._listed(namespaces, _METADATA_ONLY))
        return {
            ResourceKey(as_text(one.get("namespace")), as_text(one.get("name"))): Identity(
                as_text(one.get("uid")), version_number(one)
            )
            for one in found
        }

    def read(self, key: ResourceKey) -> JSONObject | None:
        """A ProductionEvaluation as it is now; None if it is gone. Raises StatusRefusedError if it may not be read."""
        what = f"ProductionEvaluation {key}"
        answer = self._api.request("GET", _path(key), what)
        return None if answer.is_absent else self._accepted(answer, what)

    def patch_status(self, key: ResourceKey, patch: JSONObject, resource_version: str) -> JSONObject | None:
        """Merge a patch into the status, if nobody wrote the object since `resource_version`.

        Returns:
            The object as it is then; None if somebody did (409), or if it is gone (404): `read` tells which.

        Raises:
            StatusRefusedError: this one status is refused, by a policy, a right or the CRD, or as one write too many.
        """
        what = f"the status of ProductionEvaluation {key}"
        body = {"metadata": {"resourceVersion": resource_version}, "status": patch}
        answer = self._api.request("PATCH", f"{_path(key)}/status", what, body=body, content_type=_MERGE_PATCH)
        if answer.is_absent or answer.status == HTTPStatus.CONFLICT:
            return None
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:  # each write is counted for itself: others may be taken
            raise StatusRefusedError(f"{what} is one too many (HTTP 429)", retry_after=answer.retry_after)
        return self._accepted(answer, what)

    def post_event(self, body: JSONObject, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Post one Event about a resource; never fails: what cannot be posted is logged."""
        namespace = as_text(child(body, "metadata", "namespace"))
        event = _event(body, kind, reason, message)
        try:
            answer = self._api.request("POST", f"/api/v1/namespaces/{quote(namespace, safe='')}/events", "", body=event)
        except ProdevalError as error:
            logger.info("Event %s about %s/%s is lost: %s", reason, namespace, _name(body), error)
            return
        if not answer.succeeded:
            logger.info("Event %s about %s/%s is refused: %s", reason, namespace, _name(body), answer.words)

    def _get(self, plural: str, namespace: str, name: str, what: str) -> JSONObject:
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/{plural}/{quote(name, safe='')}"
        answer = self._api.request("GET", path, what)
        if answer.is_absent:
            raise DependencyNotReadyError(f"{what} does not exist yet")
        return self._allowed(answer, what)

    def _listed(self, namespaces: Sequence[str], accept: str) -> Iterator[JSONObject]:
        for place in [f"/namespaces/{quote(name, safe='')}" for name in namespaces] or [""]:
            yield from self._pages(f"/apis/{GROUP}/{VERSION}{place}/{PLURAL}", accept)

    def _pages(self, path: str, accept: str) -> Iterator[JSONObject]:
        what, query = "the kind ProductionEvaluation", {"limit": str(_PAGE)}
        while True:
            answer = self._api.request("GET", path, what, query=query, accept=accept)
            if answer.status == HTTPStatus.NOT_FOUND:
                raise DependencyNotReadyError(f"{what} does not exist yet; apply the CRD: kubectl apply -k crds/")
            page = self._allowed(answer, what)
            yield from map(as_object, as_list(page.get("items")))
            following = as_text(child(page, "metadata", "continue"))
            if not following:
                return
            query = {"limit": str(_PAGE), "continue": following}

    def _allowed(self, answer: ApiAnswer, what: str) -> JSONObject:
        """The body of a success."""
        if answer.status == HTTPStatus.FORBIDDEN:
            problem = f"{what}: the operator's service account may not use it (HTTP {answer.status}); see deploy/"
            # Not for ever: a role may follow, and an API server that has just started does not know its roles yet.
            raise DependencyNotReadyError(problem)
        if not answer.succeeded:
            raise self._api.unavailable(what, answer)
        return answer.body

    def _accepted(self, answer: ApiAnswer, what: str) -> JSONObject:
        """The body of a success; of a refusal the server's own words are told."""
        if answer.succeeded:
            return answer.body
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS}:
            raise self._api.unavailable(what, answer)
        raise StatusRefusedError(f"{what} is refused (HTTP {answer.status}): {answer.words}")


def _path(key: ResourceKey) -> str:
    namespace, name = quote(key.namespace, safe=""), quote(key.name, safe="")
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}"


def _name(body: JSONObject) -> str:
    return as_text(child(body, "metadata", "name"))


def _event(body: JSONObject, kind: str, reason: str, message: str) -> JSONObject:
    """An Event of core/v1, which kubectl and old collectors read alike."""
    metadata = as_object(body.get("metadata"))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{_COMPONENT}-", "namespace": metadata.get("namespace")},
        "involvedObject": {
            "apiVersion": as_text(body.get("apiVersion")) or f"{GROUP}/{VERSION}",
            "kind": as_text(body.get("kind")) or KIND,
            **{name: metadata.get(name) for name in ("namespace", "name", "uid", "resourceVersion")},
        },
        "type": kind,
        "reason": reason,
        "message": bounded_line(message, _LONGEST_EVENT),
        "source": {"component": _COMPONENT},
        "reportingComponent": _COMPONENT,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


def _decoded(data: JSON) -> dict[str, bytes]:
    try:
        return {key: base64.b64decode(as_text(text), validate=True) for key, text in as_object(data).items()}
    except (binascii.Error, ValueError):  # the API server checks this; a proxy in between may not
        return {}
