"""Whether an object is still there with the spec that a plan was made for."""

from prodeval.domain.resource import Resource
from prodeval.service.clock import Clock
from prodeval.service.ports import Cluster
from prodeval.service.registry import Registry

_FRESH_SECONDS = 30.0
"""For so long what the API server said about an object is believed without asking again."""


class Presence:
    """Asked before anything is pushed for a resource, so that nothing is pushed for a ghost or an older wish."""

    def __init__(self, registry: Registry, cluster: Cluster, clock: Clock) -> None:
        self._registry, self._cluster, self._clock = registry, cluster, clock

    def is_current(self, resource: Resource) -> bool:
        """Whether the newest that is known is this very spec; asks the API server if that was told long ago.

        Raises ClusterUnavailableError.
        """
        entry = self._registry.entry(resource.uid)
        if entry is not None and self._clock.monotonic() - entry.told > _FRESH_SECONDS:
            self._registry.shown(self._cluster.read(resource.key), entry)
        newest = self._registry.get(resource.uid)
        return newest is not None and newest.generation == resource.generation
