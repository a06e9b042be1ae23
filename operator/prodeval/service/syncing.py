"""Brings the upstream of a project to what its resources say: access, sources, plans, one push."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from prodeval.domain.errors import ClusterUnavailableError, SupersededError
from prodeval.domain.resource import ConfigMapFiles, Resource
from prodeval.domain.shipyard import check_agreement
from prodeval.domain.tenancy import Tenancy, check_owner
from prodeval.domain.upstream import Pushed, Request, Snapshot, Write
from prodeval.service.planning import Plan, PlanSettings, make_plan
from prodeval.service.ports import Cluster
from prodeval.service.presence import Presence
from prodeval.service.resolving import ConfigMaps
from prodeval.service.upstreams import Upstreams


@dataclass(frozen=True, slots=True)
class Synced:
    """The outcome of a sync: what was planned last, what was pushed, and where."""

    plan: Plan
    pushed: Pushed
    upstream: str


Outcome: TypeAlias = Synced | Exception
"""What came of one resource's sync; an exception that is no ProdevalError is a fault of ours."""


@dataclass(slots=True)
class _Planning:
    """Plans again and again while the upstream moves, and remembers the last plan."""

    resource: Resource
    config_maps: ConfigMaps
    settings: PlanSettings
    presence: Presence
    plans: list[Plan] = field(default_factory=list)

    def __call__(self, snapshot: Snapshot) -> Write:
        plan = make_plan(self.resource, snapshot, self.config_maps, self.settings)
        if plan.write.changes and not self.presence.is_current(self.resource):
            raise SupersededError(f"{self.resource.key} was changed or deleted meanwhile")
        self.plans[:] = [plan]
        return plan.write


class Syncer:
    """Syncs resources. Safe to use from many threads, one for each project at a time."""

    def __init__(
        self,
        cluster: Cluster,
        upstreams: Upstreams,
        tenancy: Tenancy,
        settings: Callable[[str], PlanSettings],
        presence: Presence,
    ) -> None:
        self._cluster, self._upstreams = cluster, upstreams
        self._tenancy, self._settings, self._presence = tenancy, settings, presence

    def sync(self, project: str, resources: Sequence[Resource], siblings: Iterable[Resource]) -> Mapping[str, Outcome]:
        """Sync some resources of one project with one push; the outcome of each by uid.

        Args:
            project: of all of them.
            resources: to be synced.
            siblings: all resources of the project, which may own or share what these want.

        Raises ClusterUnavailableError if the Kubernetes API is away.
        """
        siblings = [sibling for sibling in siblings if self._tenancy.allows(sibling)]
        outcomes: dict[str, Outcome] = {}
        plannings: dict[str, _Planning] = {}
        for resource in resources:
            try:
                plannings[resource.uid] = self._prepare(resource, siblings)
            except ClusterUnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - one resource's fault is its own outcome
                outcomes[resource.uid] = error
        return outcomes | self._push(project, plannings)

    def _prepare(self, resource: Resource, siblings: Sequence[Resource]) -> _Planning:
        """Refuse what is not granted, owned by another or in conflict with another, before any network call."""
        self._tenancy.check(resource)
        rivals = [other for other in siblings if other.uid != resource.uid]
        check_owner(resource, rivals)
        check_agreement(resource, rivals)
        settings = self._settings(resource.target.project)
        return _Planning(resource, self._config_maps(resource), settings, self._presence)

    def _push(self, project: str, plannings: Mapping[str, _Planning]) -> dict[str, Outcome]:
        if not plannings:
            return {}
        try:
            repository, url = self._upstreams.open(project)
            requests = [
                Request(frozenset({planning.resource.target.stage}), planning) for planning in plannings.values()
            ]
            answers = repository.write_all(requests)
        except ClusterUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - what stops all of them is the outcome of each
            return dict.fromkeys(plannings, error)
        return {
            uid: answer if isinstance(answer, Exception) else Synced(planning.plans[0], answer, url)
            for (uid, planning), answer in zip(plannings.items(), answers, strict=True)
        }

    def _config_maps(self, resource: Resource) -> ConfigMaps:
        names = {source.name for source in resource.files if isinstance(source, ConfigMapFiles)}
        return {name: self._cluster.config_map(resource.key.namespace, name) for name in sorted(names)}
