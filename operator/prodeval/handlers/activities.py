"""The start and the end of the operator."""

from typing import Any

import kopf

from prodeval.domain.resource import GROUP
from prodeval.handlers.runner import Runner
from prodeval.handlers.storage import DigestDiffBaseStorage

_ALIVE_WITHIN = 300.0
"""Seconds between two signs of life of a loop; one question to Keptn, Git or the API server takes at most a minute."""


@kopf.on.login()
def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Log in once, as the kubernetes client does; kopf would try every client that it finds."""
    return kopf.login_via_client(**kwargs)


@kopf.on.startup()
async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
    """Set kopf up, and start what runs beside it; `memo.runner` comes from the command line."""
    configure(settings)
    runner: Runner = memo.runner
    runner.start()


def configure(settings: kopf.OperatorSettings) -> None:
    """The settings that differ from kopf's own, each for a reason."""
    settings.persistence.progress_storage = kopf.StatusProgressStorage()
    settings.persistence.diffbase_storage = DigestDiffBaseStorage()
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    # A bound on workers needs a short idle time, else each done worker holds its place for five seconds.
    settings.queueing.worker_limit = 100
    settings.queueing.idle_timeout = 0.1
    settings.execution.default_backoff = 30
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.watching.connect_timeout = 30
    settings.watching.server_timeout = 300
    settings.watching.chunk_size = 500
    settings.posting.reporting_component = "prodeval"
    # Without rights on namespaces and CRDs kopf would retry for a minute before it serves anything.
    settings.scanning.disabled = True
    settings.peering.standalone = True


@kopf.on.cleanup()
async def stop(memo: kopf.Memo, **_: Any) -> None:
    """Stop polling and close all connections, which ends what is in flight."""
    runner: Runner = memo.runner
    await runner.stop()


@kopf.on.probe(id="loops")
async def probe_loops(memo: kopf.Memo, **_: Any) -> float:
    """Fail if a loop stands still; the answer is the age of the older sign of life, in seconds.

    Servers that do not answer are no reason: a restart would not help, and take what is known of their events.
    """
    runner: Runner = memo.runner
    for loop in (runner.poller, runner.scheduler):
        if loop.age() > _ALIVE_WITHIN:
            raise kopf.PermanentError(f"{loop.name} stands still since {loop.age():.0f} s")
    return max(runner.poller.age(), runner.scheduler.age())
