"""Finds deletions that the watch missed: after a cut that lasted too long it lists what is there, not what is gone."""

import logging
from collections.abc import Sequence

from prodeval.domain.errors import ClusterUnavailableError, ProdevalError
from prodeval.domain.json_values import child
from prodeval.domain.resource import Identity, ResourceKey
from prodeval.service.ports import Cluster
from prodeval.service.registry import Registry

logger = logging.getLogger(__name__)


class Sweep:
    """Compares who is known with who is there; `namespaces` () means all."""

    def __init__(self, registry: Registry, cluster: Cluster, namespaces: Sequence[str]) -> None:
        self._registry, self._cluster, self._namespaces = registry, cluster, tuple(namespaces)

    def turn(self) -> None:
        """Drop who is gone, take in who is new or was changed unseen; if the API does not tell, the next turn does."""
        known = self._registry.identities()
        try:
            listed = self._cluster.identities(self._namespaces)
            for key in known.keys() | listed.keys():
                self._compare(key, known.get(key), listed.get(key))
        except ProdevalError as error:
            logger.info("Who was deleted unseen is not known: %s", error)

    def _compare(self, key: ResourceKey, known: Identity | None, listed: Identity | None) -> None:
        """Raises ClusterUnavailableError."""
        if known is not None and listed is not None and known.uid == listed.uid and known.version <= listed.version:
            self._registry.confirm(known.uid)
            return
        # The list may be older than what the watch told since, so ask once more. It is newer where a deletion was
        # missed, and has smaller versions after the API server was restored from a backup.
        entry = self._registry.entry(known.uid) if known is not None else None
        is_gone = listed is not None and self._registry.is_gone(listed.uid)
        try:
            body = self._cluster.read(key)
        except ClusterUnavailableError:
            raise
        except ProdevalError as error:
            logger.info("Whether %s is still there is not known: %s", key, error)
            return
        if listed is not None and is_gone and child(body, "metadata", "uid") == listed.uid:
            self._registry.revive(listed.uid)
        self._registry.shown(body, entry)
