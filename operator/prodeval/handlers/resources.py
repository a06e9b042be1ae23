"""What the watch tells of ProductionEvaluations."""

from typing import Any

import kopf

from prodeval.domain.resource import GROUP, PLURAL, VERSION
from prodeval.runtime.wiring import Operator


@kopf.on.event(GROUP, VERSION, PLURAL)
async def observe(event: kopf.RawEvent, body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
    """Pass on what the watch says.

    The only handler: the engine compares for itself what changed, so kopf writes nothing into the objects, and nothing
    here waits, since kopf swaps events of one name where a handler does.
    """
    operator: Operator = memo.operator
    operator.engine.told(event["type"], dict(body), body.metadata.uid or "")
