"""What a sequence takes over from the one that starts it."""

from collections.abc import Iterator

from prodeval.domain.durations import parse_duration
from prodeval.domain.shipyard.changes import timeframe_of
from prodeval.domain.shipyard.model import Shipyard, Task, read_shipyard
from prodeval.domain.shipyard.settings import DEFAULT_TIMEFRAME, EVALUATION


def inherited_timeframe(text: str, stage: str, sequence: str, *, path: str = "shipyard.yaml") -> str:
    """The timeframe of the stage before, whose load test is copied by default and is as long as that needs; else 2m.

    Raises ShipyardRefusedError as `read_shipyard`, InvalidSpecError if stage or sequence are absent.
    """
    shipyard = read_shipyard(text, path=path)
    found = (timeframe_of(task) for task in _triggering_tasks(shipyard, stage, sequence) if task.name == EVALUATION)
    return next((value for value in found if isinstance(value, str) and _is_duration(value)), DEFAULT_TIMEFRAME)


def _triggering_tasks(shipyard: Shipyard, stage: str, sequence: str) -> Iterator[Task]:
    events = {trigger.event for trigger in shipyard.sequence(stage, sequence)[1].triggered_on}
    for other in shipyard.stages:
        for each in other.sequences:
            if other.name != stage and f"{other.name}.{each.name}.finished" in events:
                yield from each.tasks


def _is_duration(text: str) -> bool:
    try:
        return parse_duration(text).total_seconds() > 0
    except ValueError:
        return False
