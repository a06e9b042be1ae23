"""Posts Events from any thread."""

import contextvars
from typing import Literal, cast

import kopf

from prodeval.domain.json_values import JSONObject


class EventPoster:
    """Posts through kopf's queue, which kopf finds in the context of a running handler: learn it from the first one."""

    def __init__(self) -> None:
        self._context: contextvars.Context | None = None

    def learn(self) -> None:
        """Remember the context of the handler that calls."""
        if self._context is None:
            self._context = contextvars.copy_context()

    def __call__(self, body: JSONObject, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Post one Event about a resource; without any handler yet there is no resource to tell about."""
        if self._context is not None:
            # One context may not be entered by two threads at once.
            self._context.copy().run(kopf.event, cast("kopf.Body", body), type=kind, reason=reason, message=message)
