"""When each resource is to be reconciled again."""

from collections.abc import Iterable
from dataclasses import dataclass

from prodeval.domain.resource import ResourceKey


@dataclass(frozen=True, slots=True)
class _Entry:
    project: str
    due: float
    interval: float


class Schedule:
    """Due times in seconds of any one clock.

    Resources of one project go together where their intervals allow, so that one look at the upstream serves them all.
    """

    def __init__(self) -> None:
        self._entries: dict[ResourceKey, _Entry] = {}

    def put(self, key: ResourceKey, project: str, due: float, interval: float) -> None:
        """Set when a resource is due; `interval` is its usual distance in seconds."""
        self._entries[key] = _Entry(project, due, interval)

    def drop(self, key: ResourceKey) -> None:
        """Forget a resource."""
        self._entries.pop(key, None)

    def take(self, now: float) -> tuple[ResourceKey, ...]:
        """Remove and return what is due, and what of the same projects would be before half its interval is over."""
        due = {entry.project for entry in self._entries.values() if entry.due <= now}
        taken = tuple(
            key
            for key, entry in self._entries.items()
            if entry.project in due and entry.due <= now + entry.interval / 2
        )
        self._drop_all(taken)
        return taken

    def _drop_all(self, keys: Iterable[ResourceKey]) -> None:
        for key in keys:
            self.drop(key)
