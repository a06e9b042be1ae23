"""The start and the end of the operator."""

import asyncio
import dataclasses
import itertools
import logging
import time
from collections.abc import Iterator
from typing import Any

import kopf

from prodeval.runtime.wiring import Operator

_ALIVE_WITHIN = 60.0
"""Seconds within which the engine must look at what is due; it does so each second, whatever servers do."""

_LONGEST_PAUSE = 20.0
_LOGIN_PAUSE = 5.0
_logins: list[float] = []


class Pauses:
    """Seconds between the tries of one request of kopf, without end.

    When they run out while the API server answers 5xx or 403, as it does when it starts, kopf ends the process.
    """

    def __iter__(self) -> Iterator[float]:
        """From the start, for each request anew."""
        yield from (1.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0)
        yield from itertools.repeat(_LONGEST_PAUSE)


@kopf.on.login()
async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Log in as the kubernetes client does; kopf would try every client that it finds.

    Kopf ends the process when a login gives credentials that were refused before. A token that the API server refuses
    for a while (it restarts, the token expired and is being renewed) must not do that: so each login differs from the
    last one by its priority, and waits a little before it tries the same again.
    """
    if _logins and time.monotonic() - _logins[-1] < _LOGIN_PAUSE:
        await asyncio.sleep(_LOGIN_PAUSE)
    _logins.append(time.monotonic())
    found = await asyncio.to_thread(kopf.login_via_client, **kwargs)
    return None if found is None else dataclasses.replace(found, priority=len(_logins))


@kopf.on.startup()
async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
    """Set kopf up, and start what runs beside it; `memo.operator` comes from the command line."""
    configure(settings)
    operator: Operator = memo.operator
    operator.start()


def configure(settings: kopf.OperatorSettings) -> None:
    """The settings that differ from kopf's own, each for a reason."""
    # Kopf logs a line for each event of the watch.
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)
    # A worker holds its memory until it was idle for so long; small pages keep the start small (measured: 71 MB for
    # 5,000 objects, 188 MB with 0.1 s and pages of 500).
    settings.queueing.worker_limit = 100
    settings.queueing.idle_timeout = 0.01
    settings.watching.chunk_size = 100
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = Pauses()
    settings.watching.connect_timeout = 30
    settings.watching.server_timeout = 300
    # Without rights on namespaces and CRDs kopf would retry for a minute before it serves anything.
    settings.scanning.disabled = True
    settings.peering.standalone = True
    # Kopf's own Events would tell of its handlers; the operator's are posted by its own adapter.
    settings.posting.enabled = False


@kopf.on.cleanup()
async def stop(memo: kopf.Memo, **_: Any) -> None:
    """Begin no more turns and close all connections, which ends what is in flight."""
    operator: Operator = memo.operator
    await asyncio.to_thread(operator.stop)


@kopf.on.probe(id="engine")
async def probe_engine(memo: kopf.Memo, **_: Any) -> float:
    """Seconds since the engine looked at what is due; too many fail the liveness probe. Servers have no part in it."""
    operator: Operator = memo.operator
    age = operator.engine.age
    if age > _ALIVE_WITHIN:
        raise kopf.PermanentError(f"the engine has stood still for {age:.0f} s")
    return age
