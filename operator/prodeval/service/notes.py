"""What a part remembers of each resource, for as long as it is there."""

from typing import Generic, TypeVar

from prodeval.service.registry import Entry, Registry

T = TypeVar("T")


class Notes(Generic[T]):
    """A value for each uid. Safe to use from many threads.

    A turn that is under way when its resource is deleted would write down more afterwards: that is not kept.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._values: dict[str, T] = {}
        registry.listen(self._heard)

    def get(self, uid: str) -> T | None:
        """The value; None if there is none."""
        return self._values.get(uid)

    def put(self, uid: str, value: T) -> None:
        """Remember a value."""
        self._values[uid] = value
        self._let_go(uid)

    def setdefault(self, uid: str, value: T) -> T:
        """The value that is there, else this one from now on."""
        kept = self._values.setdefault(uid, value)
        self._let_go(uid)
        return kept

    def pop(self, uid: str) -> None:
        """Forget the value, if there is one."""
        self._values.pop(uid, None)

    def _let_go(self, uid: str) -> None:
        # The registry drops an object before it tells: either it is seen to be gone here, or `_heard` comes later.
        if self._registry.entry(uid) is None:
            self.pop(uid)

    def _heard(self, now: Entry | None, before: Entry | None) -> None:
        if now is None and before is not None:
            self.pop(before.resource.uid)
