"""Finds deletions that the watch missed: after a cut that lasted too long it lists what is there, not what is gone."""

import logging
from collections.abc import Sequence

from prodeval.domain.errors import ClusterUnavailableError, ProdevalError
from prodeval.domain.json_values import as_text, child
from prodeval.domain.resource import ResourceKey
from prodeval.service.ports import Cluster
from prodeval.service.registry import Registry

logger = logging.getLogger(__name__)


class Sweep:
    """Compares who is known with who is there; `namespaces` () means all."""

    def __init__(self, registry: Registry, cluster: Cluster, namespaces: Sequence[str]) -> None:
        self._registry, self._cluster, self._namespaces = registry, cluster, tuple(namespaces)

    def turn(self) -> None:
        """Drop who is gone, take in who is new or was changed unseen; if the API is away, the next turn does."""
        known = self._registry.uids()
        try:
            listed = self._cluster.uids(self._namespaces)
            for key in known.keys() | listed.keys():
                uid = known.get(key, "")
                if listed.get(key, "") == uid:
                    self._registry.confirm(uid)
                else:  # the list may be older than what the watch told since: ask once more about this one
                    self._look_at(key, uid)
        except ClusterUnavailableError as error:
            logger.info("Who was deleted unseen is not known: %s", error)

    def _look_at(self, key: ResourceKey, uid: str) -> None:
        """Raises ClusterUnavailableError."""
        try:
            body = self._cluster.read(key)
        except ClusterUnavailableError:
            raise
        except ProdevalError as error:
            logger.info("Whether %s is still there is not known: %s", key, error)
            return
        if uid and (body is None or as_text(child(body, "metadata", "uid")) != uid):
            self._registry.drop(uid)
        if body is not None and self._registry.put(body) is None:
            self._registry.confirm(uid)
