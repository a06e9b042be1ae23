"""Who may name which Keptn project, and who owns a target."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from prodeval.domain.errors import AccessDeniedError, DuplicateTargetError
from prodeval.domain.resource import Resource


@dataclass(frozen=True, slots=True)
class Grant:
    """What the platform team grants for one project.

    Attributes:
        namespaces: globs of namespaces whose resources may name the project.
        services: globs of services that they may name.
    """

    namespaces: tuple[str, ...]
    services: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Who may name which project.

    Attributes:
        grants: by project.
        credentials_namespace: where the credentials are; resources there may name any project.
    """

    grants: Mapping[str, Grant]
    credentials_namespace: str

    def check(self, resource: Resource) -> None:
        """Raise AccessDeniedError unless the resource's namespace may name its project and service."""
        check_access(resource, self.grants, self.credentials_namespace)

    def allows(self, resource: Resource) -> bool:
        """Whether `check` passes; a resource without access owns nothing, however old it is, and is not judged."""
        try:
            self.check(resource)
        except AccessDeniedError:
            return False
        return True


def check_access(resource: Resource, grants: Mapping[str, Grant], credentials_namespace: str) -> None:
    """Raise AccessDeniedError unless the resource's namespace may name its project and service."""
    namespace, target = resource.key.namespace, resource.target
    if namespace == credentials_namespace:
        return
    grant = grants.get(target.project)
    if grant is None or not _matches(namespace, grant.namespaces):
        raise AccessDeniedError(
            f"project {target.project!r} is not granted to namespace {namespace!r}; ask the platform team to add it to "
            f"projects.{target.project}.namespaces in the operator's config"
        )
    if not _matches(target.service, grant.services):
        raise AccessDeniedError(
            f"service {target.service!r} of project {target.project!r} is not granted to namespace {namespace!r}; "
            f"ask the platform team to add it to projects.{target.project}.services in the operator's config"
        )


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def check_owner(resource: Resource, others: Iterable[Resource]) -> None:
    """Raise DuplicateTargetError if an older resource has the same target (oldest first, then lowest uid)."""
    rivals = [other for other in others if other.target == resource.target]
    owner = min([resource, *rivals], key=seniority)
    if owner.uid != resource.uid:
        raise DuplicateTargetError(
            f"{resource.target} is already judged by {owner.key}; "
            "delete one of the two, or name another service or stage"
        )


def seniority(resource: Resource) -> tuple[str, str]:
    """The order in which resources own what they share."""
    return resource.created, resource.uid
