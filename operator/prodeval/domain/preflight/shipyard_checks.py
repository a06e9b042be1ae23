"""Checks of the shipyard: whether the gate can stand in it, and whether its evaluations will start."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from prodeval.domain.durations import go_duration
from prodeval.domain.errors import ShipyardRefusedError
from prodeval.domain.preflight import findings
from prodeval.domain.preflight.findings import Check, Finding, Place, from_error
from prodeval.domain.preflight.inputs import Wish
from prodeval.domain.shipyard import (
    EVALUATION,
    NULL,
    Gate,
    Sequence,
    Shipyard,
    Stage,
    Task,
    patch,
    read_shipyard,
    timeframe_of,
)

MIN_SECONDS = 60


def check_shipyard(text: str, path: str) -> Iterator[Finding]:
    """Find what is wrong with a shipyard by itself."""
    shipyard, refusal = _read(text, path)
    if refusal:
        yield refusal
    for stage in shipyard.stages if shipyard else ():
        for sequence in stage.sequences:
            yield from _check_sequence(sequence, path)


def _read(text: str, path: str) -> tuple[Shipyard | None, Finding | None]:
    try:
        return read_shipyard(text, path=path), None
    except ShipyardRefusedError as error:
        return None, from_error(findings.SHIPYARD_REFUSED, error, "Keptn starts no sequence until it is corrected")


def _check_sequence(sequence: Sequence, path: str) -> Iterator[Finding]:
    has_test = False
    for task in sequence.tasks:
        has_test = has_test or task.name == "test"
        if task.name == EVALUATION:
            yield from _check_timeframe(task, sequence, path, has_test=has_test)


def _check_timeframe(task: Task, sequence: Sequence, path: str, *, has_test: bool) -> Iterator[Finding]:
    timeframe, place = timeframe_of(task), Place(path, task.line, task.column)
    if timeframe == NULL:
        # Keptn's API gives a stand-alone evaluation its window, and the job executor does so for a task named test.
        if not has_test and sequence.name != EVALUATION:
            message = "the evaluation has no timeframe, and no task in front of it is named test"
            yield findings.NO_TIMEFRAME.at(place, message, 'add properties: {timeframe: "2m"}')
    elif not isinstance(timeframe, str):
        message = "the timeframe is no text, so the evaluation never starts and the sequence waits ten minutes"
        yield findings.TIMEFRAME.at(place, message, 'put it in quotes with a unit, as in "2m"')
    elif (go_duration(timeframe) or 0) < MIN_SECONDS:
        message = f"the timeframe {timeframe[:40]!r} is no duration of at least one minute"
        yield findings.TIMEFRAME.at(place, message, 'write one like "2m" or "1h30m"')


def check_gate(wish: Wish) -> Iterator[Finding]:
    """Find what keeps a gate from standing and running in a shipyard."""
    shipyard, refusal = _read(wish.text, wish.path)
    if shipyard is None:
        yield from (refusal,) if refusal else ()
        return
    absent = _absent(shipyard, wish.gate)
    if absent:
        yield absent
        return
    try:
        patched = patch(wish.text, wish.gate, path=wish.path)
    except ShipyardRefusedError as error:
        yield from_error(findings.UNPATCHABLE, error, "or add the tasks by hand and set spec.shipyard.policy: Verify")
        return
    _, before = shipyard.sequence(wish.gate.stage, wish.gate.sequence)
    _, after = read_shipyard(patched.text, path=wish.path).sequence(wish.gate.stage, wish.gate.sequence)
    sequence = replace(after, tasks=tuple(_as_placed(after.tasks, before.tasks)))
    yield from _check_sequence(sequence, wish.path)
    yield from _check_order(sequence, wish)


def _as_placed(after: Iterable[Task], before: Iterable[Task]) -> Iterator[Task]:
    """The tasks after a patch with the places that they had before; new ones keep theirs."""
    waiting = list(before)
    for task in after:
        if waiting and waiting[0].name == task.name:
            old = waiting.pop(0)
            yield replace(task, line=old.line, column=old.column)
        else:
            yield task


def _absent(shipyard: Shipyard, gate: Gate) -> Finding | None:
    """The finding about a stage, sequence or anchor that is not there."""
    first = shipyard.stages[0]
    stage = _named(shipyard.stages, gate.stage)
    if stage is None:
        return _no(
            findings.NO_STAGE,
            f"no stage {gate.stage!r}",
            shipyard.stages,
            Place(shipyard.path, first.line, first.column),
        )
    sequence = _named(stage.sequences, gate.sequence)
    if sequence is None:
        place = Place(shipyard.path, stage.line, stage.column)
        return _no(findings.NO_SEQUENCE, f"no sequence {gate.sequence!r} in {gate.stage}", stage.sequences, place)
    if _named(sequence.tasks, gate.after_task) is None:
        place = Place(shipyard.path, sequence.line, sequence.column)
        return _no(findings.NO_ANCHOR, f"no task {gate.after_task!r} in {gate.sequence}", sequence.tasks, place)
    return None


_N = TypeVar("_N", Stage, Sequence, Task)


def _named(each: Iterable[_N], name: str) -> _N | None:
    return next((one for one in each if one.name == name), None)


def _no(check: Check, message: str, present: Iterable[_N], place: Place) -> Finding:
    names = ", ".join(one.name for one in present) or "none"
    return check.at(place, message, f"name one that is there ({names}) in the resource, or add it")


def _check_order(sequence: Sequence, wish: Wish) -> Iterator[Finding]:
    names = [task.name for task in sequence.tasks]
    behind = names[len(names) - names[::-1].index(wish.gate.after_task) :]
    if wish.gate.load == "Generate" and wish.gate.test_task in behind and EVALUATION in behind:
        last = len(names) - 1 - names[::-1].index(EVALUATION)
        if last < len(names) - len(behind) + behind.index(wish.gate.test_task):
            task = sequence.tasks[last]
            message = f"the evaluation runs before {wish.gate.test_task!r}, so it sees none of its load"
            yield findings.EVALUATION_FIRST.at(
                Place(wish.path, task.line, task.column), message, "move it behind the load test"
            )
