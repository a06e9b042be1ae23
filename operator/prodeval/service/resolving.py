"""From the sources that a resource names to the files that it wants."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from prodeval.domain.errors import DependencyNotReadyError
from prodeval.domain.events import parse_time
from prodeval.domain.files import (
    ManagedFile,
    WantedFile,
    config_map_files,
    inline_file,
    merge_sources,
    ownership,
    sha256,
    stage_files,
    well_known_items,
)
from prodeval.domain.json_values import as_list, as_object, as_text, child
from prodeval.domain.paths import (
    METADATA,
    SLI,
    SLO,
    Layout,
    Place,
    check_path,
    is_plain_path,
    is_well_known,
    place,
    stage_directory,
)
from prodeval.domain.resource import ConfigMapFiles, FileSource, InlineFile, Resource, StageFiles
from prodeval.domain.shipyard import triggering_stage
from prodeval.domain.upstream import Change, Snapshot

ConfigMaps = Mapping[str, Mapping[str, bytes]]
"""The data of each ConfigMap that a resource names."""


@dataclass(frozen=True, slots=True)
class View:
    """A snapshot, and how Keptn lays stages out in it."""

    snapshot: Snapshot
    layout: Layout

    def place(self, stage: str) -> Place:
        """Where a stage stands; raises DependencyNotReadyError if it is not there."""
        where = place(self.layout, stage, self.snapshot.default_branch)
        if self.snapshot.exists(where.branch):
            return where
        raise DependencyNotReadyError(
            f"stage {stage!r} has no branch in the upstream; Keptn makes it when a project is created with that stage "
            "in its shipyard"
        )


def view(snapshot: Snapshot, stage: str, layout: Layout | None) -> View:
    """Look at a snapshot; the layout is that of the config, else what the default branch shows."""
    if layout is None:
        is_directory = bool(snapshot.list(snapshot.default_branch, stage_directory(stage)))
        layout = Layout.DIRECTORY if is_directory else Layout.BRANCH
    return View(snapshot, layout)


def check_service(resource: Resource, seen: View) -> Place:
    """Where the resource's stage stands; raises DependencyNotReadyError unless Keptn knows the service there."""
    target = resource.target
    where = seen.place(target.stage)
    if METADATA not in seen.snapshot.list(where.branch, where.of(target.service).rstrip("/")):
        raise DependencyNotReadyError(
            f"service {target.service!r} is not in stage {target.stage!r} of the upstream; "
            f"make it with: keptn create service {target.service} --project={target.project}"
        )
    return where


@dataclass(frozen=True, slots=True)
class Resolved:
    """What sources give.

    Attributes:
        left_out: files that were only met, not named, and whose names cannot be written: `stage/qa 'locust/.gitkeep'`.
    """

    files: tuple[WantedFile, ...]
    left_out: tuple[str, ...] = ()


def resolve_files(resource: Resource, seen: View, shipyard: str, config_maps: ConfigMaps) -> Resolved:
    """All files that the resource's sources give, later ones winning; raises DependencyNotReadyError."""
    sources = resource.files or _default_sources(resource, seen, shipyard)
    found = [_source_files(source, resource, seen, config_maps) for source in sources]
    left_out = (name for one in found for name in one.left_out)
    return Resolved(merge_sources(one.files for one in found), tuple(dict.fromkeys(left_out)))


def _source_files(source: FileSource, resource: Resource, seen: View, config_maps: ConfigMaps) -> Resolved:
    match source:
        case InlineFile():
            return Resolved((inline_file(source),))
        case ConfigMapFiles():
            return _from_config_map(source, config_maps[source.name])
        case StageFiles():
            return _copied(source, resource.target.service, seen)


def _from_config_map(source: ConfigMapFiles, data: Mapping[str, bytes]) -> Resolved:
    met = () if source.items else well_known_items(data)
    plain = tuple((key, path) for key, path in met if is_plain_path(path))
    files = config_map_files(source.name, source.items or plain, data)
    odd = (key for key, path in met if not is_plain_path(path))
    return Resolved(files, tuple(f"configMap/{source.name} {key!r}" for key in odd))


def _copied(source: StageFiles, service: str, seen: View) -> Resolved:
    where = seen.place(source.name)
    listing = () if source.paths else seen.snapshot.list(where.branch, where.of(service).rstrip("/"))
    met = [path for path in listing if is_well_known(path)]
    plain = [path for path in met if is_plain_path(path)]
    read = reader(seen.snapshot, where, service)
    files = stage_files(source.name, source.paths or plain, read, named=bool(source.paths))
    return Resolved(files, tuple(f"stage/{source.name} {path!r}" for path in met if path not in plain))


