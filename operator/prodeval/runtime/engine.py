"""Runs turns: hears of resources, decides what is due when, and starts what may begin."""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from prodeval.domain.backoff import Backoff
from prodeval.domain.conditions import read_condition
from prodeval.domain.json_values import JSONObject
from prodeval.domain.resource import Resource
from prodeval.runtime.lane import Cause, Lane, Turn
from prodeval.service.clock import Clock
from prodeval.service.observe_turn import ObserveTurns
from prodeval.service.registry import Entry, Registry
from prodeval.service.sweep import Sweep
from prodeval.service.sync_turn import SyncTurns
from prodeval.service.turns import Again, TurnEnd

logger = logging.getLogger(__name__)

SYNC_PLACES, OBSERVE_PLACES = 16, 16
SWEEP_SECONDS = 300.0
SWEEP_AFTER_START = 30.0
_AFTER_FAULT, _LONGEST_AFTER_FAULT = 15.0, 600.0
"""Seconds until a turn is tried again that ended in an error of ours, the first time and in the long run."""
_LONGEST_WAIT = 1.0
"""Seconds between two looks at what is due, so that a look that stands still is noticed."""

_WAITING = frozenset({"DuplicateTarget", "ShipyardConflict"})

Start = Callable[[Callable[[], None]], None]
"""Runs some work in a thread of its own, or wherever a test wants it."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What one lane's turns do.

    Attributes:
        faults: how many turns in a row ended in an error of ours, by project.
    """

    lane: Lane
    turn: Callable[[Turn], TurnEnd]
    faults: dict[str, int] = field(default_factory=dict)


class Engine:
    """Two lanes and a sweep. Safe to use from many threads; `tick` is called by one."""

    def __init__(
        self, registry: Registry, sync: SyncTurns, observe: ObserveTurns, sweep: Sweep, clock: Clock, start: Start
    ) -> None:
        self._registry, self._sync, self._observe = registry, sync, observe
        self._sweep, self._clock, self._start = sweep, clock, start
        self._syncs, self._looks, self._sweeps = Lane(SYNC_PLACES), Lane(OBSERVE_PLACES), Lane(1)
        self._works = (
            _Work(self._syncs, lambda turn: sync.turn(turn.project, turn.items)),
            _Work(self._looks, lambda turn: observe.turn(turn.project)),
            _Work(self._sweeps, self._swept),
        )
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._ending = False
        self._ticked = clock.monotonic()
        registry.listen(self._heard)
        self._sweeps.wake("", "", clock.monotonic() + SWEEP_AFTER_START, Cause.TIME)

    def told(self, kind: str | None, body: JSONObject, uid: str) -> None:
        """What the watch says: `DELETED`, anything else, or None for what is there already."""
        if kind == "DELETED":
            self._registry.drop(uid)
        else:
            self._registry.put(body)

    def run(self) -> None:
        """Start turns until `stop`; the dispatcher's thread."""
        while not self._ending:
            self._due.clear()
            self._due.wait(min(self.tick(), _LONGEST_WAIT))

    def stop(self) -> None:
        """Begin no more turns; those under way report no failures any more."""
        self._ending = True
        self._sync.stop()
        self._observe.stop()
        self._due.set()

    @property
    def age(self) -> float:
        """Seconds since the dispatcher last looked at what is due: it never waits for a server."""
        return self._clock.monotonic() - self._ticked

    def tick(self) -> float:
        """Start all turns that may begin; returns the seconds until there is something to look at again."""
        now = self._ticked = self._clock.monotonic()
        for work in self._works:
            while turn := self._take(work.lane, now):
                self._start(partial(self._run, work, turn))
        with self._lock:
            times = [work.lane.next_due(now) for work in self._works]
        return min((time - now for time in times if time is not None), default=_LONGEST_WAIT)

    def _take(self, lane: Lane, now: float) -> Turn | None:
        with self._lock:
            return None if self._ending else lane.take(now)

    def _run(self, work: _Work, turn: Turn) -> None:
        """One turn in a thread of its own: whatever happens in it, its place is given back and the work comes again."""
        try:
            end = work.turn(turn)
            work.faults.pop(turn.project, None)
        except Exception:
            logger.exception("A turn of project %r failed; will be tried again", turn.project)
            end = TurnEnd(dict.fromkeys(turn.items, Again(_after_fault(work, turn.project))))
        self._ended(work, turn, end)
        self._due.set()

    def _ended(self, work: _Work, turn: Turn, end: TurnEnd) -> None:
        now = self._clock.monotonic()
        with self._lock:
            work.lane.ended(turn.project, now)
            for item, again in end.again.items():
                if work.lane is not self._syncs or self._is_in(turn.project, item):
                    work.lane.wake(turn.project, item, now + again.seconds, Cause.TIME, again.slack)
            if end.hold:
                work.lane.hold(turn.project, now + end.hold)
            if end.news:
                self._looks.wake(turn.project, turn.project, now, Cause.CHANGE)

    def _is_in(self, project: str, uid: str) -> bool:
        """Whether a resource is there and of a project: a spec that becomes readable during a turn moves it."""
        resource = self._registry.get(uid)
        return resource is not None and resource.target.project == project

    def _swept(self, turn: Turn) -> TurnEnd:
        self._sweep.turn()
        return TurnEnd(dict.fromkeys(turn.items, Again(SWEEP_SECONDS)))

    def _heard(self, now: Entry | None, before: Entry | None) -> None:
        """Something is new, changed or gone: make due what follows from it."""
        if now is None:
            if before is not None:
                self._gone(before.resource)
            return
        if before is None:
            self._wake(now.resource, Cause.START if "conditions" in now.resource.status else Cause.CHANGE)
            self._wake_rivals(now.resource)
        elif _asks_for_more(now.resource, before.resource):
            self._wake(now.resource, Cause.CHANGE)
            self._wake_rivals(now.resource)

    def _wake(self, resource: Resource, cause: Cause) -> None:
        project, now = resource.target.project, self._clock.monotonic()
        with self._lock:
            self._syncs.wake(project, resource.uid, now, cause)
            self._looks.wake(project, project, now, cause)
        self._due.set()

    def _wake_rivals(self, resource: Resource) -> None:
        """Those that share a target or a sequence: who owns it, or may, can be another one now."""
        for other in self._registry.project(resource.target.project):
            if other.uid != resource.uid and (other.target == resource.target or _waits_for_another(other)):
                self._wake(other, Cause.CHANGE)

    def _gone(self, resource: Resource) -> None:
        with self._lock:
            self._syncs.forget(resource.uid)
        self._wake_rivals(resource)


def _after_fault(work: _Work, project: str) -> float:
    """Seconds until a turn is tried again, more with each fault in a row."""
    failures = work.faults[project] = work.faults.get(project, 0) + 1
    jitter = random.random()  # noqa: S311 - spreads load
    return Backoff(first=_AFTER_FAULT).seconds(failures, most=_LONGEST_AFTER_FAULT, retry_after=None, jitter=jitter)


def _asks_for_more(now: Resource, before: Resource) -> bool:
    """Whether somebody changed what is wanted, asks for a sync, or threw the status away."""
    wish = (now.generation, now.reconcile_requested)
    is_lost = "conditions" in before.status and "conditions" not in now.status
    return is_lost or wish != (before.generation, before.reconcile_requested)


def _waits_for_another(resource: Resource) -> bool:
    synced = read_condition(resource.status, "Synced")
    return synced is not None and synced.reason in _WAITING
