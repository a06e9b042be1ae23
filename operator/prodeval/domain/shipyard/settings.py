"""What a resource wants of a sequence, and whether the resources that share it agree."""

from collections.abc import Iterable
from dataclasses import dataclass

from prodeval.domain.errors import InvalidSpecError, ShipyardConflictError
from prodeval.domain.resource import Load, OnFail, Resource, ShipyardSpec
from prodeval.domain.tenancy import seniority

DEFAULT_TIMEFRAME = "2m"
EVALUATION = "evaluation"


@dataclass(frozen=True, slots=True)
class Gate:
    """The tasks that a sequence shall have behind its anchor.

    Attributes:
        load: what `spec.shipyard.load` says, or what its default became.
        load_is_explicit: whether the spec says it; only then does it change an evaluation that is there already.
        timeframe: None keeps what the shipyard has.
        default_timeframe: if neither says one.
    """

    stage: str
    sequence: str = "delivery"
    after_task: str = "je-deployment"
    test_task: str = "je-test"
    load: Load = "Generate"
    load_is_explicit: bool = False
    timeframe: str | None = None
    default_timeframe: str = DEFAULT_TIMEFRAME
    on_fail: OnFail | None = None


def gate(stage: str, spec: ShipyardSpec, *, has_load_files: bool) -> Gate:
    """The gate that a resource wants; `has_load_files`: whether its resolved files contain `locust/`."""
    default: Load = "Generate" if has_load_files else "LiveTraffic"
    return Gate(
        stage=stage,
        sequence=spec.sequence,
        after_task=spec.after_task,
        test_task=spec.test_task,
        load=spec.load or default,
        load_is_explicit=spec.load is not None,
        timeframe=spec.timeframe,
        on_fail=spec.on_fail,
    )


_FIELDS = {
    "policy": "policy",
    "after_task": "afterTask",
    "test_task": "testTask",
    "load": "load",
    "timeframe": "timeframe",
    "on_fail": "onFail",
}


def check_names(gate: Gate) -> None:
    """Raise InvalidSpecError for names with which a patch would never come to an end, or a sequence start itself."""
    if len({gate.after_task, gate.test_task, EVALUATION}) < 3:  # noqa: PLR2004 - three different tasks
        raise InvalidSpecError(
            "spec.shipyard: afterTask, testTask and the task evaluation follow each other; name three different tasks"
        )
    if gate.on_fail and gate.on_fail.sequence == gate.sequence:
        raise InvalidSpecError("spec.shipyard.onFail.sequence: the sequence would start itself; name another one")


def differing_field(one: ShipyardSpec, other: ShipyardSpec) -> str | None:
    """The first field, as the resource spells it, in which two wishes for the same sequence differ."""
    return next((name for field, name in _FIELDS.items() if getattr(one, field) != getattr(other, field)), None)


def check_agreement(resource: Resource, others: Iterable[Resource]) -> None:
    """Raise ShipyardConflictError if the oldest resource with the same sequence wants other tasks in it."""
    sharing = [other for other in others if _shares(resource, other)]
    oldest = min([resource, *sharing], key=seniority)
    field = differing_field(resource.shipyard, oldest.shipyard)
    if field:
        raise ShipyardConflictError(
            f"{oldest.key} is older and decides the tasks of {oldest.target.project}/{oldest.target.stage}/"
            f"{oldest.shipyard.sequence}, which all services of the stage share; "
            f"give spec.shipyard.{field} the same value as there"
        )


def _shares(one: Resource, other: Resource) -> bool:
    return (one.target.project, one.target.stage, one.shipyard.sequence) == (
        other.target.project,
        other.target.stage,
        other.shipyard.sequence,
    )
