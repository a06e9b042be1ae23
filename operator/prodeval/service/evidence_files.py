"""What Git says about the files behind one evaluation."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from prodeval.domain.errors import ProdevalError
from prodeval.domain.files import sha256
from prodeval.domain.json_values import as_text, child
from prodeval.domain.paths import SLI, SLO, Layout, Place, place
from prodeval.domain.resource import Resource
from prodeval.domain.upstream import Snapshot
from prodeval.domain.verdict import FileFacts, Found
from prodeval.service.resolving import managed_files, reader, shared_places
from prodeval.service.syncing import Syncer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """The facts, and whether Git could be asked; if not, it is worth to ask again."""

    facts: FileFacts
    complete: bool


class FileReader:
    """Reads the stage's files at its tip."""

    def __init__(self, syncer: Syncer) -> None:
        self._syncer = syncer

    def look(self, resource: Resource, found: Found) -> Looked:
        """The facts about one evaluation; what Git does not tell is unknown."""
        try:
            facts = self._syncer.look(resource, lambda snapshot: _facts(resource, found, snapshot))
        except ProdevalError as error:
            logger.warning("%s: the files behind the evaluation are unknown: %s", resource.key, error)
            return Looked(FileFacts(), complete=False)
        return Looked(facts, complete=True)


def _facts(resource: Resource, found: Found, snapshot: Snapshot) -> FileFacts:
    where = _stage_place(resource, snapshot)
    read = reader(snapshot, where, resource.target.service)
    changed = tuple(_changed(resource, snapshot, where))
    return FileFacts(_slo_sha256(resource, found, snapshot.tips.get(where.branch, ""), read(SLO)), changed)


def _changed(resource: Resource, snapshot: Snapshot, where: Place) -> Iterator[str]:
    """What judges the service and is no longer as the last sync left or found it, in words."""
    shared = shared_places(where, snapshot.default_branch)
    known = {(file.path, file.origin if file.origin in shared else ""): file.sha256 for file in managed_files(resource)}
    watched = {*known, (SLI, ""), *((SLI, origin) for origin in shared)}
    for path, origin in sorted(watched):
        level = shared.get(origin)
        place_of = level.root + path if level else where.of(resource.target.service, path)
        content = snapshot.read(level.branch if level else where.branch, place_of)
        if known.get((path, origin), "") != (sha256(content) if content is not None else ""):
            yield f"{path} ({origin.rpartition('/')[2]} level)" if level else path


def _slo_sha256(resource: Resource, found: Found, tip: str, at_tip: bytes | None) -> str | None:
    """The digest of slo.yaml at the found commit: known where that is the tip, or what we left or found."""
    now = sha256(at_tip) if at_tip else ""
    ours = next((file.sha256 for file in managed_files(resource) if file.path == SLO), None)
    revision = as_text(child(resource.status, "sync", "stageRevision")).rpartition(":")[2]
    if found.commit == tip or now == ours:
        return now
    return ours if found.commit in {revision, ""} else None


def _stage_place(resource: Resource, snapshot: Snapshot) -> Place:
    layout = as_text(child(resource.status, "resolved", "layout"), Layout.BRANCH.value)
    return place(Layout(layout), resource.target.stage, snapshot.default_branch)
