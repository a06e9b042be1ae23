"""Plans for several resources, one on top of another, without pushing anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prodeval.domain.errors import InvalidSpecError
from prodeval.domain.resource import Resource, StageFiles
from prodeval.domain.shipyard import check_agreement
from prodeval.domain.upstream import Change, Snapshot
from prodeval.service.planning import Plan, PlanSettings, make_plan
from prodeval.service.resolving import ConfigMaps


class Overlay:
    """A snapshot with changes on top; fulfils `domain.upstream.Snapshot`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._changed: dict[tuple[str, str], bytes] = {}

    @property
    def default_branch(self) -> str:
        """That of the snapshot."""
        return self._snapshot.default_branch

    @property
    def tips(self) -> Mapping[str, str]:
        """Those of the snapshot."""
        return self._snapshot.tips

    def exists(self, branch: str) -> bool:
        """As of the snapshot."""
        return self._snapshot.exists(branch)

    def read(self, branch: str, path: str) -> bytes | None:
        """The file's bytes with the changes made; None if it is absent."""
        changed = self._changed.get((branch, path))
        return self._snapshot.read(branch, path) if changed is None else changed

    def holds(self, branch: str, path: str, content: bytes) -> bool:
        """Whether the file has exactly these bytes."""
        changed = self._changed.get((branch, path))
        return self._snapshot.holds(branch, path, content) if changed is None else changed == content

    def list(self, branch: str, directory: str) -> tuple[str, ...]:
        """The files below a directory, recursively."""
        prefix = f"{directory}/" if directory else ""
        added = {path.removeprefix(prefix) for on, path in self._changed if on == branch and path.startswith(prefix)}
        return tuple(sorted({*self._snapshot.list(branch, directory), *added}))

    def add(self, changes: Iterable[Change]) -> None:
        """Put changes on top."""
        self._changed |= {(change.branch, change.path): change.content for change in changes}


@dataclass(frozen=True, slots=True)
class FilePreview:
    """A file before and after all plans.

    Attributes:
        before: None: it is new.
        withheld: whether policy Verify leaves it to a person.
    """

    branch: str
    path: str
    before: bytes | None
    after: bytes
    withheld: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be pushed for some resources, together."""

    plans: tuple[tuple[Resource, Plan], ...]
    files: tuple[FilePreview, ...]


def preview(
    resources: Iterable[Resource],
    snapshot: Snapshot,
    config_maps: Mapping[str, ConfigMaps],
    settings: PlanSettings,
) -> Preview:
    """Plan for each resource in turn; the first decides where they share a sequence.

    `config_maps` are by namespace. Raises ProdevalError naming what stands in the way.
    """
    overlay = Overlay(snapshot)
    plans: list[tuple[Resource, Plan]] = []
    withheld: dict[tuple[str, str], bool] = {}
    for resource in resources:
        _check_against(resource, [other for other, _ in plans])
        plan = make_plan(resource, overlay, config_maps[resource.key.namespace], settings)
        plans.append((resource, plan))
        for changes, is_withheld in ((plan.write.changes, False), (plan.withheld, True)):
            overlay.add(changes)
            withheld |= {(change.branch, change.path): is_withheld for change in changes}
    files = (
        FilePreview(branch, path, snapshot.read(branch, path), overlay.read(branch, path) or b"", is_withheld)
        for (branch, path), is_withheld in sorted(withheld.items())
    )
    return Preview(tuple(plans), tuple(file for file in files if file.before != file.after))


def _check_against(resource: Resource, earlier: list[Resource]) -> None:
    for other in earlier:
        if other.target == resource.target:
            raise InvalidSpecError(f"{resource.target} is judged by {other.key} already; delete one of the two")
    check_agreement(resource, earlier)


def branches(resources: Iterable[Resource]) -> frozenset[str]:
    """The branches that plans for resources need, as far as the resources tell."""
    stages = {resource.target.stage for resource in resources}
    sources = (source for resource in resources for source in resource.files if isinstance(source, StageFiles))
    return frozenset(stages | {source.name for source in sources})
