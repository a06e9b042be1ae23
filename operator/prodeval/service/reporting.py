"""The one way in which a status is written: from the newest body of the same object, and only if it changes."""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prodeval.domain.backoff import Backoff
from prodeval.domain.errors import StatusRefusedError
from prodeval.domain.json_values import JSON, JSONObject, as_object, as_text, child
from prodeval.domain.report import Report, build_status
from prodeval.domain.resource import Resource
from prodeval.domain.status_bounds import fit
from prodeval.service.announcing import announcements
from prodeval.service.clock import Clock, timestamp
from prodeval.service.notes import Notes
from prodeval.service.ports import Cluster
from prodeval.service.registry import Entry, Registry

logger = logging.getLogger(__name__)

_TRIES = 10
_LONGEST_REFUSAL = 600.0

Make = Callable[[Resource], Report | None]
"""From the newest state of a resource to what is new about it; None: nothing. Asked again when somebody else wrote."""

_Path = tuple[str, ...]


@dataclass(slots=True)
class _Refusal:
    """A status that the API refuses to take: how often, and when to try again."""

    failures: int
    until: float


class Reporter:
    """Writes statuses and tells people; safe to use from many threads.

    A status is computed from the newest body under a lock of its object, so what two lanes report of one moment is one
    history, and nothing that was computed for one object is written onto another that took its name.
    """

    def __init__(
        self, cluster: Cluster, registry: Registry, clock: Clock, clean: Callable[[str], str], bridge_url: str = ""
    ) -> None:
        self._cluster, self._registry, self._clock = cluster, registry, clock
        self._clean, self._bridge_url = clean, bridge_url
        self._locks: Notes[threading.Lock] = Notes(registry)
        self._refusals: Notes[_Refusal] = Notes(registry)
        self._pruned: set[_Path] = set()

    def report(self, uid: str, make: Make) -> bool:
        """Bring a status to what `make` says; one PATCH, none if nothing changes.

        Returns whether the status is as it should be, or the object is gone; False: report again later.
        Raises ClusterUnavailableError if the API as a whole is away.
        """
        with self._locks.setdefault(uid, threading.Lock()):
            refusal = self._refusals.get(uid)
            if refusal is not None and self._clock.monotonic() < refusal.until:
                return False
            try:
                return self._write(uid, make)
            except StatusRefusedError as error:
                self._refuse(uid, error)
                return False

    def preview(self, resource: Resource, report: Report) -> JSONObject:
        """The status that a report would leave, before it is cut to its bounds."""
        return build_status(resource, report, timestamp(self._clock.now()), self._bridge_url)

    def _write(self, uid: str, make: Make) -> bool:
        for _ in range(_TRIES):
            entry = self._registry.entry(uid)
            report = make(entry.resource) if entry is not None else None
            if entry is None or report is None:
                return True
            before = as_object(entry.body.get("status"))
            after = self._status(entry.resource, report)
            patch = merge_patch(before, after)
            if not patch:
                return True
            version = as_text(child(entry.body, "metadata", "resourceVersion"))
            written = self._cluster.patch_status(entry.resource.key, patch, version)
            if written is not None:
                self._written(entry, before, after, written)
                return True
            # Somebody wrote meanwhile, or the object is gone, or another one has its name.
            self._registry.shown(self._cluster.read(entry.resource.key), entry)
        raise StatusRefusedError("somebody else writes the status all the time")

    def _status(self, resource: Resource, report: Report) -> JSONObject:
        status = fit(self.preview(resource, report), self._clean)
        return as_object(_without(status, self._pruned, ())) if self._pruned else status

    def _written(self, entry: Entry, before: JSONObject, after: JSONObject, written: JSONObject) -> None:
        self._refusals.pop(entry.resource.uid)
        self._registry.put(written)
        self._learn_pruned(after, written)
        for one in announcements(before, after):
            self._cluster.post_event(written, one.kind, one.reason, one.message)

    def _refuse(self, uid: str, error: StatusRefusedError) -> None:
        refusal = self._refusals.get(uid) or _Refusal(0, 0.0)
        if refusal.failures == 0:
            entry = self._registry.entry(uid)
            logger.warning("The status of %s is not written: %s", entry.resource.key if entry else uid, error)
        wait = Backoff().seconds(
            refusal.failures,
            most=_LONGEST_REFUSAL,
            retry_after=error.retry_after,
            jitter=random.random(),  # noqa: S311 - spreads load
        )
        self._refusals.put(uid, _Refusal(refusal.failures + 1, self._clock.monotonic() + wait))

    def _learn_pruned(self, after: JSONObject, written: JSONObject) -> None:
        """What the server did not keep will not be sent again: its CRD does not know the field."""
        new = set(_missing(after, written.get("status"), ())) - self._pruned
        if new:
            self._pruned = self._pruned | new
            names = ", ".join(sorted("status." + ".".join(path).replace(".[]", "[]") for path in new))
            logger.warning("The CRD is older than this operator, %s is lost; run: kubectl apply -k crds/", names)


def merge_patch(before: JSONObject, after: JSONObject) -> dict[str, JSON]:
    """The JSON merge patch (RFC 7386) from one object to another; empty if they are equal."""
    patch: dict[str, JSON] = {name: None for name in before if name not in after}
    for name, value in after.items():
        old = before.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            deeper = merge_patch(old, value)
            if deeper:
                patch[name] = deeper
        elif old != value or name not in before:
            patch[name] = value
    return patch


def _missing(wanted: JSON, found: JSON, path: _Path) -> Iterator[_Path]:
    """Places of `wanted` that `found` lacks; `[]` stands for all entries of a list."""
    if isinstance(wanted, Mapping):
        for name, value in wanted.items():
            if isinstance(found, Mapping) and name in found:
                yield from _missing(value, found[name], (*path, name))
            else:
                yield (*path, name)
    elif isinstance(wanted, list | tuple) and isinstance(found, list | tuple):
        for one, other in zip(wanted, found, strict=False):
            yield from _missing(one, other, (*path, "[]"))


def _without(value: JSON, pruned: set[_Path], path: _Path) -> JSON:
    if isinstance(value, Mapping):
        return {
            name: _without(inner, pruned, (*path, name)) for name, inner in value.items() if (*path, name) not in pruned
        }
    if isinstance(value, list | tuple):
        return [_without(inner, pruned, (*path, "[]")) for inner in value]
    return value
