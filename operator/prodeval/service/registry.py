"""All resources that the operator knows, as it saw or wrote them last."""

import threading
from collections.abc import Iterator

from prodeval.domain.errors import InvalidSpecError
from prodeval.domain.json_values import JSONObject, as_text, child
from prodeval.domain.resource import Resource, ResourceKey, read_resource, resource_key


class Registry:
    """The newest body of each resource. Safe to use from many threads."""

    def __init__(self) -> None:
        self._bodies: dict[ResourceKey, JSONObject] = {}
        self._lock = threading.Lock()

    def put(self, body: JSONObject) -> None:
        """Remember a body, unless a newer one of the same object is known (our own write may overtake the watch)."""
        key = resource_key(body)
        with self._lock:
            known = self._bodies.get(key)
            if known is None or not _is_newer(known, body):
                self._bodies[key] = body

    def drop(self, key: ResourceKey) -> None:
        """Forget a resource that is gone."""
        with self._lock:
            self._bodies.pop(key, None)

    def body(self, key: ResourceKey) -> JSONObject | None:
        """The newest body of a resource; None if it is gone."""
        with self._lock:
            return self._bodies.get(key)

    def get(self, key: ResourceKey) -> Resource | None:
        """The newest state of a resource; None if it is gone. Raises InvalidSpecError."""
        body = self.body(key)
        return None if body is None else read_resource(body)

    def resources(self) -> Iterator[Resource]:
        """All resources that can be read."""
        with self._lock:
            bodies = list(self._bodies.values())
        for body in bodies:
            try:
                yield read_resource(body)
            except InvalidSpecError:
                continue


def _is_newer(known: JSONObject, other: JSONObject) -> bool:
    """Whether the known body of one object is newer; resource versions are decimal numbers that grow."""
    if child(known, "metadata", "uid") != child(other, "metadata", "uid"):
        return False
    versions = [as_text(child(body, "metadata", "resourceVersion")) for body in (known, other)]
    return all(text.isdecimal() for text in versions) and int(versions[0]) > int(versions[1])
