"""What Git says about the files behind one evaluation."""

from collections.abc import Callable, Iterator

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.files import sha256
from prodeval.domain.json_values import as_text, child
from prodeval.domain.paths import SLI, SLO, Layout, Place, place
from prodeval.domain.resource import Resource
from prodeval.domain.upstream import Snapshot
from prodeval.domain.verdict import FileFacts, Found
from prodeval.service.resolving import managed_files, reader, shared_places
from prodeval.service.upstreams import Upstreams


class FileReader:
    """Reads the stage's files at its tip."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams

    def look(self, resource: Resource, found: Found) -> FileFacts:
        """The facts about one evaluation. Raises ProdevalError if Git does not answer."""
        repository, _ = self._upstreams.open(resource.target.project)
        stage = frozenset({resource.target.stage})
        return repository.look(stage, lambda snapshot: _facts(resource, found, snapshot))


def _facts(resource: Resource, found: Found, snapshot: Snapshot) -> FileFacts:
    where = _stage_place(resource, snapshot)
    read = reader(snapshot, where, resource.target.service)
    changed = dict.fromkeys((*_changed(resource, snapshot, where), *_changed_meanwhile(resource, found)))
    return FileFacts(_slo_sha256(resource, found, snapshot.tips.get(where.branch, ""), read), tuple(changed))


def _changed(resource: Resource, snapshot: Snapshot, where: Place) -> Iterator[str]:
    """What judges the service and is no longer as the last sync left or found it, in words."""
    shared = shared_places(where, snapshot.default_branch)
    known = {(file.path, file.origin if file.origin in shared else ""): file.sha256 for file in managed_files(resource)}
    watched = {*known, (SLI, ""), *((SLI, origin) for origin in shared)}
    for path, origin in sorted(watched):
        level = shared.get(origin)
        place_of = level.root + path if level else where.of(resource.target.service, path)
        if known.get((path, origin), "") != _digest(snapshot, level.branch if level else where.branch, place_of):
            yield f"{path} ({origin.rpartition('/')[2]} level)" if level else path


def _digest(snapshot: Snapshot, branch: str, path: str) -> str:
    """The digest of a file; empty if there is none, and no digest if something else is in its place."""
    try:
        content = snapshot.read(branch, path)
    except InvalidFileError:
        return "not a file"
    return sha256(content) if content is not None else ""


def _changed_meanwhile(resource: Resource, found: Found) -> Iterator[str]:
    """What a sync found or made different after the run had begun; it took the new content for the managed one."""
    candidate = found.candidate
    begun = candidate.run.trigger.time if candidate.run else candidate.triggered.time
    for file in managed_files(resource):
        if file.changed_at is not None and file.changed_at > begun:
            yield file.path


def _slo_sha256(resource: Resource, found: Found, tip: str, read: Callable[[str], bytes | None]) -> str | None:
    """The digest of slo.yaml at the found commit: known where that is the tip, or where nothing changed until now."""
    try:
        content = read(SLO)
    except InvalidFileError:
        return None
    now = sha256(content) if content is not None else ""
    if found.commit == tip:
        return now
    ours = next((file for file in managed_files(resource) if file.path == SLO), None)
    is_older = ours is not None and (ours.changed_at is None or ours.changed_at < found.candidate.time)
    return now if ours is not None and is_older and now == ours.sha256 else None


def _stage_place(resource: Resource, snapshot: Snapshot) -> Place:
    layout = as_text(child(resource.status, "resolved", "layout"), Layout.BRANCH.value)
    return place(Layout(layout), resource.target.stage, snapshot.default_branch)
