"""The nodes of a YAML document with their exact places, so that it can be edited without being rewritten.

An alias is a node of its own here. All offsets count code points of the text as given, a byte order mark included.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from typing import TypeAlias

from prodeval.domain.errors import ShipyardRefusedError

BOM = "\ufeff"
MERGE = "<<"
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A scalar; `style` is `"`, `'`, `|`, `>` or empty for plain; `tag` is empty unless the text gives one."""

    start: int
    end: int
    value: str
    style: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A sequence."""

    start: int
    end: int
    flow: bool
    children: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """A mapping.

    Attributes:
        entries: as they stand, merge keys among them.
        members: by key, with merge keys resolved; what stands in the mapping itself wins.
    """

    start: int
    end: int
    flow: bool
    entries: "tuple[tuple[Scalar, Node], ...]"
    members: "ReadOnly[str, Node]"

    def own_entry(self, key: str) -> "tuple[Scalar, Node] | None":
        """The entry that stands in the mapping itself."""
        return next((entry for entry in self.entries if entry[0].value == key and not is_merge(entry[0])), None)


@dataclass(frozen=True, slots=True, eq=False)
class Alias:
    """A reference to an earlier node."""

    start: int
    end: int
    target: "Own"


Own: TypeAlias = Scalar | Items | Mapping
Node: TypeAlias = Own | Alias


def own(node: Node) -> Own:
    """The node itself, or the one that an alias names."""
    return node.target if isinstance(node, Alias) else node


def is_merge(key: Scalar) -> bool:
    """Whether a key merges other mappings into its own."""
    return key.value == MERGE and not key.style


def walk(node: Node) -> Iterator[Node]:
    """All nodes in the order of the text; aliases are not followed."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Items):
            waiting.extend(reversed(node.children))
        elif isinstance(node, Mapping):
            waiting.extend(part for entry in reversed(node.entries) for part in reversed(entry))


class Places:
    """Lines and columns of offsets in a text, both from 1; a byte order mark has no column."""

    def __init__(self, text: str) -> None:
        starts = (found.end() for found in _LINE_END.finditer(text))
        self._starts = (int(text.startswith(BOM)), *starts)

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = max(bisect_right(self._starts, offset), 1)
        return line, max(offset - self._starts[line - 1] + 1, 1)


def refused(text: str, path: str, offset: int, problem: str) -> ShipyardRefusedError:
    """The error about the piece of text at an offset."""
    line, column = Places(text).at(offset)
    return ShipyardRefusedError(problem, path=path, line=line, column=column)
