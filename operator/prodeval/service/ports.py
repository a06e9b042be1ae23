"""What the use cases need of the world; the adapters fill it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from prodeval.domain.events import Event, EventAnswer, SequenceExecution, Subscription
from prodeval.domain.json_values import JSONObject
from prodeval.domain.resource import Identity, ResourceKey


class Cluster(Protocol):
    """The Kubernetes API. All methods raise ClusterUnavailableError if it does not answer."""

    def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The decoded data of a Secret; raises DependencyNotReadyError if it is absent or may not be read."""
        ...

    def config_map(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The data of a ConfigMap; raises as `secret`."""
        ...

    def read(self, key: ResourceKey) -> JSONObject | None:
        """A ProductionEvaluation as it is now; None if it is gone. Raises StatusRefusedError if it is not shown."""
        ...

    def identities(self, namespaces: Sequence[str]) -> Mapping[ResourceKey, Identity]:
        """Who there is in some namespaces; () means all."""
        ...

    def patch_status(self, key: ResourceKey, patch: JSONObject, resource_version: str) -> JSONObject | None:
        """Merge a patch into the status unless somebody wrote the object since; None if somebody did, or it is gone.

        Raises StatusRefusedError if the API refuses this very write.
        """
        ...

    def post_event(self, body: JSONObject, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Tell people about a resource; never fails."""
        ...


class Keptn(Protocol):
    """Keptn's API. All methods raise KeptnUnavailableError if it does not answer, or not as it should."""

    def events(self, project: str, since: datetime) -> EventAnswer:
        """The stored events of a project from a time on; none if Keptn does not know the project."""
        ...

    def service_events(self, project: str, service: str, since: datetime) -> EventAnswer:
        """The same of one service, cut off earlier."""
        ...

    def event(self, project: str, event_id: str) -> Event | None:
        """One event by its id; None if Keptn has none."""
        ...

    def newest_event(self, project: str, stage: str, service: str, event_type: str) -> Event | None:
        """The newest event of a type for a service in a stage; None if there is none."""
        ...

    def events_of_context(self, project: str, context: str) -> tuple[Event, ...]:
        """All events of one context, oldest first."""
        ...

    def sequence_executions(self, project: str) -> tuple[SequenceExecution, ...]:
        """The newest sequence executions of a project; raises DependencyNotReadyError if Keptn does not know it."""
        ...

    def read_default_branch(self, project: str) -> None:
        """Let Keptn bring the default branch of its clone up to date; nothing is to be done if it has none."""
        ...

    def read_stage_branch(self, project: str, stage: str) -> None:
        """The same for a stage's branch, in the layout that has one."""
        ...

    def registrations(self) -> tuple[Subscription, ...]:
        """What the integrations registered in Keptn's uniform listen to."""
        ...
