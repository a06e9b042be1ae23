"""The shipyard patch: as few edits of the text as put a gate into a sequence, proven before they are handed out."""

from collections.abc import Sequence
from dataclasses import dataclass

from prodeval.domain.errors import ShipyardRefusedError
from prodeval.domain.shipyard.changes import Change, Insert, Put, Tree, wanted_changes
from prodeval.domain.shipyard.compose import compose
from prodeval.domain.shipyard.edits import Edit, apply_edits, edits_for
from prodeval.domain.shipyard.model import Shipyard, read_shipyard
from prodeval.domain.shipyard.settings import Gate
from prodeval.domain.shipyard.source import Source
from prodeval.domain.shipyard.values import Value, decode


@dataclass(frozen=True, slots=True)
class Patched:
    """A patched shipyard.

    Attributes:
        text: the whole new text; the old one if there is nothing to do.
        edits: what was done, sorted; `undo_edits(text, edits)` gives the old text.
        timeframe: of the evaluation behind the anchor; None if the shipyard's evaluation has none and needs none.
        adds_test_task: whether services get a load test that they did not have.
    """

    text: str
    edits: tuple[Edit, ...]
    timeframe: str | None
    adds_test_task: bool


def patch(text: str, gate: Gate, *, path: str = "shipyard.yaml") -> Patched:
    """Put a gate into a shipyard, changing as little of its text as possible.

    `text` is decoded UTF-8 without any translation of line breaks; a byte order mark is kept.

    Raises:
        ShipyardRefusedError: Keptn refuses it, or it cannot be patched safely; with line, column and remedy.
        InvalidSpecError: the stage, the sequence or the anchor is absent, or names of the gate clash.
    """
    shipyard = read_shipyard(text, path=path)
    wanted = wanted_changes(shipyard, gate)
    edits = edits_for(Source.of(text, path, shipyard.root), wanted.changes) if wanted.changes else ()
    patched = apply_edits(text, edits)
    if edits:
        _prove(patched, shipyard, wanted.changes, gate)
    adds_test = any(
        isinstance(change, Insert) and {"name": gate.test_task} in change.items for change in wanted.changes
    )
    return Patched(patched, edits, wanted.timeframe, adds_test)


def _prove(patched: str, before: Shipyard, changes: Sequence[Change], gate: Gate) -> None:
    """Refuse a patch whose result does not mean the old shipyard plus the changes, whatever the reason."""
    expected = decode(before.root)
    # Entries before items, later items before earlier ones: so the indices in the paths stay right.
    for change in sorted(changes, key=lambda change: (isinstance(change, Put), _after(change)), reverse=True):
        _apply(expected, change)
    try:
        same = decode(compose(patched, before.path)) == expected
    except ShipyardRefusedError:
        same = False
    if not same:
        _, sequence = before.sequence(gate.stage, gate.sequence)
        problem = "its style cannot be patched safely; add the tasks by hand"
        raise ShipyardRefusedError(problem, path=before.path, line=sequence.line, column=sequence.column)


def _after(change: Change) -> int:
    return change.after if isinstance(change, Insert) else -1


def _apply(value: Value, change: Change) -> None:
    for step in change.path:
        value = _child(value, step)
    if isinstance(change, Insert) and isinstance(value, list):
        value[change.after + 1 : change.after + 1] = [_as_value(item) for item in change.items]
    elif isinstance(change, Put) and isinstance(value, dict):
        value.update({key: _as_value(entry) for key, entry in change.entries})


def _child(value: Value, step: str | int) -> Value:
    if isinstance(value, dict) and isinstance(step, str):
        return value[step]
    if isinstance(value, list) and isinstance(step, int):
        return value[step]
    raise LookupError(step)


def _as_value(tree: Tree) -> Value:
    if isinstance(tree, str):
        return tree
    if isinstance(tree, list):
        return [_as_value(item) for item in tree]
    return {key: _as_value(entry) for key, entry in tree.items()}
