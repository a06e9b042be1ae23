"""How a shipyard is written, and new parts written in the same way."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from prodeval.domain.shipyard.changes import Tree
from prodeval.domain.shipyard.nodes import Items, Mapping, Node, Scalar, own, walk
from prodeval.domain.shipyard.source import Source
from prodeval.domain.shipyard.values import plain_value

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*|([0-9]+[hms])+")
_YAML_1_1_WORDS = frozenset({"y", "n", "yes", "no", "on", "off"})


@dataclass(frozen=True, slots=True)
class Lines:
    """How a flow collection over several lines is indented: its closing bracket's prefix, and what its parts add."""

    prefix: str
    step: str

    @property
    def inner(self) -> "Lines":
        """The same, one level deeper."""
        return Lines(self.prefix + self.step, self.step)


@dataclass(frozen=True, slots=True)
class Style:
    """How the neighbours are written.

    Attributes:
        key_quote, quote: around keys and values; empty for plain.
        colon: between key and value in flow style.
        pad: inside of braces in flow style.
        newline: the line break.
        step: spaces by which a block mapping stands deeper than its key.
        list_step: the same for a block list; can be 0.
        dash: spaces behind a block list's dash.
    """

    key_quote: str = ""
    quote: str = ""
    colon: str = ": "
    pad: str = ""
    newline: str = "\n"
    step: int = 2
    list_step: int = 2
    dash: int = 1

    @property
    def comma(self) -> str:
        """Between the parts of a flow collection in one line."""
        return ", " if self.colon.endswith(" ") else ","


def quoted(text: str, quote: str) -> str:
    """A string as a scalar that every YAML reader takes for that string."""
    if quote == "'" and text.isprintable() and "'" not in text:
        return f"'{text}'"
    plain = _PLAIN.fullmatch(text) and isinstance(plain_value(text), str) and text.lower() not in _YAML_1_1_WORDS
    if not quote and plain:
        return text
    # JSON's escapes are a part of YAML's.
    return json.dumps(text, ensure_ascii=not text.isprintable())


def entry_style(source: Source, mapping: Mapping, base: Style) -> Style:
    """The base, with the quotes and spaces of a mapping's first entry."""
    for key, value in mapping.entries:
        text = own(value)
        if isinstance(text, Scalar) and key.start >= mapping.start:
            colon = source.text[key.end : value.start]
            opening = source.opening(mapping)
            pad = source.text[opening.end : key.start] if opening else ""
            return replace(
                base,
                key_quote=_quote(key),
                quote=_quote(text),
                colon=":" if colon == ":" and key.style else ": ",
                pad=" " if pad == " " else "",
            )
    return base


def _quote(scalar: Scalar) -> str:
    return scalar.style if scalar.style in ("'", '"') else ""


def indent_style(source: Source, nearby: Node, base: Style) -> Style:
    """The base, with the indentation of the first nested block collections nearby, else of the whole text."""
    return replace(
        base,
        step=next(chain(_steps(source, nearby, Mapping), _steps(source, source.root, Mapping)), base.step),
        list_step=next(chain(_steps(source, nearby, Items), _steps(source, source.root, Items)), base.list_step),
    )


def _steps(source: Source, root: Node, kind: type[Mapping] | type[Items]) -> Iterator[int]:
    """By how much block collections of a kind stand deeper than their keys."""
    for node in walk(root):
        for key, value in node.entries if isinstance(node, Mapping) and not node.flow else ():
            if isinstance(value, kind) and not value.flow:
                first = source.first_of_block(value)
                if source.line_prefix(first).strip(" ") == "":
                    yield len(source.line_prefix(first)) - len(source.line_prefix(key.start))


def block_items(items: Sequence[Tree], column: int, style: Style) -> list[str]:
    """The lines of list entries, dashes in a column (from 0)."""
    lines: list[str] = []
    for item in items:
        inner = column + 1 + style.dash
        first, *rest = _block(item, inner, style)
        lines += [" " * column + "-" + first[column + 1 :], *rest]
    return lines


def block_entries(entries: Sequence[tuple[str, Tree]], column: int, style: Style) -> list[str]:
    """The lines of mapping entries, keys in a column (from 0)."""
    lines: list[str] = []
    for key, value in entries:
        head = " " * column + quoted(key, style.key_quote) + ":"
        if isinstance(value, str):
            lines.append(f"{head} {quoted(value, style.quote)}")
        else:
            lines += [
                head,
                *_block(value, column + (style.step if isinstance(value, dict) else style.list_step), style),
            ]
    return lines


def _block(tree: Tree, column: int, style: Style) -> list[str]:
    if isinstance(tree, str):
        return [" " * column + quoted(tree, style.quote)]
    if isinstance(tree, list):
        return block_items(tree, column, style)
    return block_entries(tuple(tree.items()), column, style)


def flow(tree: Tree, style: Style, lines: Lines | None = None) -> str:
    """A value in flow style, in one line or over several."""
    if isinstance(tree, str):
        return quoted(tree, style.quote)
    inner = lines.inner if lines else None
    if isinstance(tree, list):
        return _bracketed("[]", [flow(item, style, inner) for item in tree], style, lines)
    return _bracketed("{}", [flow_entry(key, value, style, inner) for key, value in tree.items()], style, lines)


def flow_entry(key: str, value: Tree, style: Style, lines: Lines | None = None) -> str:
    """One entry of a mapping in flow style."""
    return quoted(key, style.key_quote) + style.colon + flow(value, style, lines)


def _bracketed(brackets: str, parts: list[str], style: Style, lines: Lines | None) -> str:
    if lines is None:
        pad = style.pad if brackets == "{}" else ""
        return brackets[0] + pad + style.comma.join(parts) + pad + brackets[1]
    before = style.newline + lines.inner.prefix
    return brackets[0] + before + ("," + before).join(parts) + style.newline + lines.prefix + brackets[1]
