"""What Git says about the files behind one evaluation."""

import logging
from dataclasses import dataclass

from prodeval.domain.errors import ProdevalError
from prodeval.domain.files import sha256
from prodeval.domain.json_values import as_text, child
from prodeval.domain.paths import Layout, Place, place
from prodeval.domain.resource import Resource
from prodeval.domain.upstream import Snapshot
from prodeval.domain.verdict import FileFacts, Found
from prodeval.service.resolving import managed_files, reader
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
    known = managed_files(resource)
    changed = tuple(file.path for file in known if sha256(read(file.path) or b"") != file.sha256)
    return FileFacts(slo=None, changed=changed)


def _stage_place(resource: Resource, snapshot: Snapshot) -> Place:
    layout = as_text(child(resource.status, "resolved", "layout"), Layout.BRANCH.value)
    return place(Layout(layout), resource.target.stage, snapshot.default_branch)
