"""How two texts of one file differ."""

import difflib
from collections.abc import Sequence

from prodeval.domain.report import PlannedChange


def changed_lines(before: str, after: str) -> tuple[Sequence[str], Sequence[str]]:
    """The lines that a change removes and adds, without their ends."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return [line[2:] for line in lines if line.startswith("- ")], [line[2:] for line in lines if line.startswith("+ ")]


def planned_change(path: str, before: str | None, after: str) -> PlannedChange:
    """A change in numbers; `before` is None for a file that is not there yet."""
    removed, added = changed_lines(before or "", after)
    action = "Add" if before is None else "Change" if removed or added else "Keep"
    return PlannedChange(path, action, len(added), len(removed))
