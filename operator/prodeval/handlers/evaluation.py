"""The events of ProductionEvaluations."""

from typing import Any

import kopf

from prodeval.domain.resource import GROUP, PLURAL, VERSION, resource_key
from prodeval.handlers.runner import Runner


@kopf.on.resume(GROUP, VERSION, PLURAL, id="reconcile")
@kopf.on.create(GROUP, VERSION, PLURAL, id="reconcile")
@kopf.on.update(GROUP, VERSION, PLURAL, id="reconcile")
async def reconcile(body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
    """Bring the upstream to what the newest spec says, and the status to what came of it.

    One handler id for all, since kopf runs two handlers of one object apart and the slower one misses updates.
    """
    runner: Runner = memo.runner
    runner.poster.learn()
    runner.registry.put(dict(body))
    await runner.reconcile(resource_key(body))


@kopf.on.event(GROUP, VERSION, PLURAL)
async def observe(event: kopf.RawEvent, body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
    """Keep the registry as new as the watch."""
    runner: Runner = memo.runner
    runner.poster.learn()
    if event["type"] == "DELETED":
        runner.forget(resource_key(body))
    else:
        runner.registry.put(dict(body))
