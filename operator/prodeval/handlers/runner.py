"""Runs the use cases beside kopf: in threads, one at a time for each resource, again when they are due."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor

from prodeval.domain.resource import ResourceKey
from prodeval.handlers.heartbeat import Heartbeat
from prodeval.handlers.posting import EventPoster
from prodeval.service.observe import Observer
from prodeval.service.reconcile import Reconciler
from prodeval.service.refreshing import Refresher
from prodeval.service.registry import Registry
from prodeval.service.schedule import Schedule

logger = logging.getLogger(__name__)

_THREADS = 30
_LOOK = 1.0
"""Seconds between two looks at the schedule."""
_AFTER_ERROR = 15.0
"""Seconds until the poller tries again after an error of its own."""


class Runner:
    """The operator beside kopf. All public methods are called on the event loop."""

    def __init__(
        self,
        registry: Registry,
        reconciler: Reconciler,
        observer: Observer,
        refresher: Refresher,
        poster: EventPoster,
        close: Callable[[], None],
    ) -> None:
        self.registry, self.poster = registry, poster
        self.poller, self.scheduler = Heartbeat("the poller of results"), Heartbeat("the scheduler of syncs")
        self._reconciler, self._observer, self._close = reconciler, observer, close
        self._refresher = refresher
        self._schedule = Schedule()
        self._locks: dict[ResourceKey, asyncio.Lock] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="prodeval")
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = False
        self._wake = threading.Event()

    def start(self) -> None:
        """Begin to poll results and to reconcile what is due."""
        # A daemon: a Keptn that hangs must not hold the exit. A turn only reads, and writes what the next one would.
        threading.Thread(target=self._poll_results, name="prodeval-results", daemon=True).start()
        # A thread of its own: a read lets Keptn ask the Git server, and no verdict is to wait for that.
        threading.Thread(target=self._refresh_keptn, name="prodeval-refresh", daemon=True).start()
        self._spawn(self._reconcile_due())

    async def stop(self) -> None:
        """End the loops, and close the connections so that the threads in flight end too."""
        self._ending = True
        self._wake.set()
        for task in tuple(self._tasks):
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._close)

    async def reconcile(self, key: ResourceKey) -> None:
        """Reconcile the newest state of a resource; calls for one resource wait for each other."""
        async with self._locks.setdefault(key, asyncio.Lock()):
            loop = asyncio.get_running_loop()
            again = await loop.run_in_executor(self._threads, self._reconciler.reconcile, key)
        if self._observer.has_unread(key):
            self._wake.set()
        if again is not None:
            self._schedule.put(key, again.project, time.monotonic() + again.seconds, again.interval)

    def forget(self, key: ResourceKey) -> None:
        """Drop all that is remembered of a resource that is gone; those that waited for its place are tried at once."""
        self._schedule.drop(key)
        self._locks.pop(key, None)
        for heir in self._reconciler.forget(key):
            self._spawn(self.reconcile(heir))

    def _poll_results(self) -> None:
        while not self._ending:
            self._wake.clear()
            delay = _AFTER_ERROR
            try:
                delay = self._observer.turn(self.poller.beat)
            except Exception:
                logger.exception("A turn of the poller failed")
            self.poller.beat(delay)
            self._wake.wait(delay)

    def _refresh_keptn(self) -> None:
        while not self._ending:
            for project in self._refresher.wait(_AFTER_ERROR):
                try:
                    self._refresher.turn(project)
                except Exception:
                    logger.exception("Reading project %s in Keptn failed", project)

    async def _reconcile_due(self) -> None:
        while True:
            for key in self._schedule.take(time.monotonic()):
                self._spawn(self._reconcile_again(key))
            self.scheduler.beat()
            await asyncio.sleep(_LOOK)

    async def _reconcile_again(self, key: ResourceKey) -> None:
        """Reconcile outside of kopf, which therefore cannot try again for us."""
        try:
            await self.reconcile(key)
        except Exception:
            logger.exception("Reconciling %s failed", key)
            resource = self.registry.get(key)
            if resource is not None:
                interval = resource.interval.total_seconds()
                self._schedule.put(key, resource.target.project, time.monotonic() + _AFTER_ERROR, interval)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
