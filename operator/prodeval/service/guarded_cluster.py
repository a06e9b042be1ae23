"""The Kubernetes API, asked by one caller at a time while it is away as a whole."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

from prodeval.domain.errors import ClusterUnavailableError
from prodeval.domain.json_values import JSONObject
from prodeval.domain.resource import Identity, ResourceKey
from prodeval.service.outage import Outage
from prodeval.service.ports import Cluster

T = TypeVar("T")


class GuardedCluster:
    """Fulfils `ports.Cluster`. The first answer that says that the API is away ends the round for all.

    Attributes:
        outage: tells how long to wait.
    """

    def __init__(self, cluster: Cluster, outage: Outage) -> None:
        self._cluster, self.outage = cluster, outage

    def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """See the port."""
        return self._ask(lambda: self._cluster.secret(namespace, name))

    def config_map(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """See the port."""
        return self._ask(lambda: self._cluster.config_map(namespace, name))

    def read(self, key: ResourceKey) -> JSONObject | None:
        """See the port."""
        return self._ask(lambda: self._cluster.read(key))

    def identities(self, namespaces: Sequence[str]) -> Mapping[ResourceKey, Identity]:
        """See the port."""
        return self._ask(lambda: self._cluster.identities(namespaces))

    def patch_status(self, key: ResourceKey, patch: JSONObject, resource_version: str) -> JSONObject | None:
        """See the port."""
        return self._ask(lambda: self._cluster.patch_status(key, patch, resource_version))

    def post_event(self, body: JSONObject, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """See the port."""
        self._cluster.post_event(body, kind, reason, message)

    def _ask(self, question: Callable[[], T]) -> T:
        self.outage.check()
        try:
            answer = question()
        except ClusterUnavailableError as error:
            self.outage.failed(error)
            raise
        except Exception:  # it answered, if only to refuse
            self.outage.answered()
            raise
        self.outage.answered()
        return answer
