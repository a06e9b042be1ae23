"""Where kopf keeps its own notes: in `status.kopf`, the last handled spec as a digest only."""

import hashlib
import json
from collections.abc import Iterable
from typing import cast

import kopf

from prodeval.domain.resource import RECONCILE_REQUESTED


class DigestDiffBaseStorage(kopf.StatusDiffBaseStorage):
    """Remembers what was handled as one digest: of the spec, and of the annotation that asks for a sync now.

    Labels and other annotations are nobody's business here. A digest keeps a large spec from standing twice in etcd.
    """

    def build(
        self, *, body: kopf.Body, extra_fields: Iterable[str | tuple[str, ...] | list[str] | None] | None = None
    ) -> kopf.BodyEssence:
        """The essence that kopf compares and stores; `extra_fields` is for handlers of single fields: we have none."""
        del extra_fields
        asked = body.metadata.annotations.get(RECONCILE_REQUESTED, "")
        text = json.dumps([dict(body.spec), asked], sort_keys=True)
        return cast("kopf.BodyEssence", {"spec": {"digest": hashlib.sha256(text.encode()).hexdigest()}})
