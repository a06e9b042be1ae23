"""What has to change in a shipyard so that a gate stands in it: paths and values, nothing about text."""

from dataclasses import dataclass
from typing import TypeAlias

from prodeval.domain.durations import parse_duration
from prodeval.domain.resource import OnFail
from prodeval.domain.shipyard.model import Sequence, Shipyard, Task, Trigger, anchor_missing
from prodeval.domain.shipyard.settings import EVALUATION, Gate, check_names
from prodeval.domain.shipyard.values import NULL, Value

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree]"
"""What is written anew."""
Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Insert:
    """New items of the list at `path`, behind the item `after` (-1: before the first)."""

    path: Path
    after: int
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Put:
    """Entries of the mapping at `path`: new ones, or ones whose scalar value is replaced."""

    path: Path
    entries: tuple[tuple[str, Tree], ...]


Change: TypeAlias = Insert | Put


@dataclass(frozen=True, slots=True)
class Wanted:
    """The changes, inner ones before outer ones, and the timeframe that results (None: the evaluation has none)."""

    changes: tuple[Change, ...]
    timeframe: str | None


def wanted_changes(shipyard: Shipyard, gate: Gate) -> Wanted:
    """Compare a shipyard with a gate.

    A task anywhere behind the last anchor is adopted.

    Raises InvalidSpecError if stage, sequence or anchor are absent, or if names of the gate clash.
    """
    check_names(gate)
    (stage_at, sequence_at), sequence = shipyard.sequence(gate.stage, gate.sequence)
    anchors = [index for index, task in enumerate(sequence.tasks) if task.name == gate.after_task]
    if not anchors:
        raise anchor_missing(shipyard, sequence, gate.after_task)
    sequences: Path = ("spec", "stages", stage_at, "sequences")
    gated = _gate_changes(sequence, anchors[-1], (*sequences, sequence_at, "tasks"), gate)
    return Wanted((*gated.changes, *_on_fail_changes(shipyard, gate, sequences, sequence_at)), gated.timeframe)


def _gate_changes(sequence: Sequence, anchor: int, path: Path, gate: Gate) -> Wanted:
    tasks = sequence.tasks
    test, evaluation = _gate_tasks(tasks, anchor, gate)
    test_items: tuple[Tree, ...] = ({"name": gate.test_task},) if gate.load == "Generate" and test is None else ()
    if evaluation is not None:
        adopted = _adopt(tasks, anchor, evaluation, path, gate)
        inserted = (Insert(path, anchor, test_items),) if test_items else ()
        return Wanted((*inserted, *adopted.changes), adopted.timeframe)
    timeframe = gate.timeframe or gate.default_timeframe
    new = Insert(path, anchor if test is None else test, (*test_items, _evaluation(gate, timeframe)))
    return Wanted((new,), timeframe)


def _gate_tasks(tasks: tuple[Task, ...], anchor: int, gate: Gate) -> tuple[int | None, int | None]:
    """Where test and evaluation of a gate stand: an evaluation behind the test is preferred."""
    test = _find(tasks, gate.test_task, anchor)
    evaluation = _find(tasks, EVALUATION, anchor if test is None else test)
    return test, _find(tasks, EVALUATION, anchor) if evaluation is None else evaluation


def gated_tasks(sequence: Sequence, gate: Gate) -> tuple[Task | None, Task | None]:
    """The load test in front of the evaluation of a gate, and that evaluation; None for what the sequence lacks."""
    tasks = sequence.tasks
    anchors = [index for index, task in enumerate(tasks) if task.name == gate.after_task]
    test, evaluation = _gate_tasks(tasks, anchors[-1], gate) if anchors else (None, None)
    if evaluation is None:
        return None, None
    return tasks[test] if test is not None and test < evaluation else None, tasks[evaluation]


def _find(tasks: tuple[Task, ...], name: str, behind: int) -> int | None:
    return next((index for index in range(behind + 1, len(tasks)) if tasks[index].name == name), None)


