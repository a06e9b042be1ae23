"""The approval service: decides by the result before it, or leaves the decision to somebody."""

from collections.abc import Callable

from demo.keptn.events import APPROVAL, Event, answer, kind, scope_data, task_name
from prodeval.domain.json_values import as_text, child


class ApprovalService:
    """Answers `approval.triggered`; a manual approval is finished by an event that somebody posts."""

    def __init__(self, send: Callable[[Event], None]) -> None:
        self._send = send

    def handle(self, event: Event) -> None:
        """Start the approval, and finish it if nobody has to be asked."""
        if task_name(event.type) != "approval" or kind(event.type) != "triggered":
            return
        result = event.text("result") or as_text(child(event.data, "evaluation", "result"))
        strategy = as_text(child(event.data, "approval", result))
        message = f"Approval strategy for result '{result}': {strategy}"
        started = scope_data(event.data, status="succeeded", message=message)
        self._send(answer(event, "started", APPROVAL, started))
        if result == "fail" or strategy == "automatic":
            decision = "fail" if result == "fail" else "pass"
            finished = scope_data(event.data, status="succeeded", result=decision)
            self._send(answer(event, "finished", APPROVAL, finished))
