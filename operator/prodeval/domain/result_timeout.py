"""How long a verdict is waited for."""

from datetime import timedelta

from prodeval.domain.durations import go_duration, parse_duration
from prodeval.domain.json_values import as_text, child
from prodeval.domain.resource import Resource

MARGIN = timedelta(minutes=30)
"""For all that a delivery does beside generating load and waiting for the evaluation's turn."""
_LONGEST = timedelta(days=7)


def default_timeout(*, triggered_after: str, poll_seconds: int) -> timedelta:
    """What an absent `spec.resultTimeout` becomes, at most a week.

    Args:
        triggered_after: of the gate's evaluation, as its shipyard has it; what Keptn cannot read delays nothing.
        poll_seconds: how long the job executor waits for the load test; 0 if there is none.
    """
    longest = _LONGEST.total_seconds()
    seconds = (min(max(part, 0.0), longest) for part in (go_duration(triggered_after) or 0.0, poll_seconds))
    return min(MARGIN + timedelta(seconds=sum(seconds)), _LONGEST)


def result_timeout(resource: Resource) -> timedelta:
    """What the spec says, else what the last sync found, else the margin alone."""
    if resource.result_timeout is not None:
        return resource.result_timeout
    try:
        return parse_duration(as_text(child(resource.status, "resolved", "resultTimeout")))
    except ValueError:
        return MARGIN