def _evaluation(gate: Gate, timeframe: str) -> Tree:
    delay: dict[str, Tree] = {"triggeredAfter": timeframe} if gate.load == "LiveTraffic" else {}
    return {"name": EVALUATION, **delay, "properties": {"timeframe": timeframe}}


def _adopt(tasks: tuple[Task, ...], anchor: int, index: int, path: Path, gate: Gate) -> Wanted:
    task = tasks[index]
    present = timeframe_of(task)
    timeframe = gate.timeframe or (present if isinstance(present, str) else None)
    if present == NULL and timeframe is None and not any(each.name == "test" for each in tasks[:index]):
        timeframe = gate.default_timeframe
    changes: list[Change] = []
    if timeframe and (present == NULL or gate.timeframe) and not _same_duration(present, timeframe):
        changes.append(_timeframe_change(task, (*path, index), timeframe))
    between = any(each.name == gate.test_task for each in tasks[anchor + 1 : index])
    wants_delay = gate.load_is_explicit or not (task.triggered_after or between)
    if gate.load == "LiveTraffic" and wants_delay and timeframe and not _same_duration(task.triggered_after, timeframe):
        changes.append(Put((*path, index), (("triggeredAfter", timeframe),)))
    return Wanted(tuple(changes), timeframe)


def timeframe_of(task: Task) -> Value:
    """The timeframe that a task's properties give; NULL if they give none."""
    value = task.properties.get("timeframe", NULL) if isinstance(task.properties, dict) else NULL
    return NULL if value == "" else value


def _timeframe_change(task: Task, path: Path, timeframe: str) -> Put:
    if task.properties == NULL:
        return Put(path, (("properties", {"timeframe": timeframe}),))
    return Put((*path, "properties"), (("timeframe", timeframe),))


def _same_duration(present: Value, wanted: str) -> bool:
    if not isinstance(present, str):
        return False
    try:
        return parse_duration(present) == parse_duration(wanted)
    except ValueError:
        return present == wanted


def _on_fail_changes(shipyard: Shipyard, gate: Gate, sequences: Path, behind: int) -> tuple[Change, ...]:
    if gate.on_fail is None:
        return ()
    trigger = Trigger(f"{gate.stage}.{gate.sequence}.finished", ((f"{EVALUATION}.result", "fail"),))
    names = [sequence.name for sequence in shipyard.stage(gate.stage)[1].sequences]
    if gate.on_fail.sequence not in names:
        return (Insert(sequences, behind, (_new_sequence(gate.on_fail, trigger),)),)
    (_, index), sequence = shipyard.sequence(gate.stage, gate.on_fail.sequence)
    path: Path = (*sequences, index)
    changes = [*_missing_tasks(sequence, gate.on_fail, path)]
    if not any(_starts_on_failure(each, trigger.event) for each in sequence.triggered_on):
        changes.append(_add(path, "triggeredOn", len(sequence.triggered_on), [_trigger_tree(trigger)]))
    return tuple(changes)


def _starts_on_failure(trigger: Trigger, event: str) -> bool:
    return trigger.event == event and any((key, "fail") in trigger.match for key in ("result", f"{EVALUATION}.result"))


def _new_sequence(on_fail: OnFail, trigger: Trigger) -> Tree:
    return {
        "name": on_fail.sequence,
        "triggeredOn": [_trigger_tree(trigger)],
        "tasks": [{"name": task} for task in on_fail.tasks],
    }


def _trigger_tree(trigger: Trigger) -> Tree:
    return {"event": trigger.event, "selector": {"match": dict(trigger.match)}}


def _missing_tasks(sequence: Sequence, on_fail: OnFail, path: Path) -> list[Change]:
    present = {task.name for task in sequence.tasks}
    missing: list[Tree] = [{"name": task} for task in on_fail.tasks if task not in present]
    return [_add(path, "tasks", len(sequence.tasks), missing)] if missing else []


def _add(path: Path, key: str, length: int, items: list[Tree]) -> Change:
    """Append to a list, which has to be made first if it is empty."""
    return Insert((*path, key), length - 1, tuple(items)) if length else Put(path, ((key, items),))
