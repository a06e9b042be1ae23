"""The shipyard: read as Keptn reads it, patched without being rewritten."""

from prodeval.domain.shipyard.changes import gated_tasks, timeframe_of
from prodeval.domain.shipyard.edits import Edit, apply_edits, undo_edits
from prodeval.domain.shipyard.inheritance import inherited_timeframe
from prodeval.domain.shipyard.model import (
    Sequence,
    Shipyard,
    Stage,
    Task,
    Trigger,
    read_shipyard,
    tasks,
    triggering_stage,
)
from prodeval.domain.shipyard.patch import Patched, patch
from prodeval.domain.shipyard.settings import EVALUATION, Gate, check_agreement, check_names, differing_field, gate
from prodeval.domain.shipyard.values import NULL

__all__ = [
    "EVALUATION",
    "NULL",
    "Edit",
    "Gate",
    "Patched",
    "Sequence",
    "Shipyard",
    "Stage",
    "Task",
    "Trigger",
    "apply_edits",
    "check_agreement",
    "check_names",
    "differing_field",
    "gate",
    "gated_tasks",
    "inherited_timeframe",
    "patch",
    "read_shipyard",
    "tasks",
    "timeframe_of",
    "triggering_stage",
    "undo_edits",
]
