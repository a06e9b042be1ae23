"""The one way in which a status is written: on top of what is there, never over what another writer wrote meanwhile."""

import threading
from collections.abc import Callable, Mapping

from prodeval.domain.errors import ClusterUnavailableError
from prodeval.domain.json_values import JSON, JSONObject, as_object, as_text, child
from prodeval.domain.resource import ResourceKey
from prodeval.service.ports import Cluster
from prodeval.service.registry import Registry

_TRIES = 10
Mutate = Callable[[JSONObject], JSONObject]
"""From a whole body to the status that it should have."""


class StatusWriter:
    """Writes statuses; safe to use from many threads."""

    def __init__(self, cluster: Cluster, registry: Registry) -> None:
        self._cluster, self._registry = cluster, registry
        self._locks: dict[ResourceKey, threading.Lock] = {}

    def update(self, key: ResourceKey, mutate: Mutate) -> tuple[JSONObject, JSONObject] | None:
        """Bring a status to what `mutate` makes of the newest body; one PATCH, none if nothing changes.

        Returns the status before and after; None if the resource is gone. Raises ClusterUnavailableError.
        """
        with self._locks.setdefault(key, threading.Lock()):
            body = self._registry.body(key) or self._cluster.read(key)
            for _ in range(_TRIES):
                if body is None:
                    return None
                before = as_object(body.get("status"))
                after = mutate(body)
                patch = merge_patch(before, after)
                if not patch:
                    return before, after
                written = self._cluster.patch_status(key, patch, as_text(child(body, "metadata", "resourceVersion")))
                if written is not None:
                    self._registry.put(written)
                    return before, after
                body = self._cluster.read(key)
        raise ClusterUnavailableError(f"the status of {key} was written by others {_TRIES} times in a row")

    def forget(self, key: ResourceKey) -> None:
        """Drop what is remembered about a resource that is gone."""
        self._locks.pop(key, None)


def merge_patch(before: JSONObject, after: JSONObject) -> dict[str, JSON]:
    """The JSON merge patch (RFC 7386) from one object to another; empty if they are equal."""
    patch: dict[str, JSON] = {name: None for name in before if name not in after}
    for name, value in after.items():
        old = before.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            deeper = merge_patch(old, value)
            if deeper:
                patch[name] = deeper
        elif old != value or name not in before:
            patch[name] = value
    return patch
