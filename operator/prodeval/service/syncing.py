"""Brings the upstream to what one resource says: access, sources, plan, push."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from prodeval.domain.credentials import GitCredentials, parse_git_credentials
from prodeval.domain.errors import AccessDeniedError
from prodeval.domain.resource import ConfigMapFiles, Resource
from prodeval.domain.shipyard import check_agreement
from prodeval.domain.tenancy import Grant, check_access, check_owner
from prodeval.domain.upstream import Pushed, Repository, Snapshot, Write
from prodeval.service.planning import Plan, PlanSettings, make_plan
from prodeval.service.ports import Cluster
from prodeval.service.resolving import ConfigMaps

T = TypeVar("T")

SECRET_PREFIX = "git-credentials-"  # noqa: S105 - the name of a Secret, not its content

OpenRepository = Callable[[str, GitCredentials], Repository]
"""Opens a project's upstream."""


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Who may name which project, and where credentials are."""

    grants: Mapping[str, Grant]
    credentials_namespace: str
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Synced:
    """The outcome of a sync: what was planned last, what was pushed, and where."""

    plan: Plan
    pushed: Pushed
    upstream: str


@dataclass(slots=True)
class _Planning:
    """Plans again and again while the upstream moves, and remembers the last plan."""

    resource: Resource
    config_maps: ConfigMaps
    settings: PlanSettings
    plans: list[Plan] = field(default_factory=list)

    def __call__(self, snapshot: Snapshot) -> Write:
        self.plans[:] = [make_plan(self.resource, snapshot, self.config_maps, self.settings)]
        return self.plans[0].write


class Syncer:
    """Syncs resources. Safe to use from many threads."""

    def __init__(
        self,
        cluster: Cluster,
        open_repository: OpenRepository,
        tenancy: Tenancy,
        settings: Callable[[str], PlanSettings],
    ) -> None:
        self._cluster, self._open = cluster, open_repository
        self._tenancy, self._settings = tenancy, settings

    def sync(self, resource: Resource, others: Iterable[Resource]) -> Synced:
        """Check, plan and push; `others` are all resources that may share a target. Raises ProdevalError."""
        self.check(resource, others)
        project = resource.target.project
        credentials = self._credentials(project)
        planning = _Planning(resource, self._config_maps(resource), self._settings(project))
        pushed = self._open(project, credentials).write(frozenset({resource.target.stage}), planning)
        return Synced(planning.plans[0], pushed, credentials.url)

    def look(self, resource: Resource, at: Callable[[Snapshot], T]) -> T:
        """Let `at` read the stage as it is now; raises ProdevalError."""
        credentials = self._credentials(resource.target.project)
        return self._open(resource.target.project, credentials).look(frozenset({resource.target.stage}), at)

    def check(self, resource: Resource, others: Iterable[Resource]) -> None:
        """Refuse, before any network call, what is not granted, owned by another or in conflict with another."""
        check_access(resource, self._tenancy.grants, self._tenancy.credentials_namespace)
        rivals = [other for other in others if other.key != resource.key and self._has_access(other)]
        check_owner(resource, rivals)
        check_agreement(resource, rivals)

    def _has_access(self, resource: Resource) -> bool:
        """A resource without access owns nothing, however old it is."""
        try:
            check_access(resource, self._tenancy.grants, self._tenancy.credentials_namespace)
        except AccessDeniedError:
            return False
        return True

    def _credentials(self, project: str) -> GitCredentials:
        secret = SECRET_PREFIX + project
        data = self._cluster.secret(self._tenancy.credentials_namespace, secret)
        credentials = parse_git_credentials(data, secret=secret)
        allowed = self._tenancy.allowed_hosts
        if allowed and credentials.host not in allowed:
            raise AccessDeniedError(
                f"Secret {secret!r} names host {credentials.host!r}, which is not among git.allowedHosts in the "
                "operator's config"
            )
        return credentials

    def _config_maps(self, resource: Resource) -> ConfigMaps:
        names = {source.name for source in resource.files if isinstance(source, ConfigMapFiles)}
        return {name: self._cluster.config_map(resource.key.namespace, name) for name in sorted(names)}
