"""JSON as Python holds it, and readers that never trust its shape."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
"""Any JSON value; lists and objects are read-only by convention."""

JSONObject: TypeAlias = Mapping[str, JSON]


def child(value: JSON, *keys: str) -> JSON:
    """Follow object keys down; None where the way ends."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def as_object(value: JSON) -> JSONObject:
    """The object itself; empty if it is anything else."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: JSON) -> Sequence[JSON]:
    """The list itself; empty if it is anything else."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def as_text(value: JSON, default: str = "") -> str:
    """The text itself; the default if it is anything else."""
    return value if isinstance(value, str) else default