def reader(snapshot: Snapshot, where: Place, service: str) -> Callable[[str], bytes | None]:
    """Reads a service's files by their path relative to the service."""
    return lambda path: snapshot.read(where.branch, where.of(service, path))


def _default_sources(resource: Resource, seen: View, shipyard: str) -> tuple[FileSource, ...]:
    """Nothing if production has an slo.yaml of its own, else the stage that triggers this one."""
    target = resource.target
    own = reader(seen.snapshot, seen.place(target.stage), target.service)(SLO)
    source = triggering_stage(shipyard, target.stage, resource.shipyard.sequence)
    if source is None and own is None:
        raise DependencyNotReadyError(
            f"stage {target.stage!r} has no slo.yaml for {target.service!r}, and no other stage triggers "
            f"{target.stage}.{resource.shipyard.sequence}; name the files in spec.files"
        )
    if source is None:
        return ()
    copies = _copied(StageFiles(source), target.service, seen)
    slo = next((file for file in copies.files if file.path == SLO), None)
    if slo is None and own is None:
        raise DependencyNotReadyError(
            f"neither stage {target.stage!r} nor stage {source!r} has an slo.yaml for {target.service!r}; "
            f"add one to stage {source!r}, or name the files in spec.files"
        )
    is_theirs = slo is None or ownership(slo, own, written_digests(resource)) == "Keep"
    return () if is_theirs else (StageFiles(source),)


def written_digests(resource: Resource) -> Mapping[str, str]:
    """The digests of the files that we wrote earlier, by path, from the status."""
    return {file.path: file.sha256 for file in managed_files(resource) if not file.origin.startswith(OWN)}


OWN = "own"
"""The origin of a file that somebody else wrote and that is kept."""


def managed_files(resource: Resource) -> tuple[ManagedFile, ...]:
    """The files that the last sync left, from the status."""
    entries = map(as_object, as_list(child(resource.status, "sync", "files")))
    return tuple(
        ManagedFile(
            path=as_text(entry.get("path")),
            sha256=as_text(entry.get("sha256")),
            origin=as_text(entry.get("from")),
            changed_at=parse_time(as_text(entry.get("changedAt"))),
            previous=as_text(entry.get("previousSHA256")),
        )
        for entry in entries
    )


def sort_out(
    resource: Resource, seen: View, wanted: tuple[WantedFile, ...], writable: tuple[str, ...]
) -> tuple[tuple[Change, ...], tuple[ManagedFile, ...]]:
    """What is to be written, and what the stage then holds for us; raises InvalidSpecError for a path not ours."""
    target = resource.target
    where, written = seen.place(target.stage), written_digests(resource)
    read = reader(seen.snapshot, where, target.service)
    changes: list[Change] = []
    managed = [*_own_files(read, {file.path for file in wanted}), *_shared_files(seen.snapshot, where)]
    for file in wanted:
        check_path(file.path, writable)
        found = read(file.path)
        owner = ownership(file, found, written)
        if owner == "Keep" and found is not None:
            managed.append(ManagedFile(file.path, sha256(found), OWN))
            continue
        managed.append(ManagedFile(file.path, sha256(file.content), file.origin))
        if owner == "Write":
            changes.append(Change(where.branch, where.of(target.service, file.path), file.content))
    return tuple(changes), tuple(sorted(managed, key=lambda file: (file.path, file.origin)))


def _own_files(read: Callable[[str], bytes | None], wanted: Collection[str]) -> list[ManagedFile]:
    """What judges the service beside the wanted files, so that a change of it is noticed."""
    found = ((path, read(path)) for path in (SLO, SLI) if path not in wanted)
    return [ManagedFile(path, sha256(content), OWN) for path, content in found if content is not None]


def shared_places(where: Place, default_branch: str) -> Mapping[str, Place]:
    """Where Keptn merges a service's sli.yaml with others, by the origin that such a file has in a status."""
    return {f"{OWN}/stage": where, f"{OWN}/project": Place(default_branch, "")}


def _shared_files(snapshot: Snapshot, where: Place) -> list[ManagedFile]:
    places = shared_places(where, snapshot.default_branch)
    found = ((origin, snapshot.read(level.branch, level.root + SLI)) for origin, level in places.items())
    return [ManagedFile(SLI, sha256(content), origin) for origin, content in found if content is not None]
