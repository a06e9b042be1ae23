"""All resources that the operator knows, by uid: as the watch told them, or as our own writes left them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from prodeval.domain.errors import InvalidSpecError
from prodeval.domain.json_values import JSONObject, as_object, child
from prodeval.domain.resource import Identity, Resource, ResourceKey, read_resource, unreadable_resource, version_number
from prodeval.service.clock import Clock

_MOST_TOMBSTONES = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One object.

    Attributes:
        body: whole but for managedFields, which nobody here reads and which are most of it.
        problem: why the spec cannot be read; the resource then has no target.
        told: when the API server last showed this object, on the monotonic clock.
    """

    body: JSONObject
    resource: Resource
    problem: InvalidSpecError | None
    told: float

    @property
    def version(self) -> int:
        """The resourceVersion, which grows with each write to any object of a kind; 0 if it is no number."""
        return version_number(as_object(self.body.get("metadata")))


Listener = Callable[[Entry | None, Entry | None], None]
"""Hears of one object as it is now (None: it is gone) and as it was known before (None: it is new)."""


class Registry:
    """The newest body of each object. Safe to use from many threads.

    The watch may tell things late, twice, in another order or not at all: so an object is its uid and not its name,
    only what is newer counts, and who was deleted never comes back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: list[Listener] = []
        self._entries: dict[str, Entry] = {}
        self._uids: dict[ResourceKey, str] = {}
        self._projects: dict[str, dict[str, Resource]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def listen(self, listener: Listener) -> None:
        """Tell somebody of each object that is new, changed or gone, in the thread that learned it."""
        self._listeners.append(listener)

    def put(self, body: JSONObject) -> Entry | None:
        """Remember a body; None if nothing newer is in it, or if its object is gone."""
        entry = _entry(body, self._clock.monotonic())
        uid = entry.resource.uid
        with self._lock:
            before, holder = self._entries.get(uid), self._holder(entry.resource.key)
            if uid in self._gone or any(one and one.version >= entry.version for one in (before, holder)):
                return None
            replaced = holder if holder is not None and holder.resource.uid != uid else None
            if replaced is not None:
                self._bury(replaced.resource.uid)
                self._remove(replaced)
            self._place(entry)
        if replaced is not None:
            self._tell(None, replaced)
        self._tell(entry, before)
        return entry

    def correct(self, body: JSONObject, known: Entry) -> bool:
        """Take over the body of an object as it was read after `known`, even an older one: the API was restored.

        Nothing happens if the registry has moved on since `known`; tells whether the body was taken.
        """
        entry = _entry(body, self._clock.monotonic())
        with self._lock:
            if self._entries.get(entry.resource.uid) is not known:
                return False
            self._place(entry)
        self._tell(entry, known)
        return True

    def shown(self, body: JSONObject | None, known: Entry | None) -> None:
        """Believe what the API server showed under a name, None for nothing.

        `known` is what was known of the name when the server was asked, so that nothing older is believed.
        """
        is_same = known is not None and child(body, "metadata", "uid") == known.resource.uid
        if known is not None and not is_same:
            self.drop(known.resource.uid)
        if body is not None and self.put(body) is None and known is not None and is_same:
            self.correct(body, known)

    def is_gone(self, uid: str) -> bool:
        """Whether an object was deleted, as far as is remembered."""
        return uid in self._gone

    def revive(self, uid: str) -> None:
        """An object that was deleted is there again, as only a restore of the API server can make it."""
        with self._lock:
            self._gone.pop(uid, None)

    def confirm(self, uid: str) -> None:
        """The API server just showed that the object is there, unchanged or not."""
        with self._lock:
            entry = self._entries.get(uid)
            if entry is not None:
                self._entries[uid] = replace(entry, told=self._clock.monotonic())

    def drop(self, uid: str) -> Entry | None:
        """Forget an object that is gone; what is told of it later is ignored. Returns what was known of it."""
        with self._lock:
            self._bury(uid)
            entry = self._entries.get(uid)
            if entry is not None:
                self._remove(entry)
        if entry is not None:
            self._tell(None, entry)
        return entry

    def entry(self, uid: str) -> Entry | None:
        """What is known of an object; None if it is gone."""
        return self._entries.get(uid)

    def get(self, uid: str) -> Resource | None:
        """The newest state of an object; None if it is gone. One that cannot be read has no target."""
        entry = self._entries.get(uid)
        return None if entry is None else entry.resource

    def project(self, name: str) -> tuple[Resource, ...]:
        """All resources of a Keptn project, whoever may name it; "" has those that cannot be read."""
        with self._lock:
            return tuple(self._projects.get(name, {}).values())

    def identities(self) -> Mapping[ResourceKey, Identity]:
        """Who has which name, as of now."""
        with self._lock:
            return {key: Identity(uid, self._entries[uid].version) for key, uid in self._uids.items()}

    def _tell(self, now: Entry | None, before: Entry | None) -> None:
        for listener in self._listeners:
            listener(now, before)

    def _bury(self, uid: str) -> None:
        self._gone[uid] = None
        if len(self._gone) > _MOST_TOMBSTONES:
            self._gone.popitem(last=False)

    def _holder(self, key: ResourceKey) -> Entry | None:
        uid = self._uids.get(key)
        return None if uid is None else self._entries.get(uid)

    def _place(self, entry: Entry) -> None:
        resource = entry.resource
        before = self._entries.get(resource.uid)
        if before is not None and before.resource.target.project != resource.target.project:
            self._leave_project(before.resource)
        self._entries[resource.uid] = entry
        self._uids[resource.key] = resource.uid
        self._projects.setdefault(resource.target.project, {})[resource.uid] = resource

    def _remove(self, entry: Entry) -> None:
        resource = entry.resource
        self._entries.pop(resource.uid, None)
        del self._uids[resource.key]
        self._leave_project(resource)

    def _leave_project(self, resource: Resource) -> None:
        members = self._projects.get(resource.target.project, {})
        members.pop(resource.uid, None)
        if not members:
            self._projects.pop(resource.target.project, None)


def _entry(body: JSONObject, told: float) -> Entry:
    metadata = {name: value for name, value in as_object(body.get("metadata")).items() if name != "managedFields"}
    slim = {**body, "metadata": metadata}
    try:
        return Entry(slim, read_resource(slim), None, told)
    except InvalidSpecError as error:
        return Entry(slim, unreadable_resource(slim), error, told)
