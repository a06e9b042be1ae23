"""What the nodes of a shipyard mean to Keptn, whose decoder is Go's yaml.v3."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from prodeval.domain.shipyard.nodes import Items, Node, Scalar, own

MAX_VALUES = 50_000
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_NUMBER = re.compile(
    r"[-+]?(\.(inf|Inf|INF)|0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?)"
    r"|\.(nan|NaN|NAN)"
)
_STR_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})


@dataclass(frozen=True, slots=True)
class Typed:
    """A scalar that is no string: its kind (null, bool, number or an explicit tag) and its text."""

    kind: str
    text: str


Value: TypeAlias = "str | Typed | list[Value] | dict[str, Value]"
"""A decoded node; equal ones mean the same."""

NULL = Typed("null", "")


def plain_value(text: str) -> str | Typed:
    """What an unquoted scalar means."""
    if text in _NULLS:
        return NULL
    if text in _BOOLS:
        return Typed("bool", text)
    return Typed("number", text) if _NUMBER.fullmatch(text) else text


def scalar_value(scalar: Scalar) -> str | Typed:
    """The string, or what else a scalar is."""
    if scalar.tag:
        return scalar.value if scalar.tag in _STR_TAGS else Typed(scalar.tag, scalar.value)
    return scalar.value if scalar.style else plain_value(scalar.value)


def is_null(node: Node) -> bool:
    """Whether Keptn sees nothing here."""
    scalar = own(node)
    return isinstance(scalar, Scalar) and scalar_value(scalar) == NULL


def decode(node: Node) -> Value:
    """Decode a node with all aliases and merges followed; raises OverflowError above MAX_VALUES values."""
    return _decode(node, [MAX_VALUES])


def _decode(node: Node, budget: list[int]) -> Value:
    budget[0] -= 1
    if budget[0] < 0:
        raise OverflowError
    target = own(node)
    if isinstance(target, Scalar):
        return scalar_value(target)
    if isinstance(target, Items):
        return [_decode(child, budget) for child in target.children]
    return {key: _decode(value, budget) for key, value in target.members.items()}
