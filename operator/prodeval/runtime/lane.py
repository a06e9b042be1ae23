"""One kind of work for many projects: which project may have its turn now, and for what.

A pure state machine over any one clock; the engine gives it the time and runs the turns.
"""

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

SLOW_SECONDS = 10.0
"""A turn that takes longer makes its project a slow one, until a turn of it is faster."""

_SLOW_SHARE = 4
_MOST_SHARE = 4


class Cause(IntEnum):
    """Why something is due; what a person waits for comes first."""

    CHANGE = 0
    TIME = 1
    START = 2


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one project, with all that is due in it."""

    project: str
    items: tuple[str, ...]


@dataclass(slots=True)
class _Entry:
    """When one item is due; up to `slack` seconds earlier it may go along with a turn that its project has anyway."""

    project: str
    due: float
    cause: Cause
    slack: float


class Lane:
    """Turns of many projects in a bounded number of places.

    One turn at a time for a project. Slow projects share a quarter of the places, and a turn that becomes slow while it
    runs gives its place to others (up to four times the places run then): a server that hangs delays no other project.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._entries: dict[str, _Entry] = {}
        self._projects: dict[str, set[str]] = {}
        self._queue: list[tuple[float, int, str]] = []
        self._order = itertools.count()
        self._running: dict[str, float] = {}
        self._slow: set[str] = set()
        self._held: dict[str, float] = {}
        self._ready: dict[str, tuple[Cause, float]] = {}

    def wake(self, project: str, item: str, due: float, cause: Cause, slack: float = 0.0) -> None:
        """Make an item due at a time; if it is due earlier already, that stays."""
        known = self._entries.get(item)
        if known is not None and known.project == project and known.due <= due:
            self._hasten(known, cause)
            return
        self.forget(item)
        self._entries[item] = _Entry(project, due, cause, slack)
        self._projects.setdefault(project, set()).add(item)
        heapq.heappush(self._queue, (due, next(self._order), item))

    def forget(self, item: str) -> None:
        """Drop an item that is gone; a turn that is under way with it goes on."""
        known = self._entries.pop(item, None)
        if known is None:
            return
        items = self._projects[known.project]
        items.discard(item)
        if not items:
            del self._projects[known.project]

    def hold(self, project: str, until: float) -> None:
        """Give a project no turn before a time, whatever is due: its server asked to be left alone."""
        self._held[project] = max(until, self._held.get(project, until))

    def take(self, now: float) -> Turn | None:
        """Begin the most urgent turn that may begin; None if there is none. It holds its place until `ended`."""
        self._tidy(now)
        self._collect(now)
        for project in sorted(self._ready, key=lambda name: self._ready[name]):
            if not self._may_begin(project, now):
                continue
            del self._ready[project]
            items = tuple(self._take_items(project, now))
            if items:  # else all of them are gone
                self._running[project] = now
                return Turn(project, items)
        return None

    def ended(self, project: str, now: float) -> None:
        """A turn is over, well or not."""
        seconds = now - self._running.pop(project)
        if seconds <= SLOW_SECONDS:
            self._slow.discard(project)
        else:
            self._slow.add(project)

    def next_due(self, now: float) -> float | None:
        """When a turn may begin next, unless one ends before; None if that is not a matter of time."""
        self._collect(now)
        times = [self._queue[0][0]] if self._queue else []
        times += [self._held[project] for project in self._ready if self._held.get(project, now) > now]
        if self._ready:  # who waits for a place gets one when a turn ends, or becomes slow
            times += [began + SLOW_SECONDS for began in self._running.values() if began + SLOW_SECONDS > now]
        return min(times, default=None)

    @property
    def running(self) -> int:
        """How many turns are under way."""
        return len(self._running)

    def _hasten(self, entry: _Entry, cause: Cause) -> None:
        """Something that is due already becomes more urgent."""
        if cause < entry.cause:
            entry.cause = cause
            if entry.project in self._ready:
                self._ready[entry.project] = min(self._ready[entry.project], (cause, entry.due))

    def _tidy(self, now: float) -> None:
        """Keep nothing of a hold that is over, nor of a project of which nothing is due or under way."""
        self._held = {project: until for project, until in self._held.items() if until > now}
        self._slow &= self._projects.keys() | self._running.keys()

    def _collect(self, now: float) -> None:
        """Move what became due from the queue to the projects that are ready."""
        while self._queue and self._queue[0][0] <= now:
            due, _, item = heapq.heappop(self._queue)
            entry = self._entries.get(item)
            if entry is not None and entry.due == due:  # else it was moved or dropped since
                urgency = (entry.cause, due)
                self._ready[entry.project] = min(urgency, self._ready.get(entry.project, urgency))

    def _may_begin(self, project: str, now: float) -> bool:
        if project in self._running or self._held.get(project, now) > now or self.running >= _MOST_SHARE * self._places:
            return False
        slow = sum(name in self._slow or now >= began + SLOW_SECONDS for name, began in self._running.items())
        if project in self._slow:
            return slow < max(1, self._places // _SLOW_SHARE)
        return self.running - slow < self._places

    def _take_items(self, project: str, now: float) -> Iterator[str]:
        """What is due, and what would be soon; a retry of one (which has no slack) takes nobody along."""
        items = self._projects.get(project, set())
        due = [item for item in items if self._entries[item].due <= now]
        if any(self._entries[item].slack for item in due):
            due += [item for item in items if now < self._entries[item].due <= now + self._entries[item].slack]
        for item in sorted(due):
            self.forget(item)
            yield item
