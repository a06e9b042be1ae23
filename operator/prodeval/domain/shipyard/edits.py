"""Changes as edits of the text: insertions at offsets, and replacements of single scalars."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from prodeval.domain.errors import ShipyardRefusedError
from prodeval.domain.shipyard.changes import Change, Insert, Put, Tree
from prodeval.domain.shipyard.nodes import Alias, Items, Mapping, Node, Scalar, own, refused
from prodeval.domain.shipyard.source import Source
from prodeval.domain.shipyard.style import (
    Lines,
    Style,
    block_entries,
    block_items,
    entry_style,
    flow,
    flow_entry,
    indent_style,
)


@dataclass(frozen=True, slots=True)
class Edit:
    """`old`, at an offset in code points, becomes `new`; an insertion has an empty `old`."""

    offset: int
    old: str
    new: str


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text with edits made; they are sorted and do not overlap."""
    parts: list[str] = []
    done = 0
    for edit in edits:
        parts += [text[done : edit.offset], edit.new]
        done = edit.offset + len(edit.old)
    return "".join([*parts, text[done:]])


def undo_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text as it was before edits."""
    back: list[Edit] = []
    shift = 0
    for edit in edits:
        back.append(Edit(edit.offset + shift, edit.new, edit.old))
        shift += len(edit.new) - len(edit.old)
    return apply_edits(text, back)


def edits_for(source: Source, changes: Iterable[Change]) -> tuple[Edit, ...]:
    """The edits that make changes, sorted; raises ShipyardRefusedError for what cannot be edited in place."""
    writer = _Writer(source)
    edits = [edit for change in changes for edit in writer.edits(change)]
    return tuple(sorted(edits, key=lambda edit: edit.offset))


class _Writer:
    """Writes changes in the style of what stands around them."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def edits(self, change: Change) -> Iterator[Edit]:
        node = self._source.node(change.path)
        if isinstance(change, Put) and isinstance(node, Mapping):
            for key, value in change.entries:
                yield self._put(node, key, value)
        elif isinstance(change, Insert) and isinstance(node, Items):
            yield self._insert(node, change)
        else:
            raise self._refused(node, "this is not written as Keptn reads it; write the entries out")

    def _refused(self, node: Node, problem: str) -> ShipyardRefusedError:
        return refused(self._source.text, self._source.path, node.start, problem)

    def _style(self, neighbour: Node, nearby: Node) -> Style:
        source, mapping = self._source, own(neighbour)
        style = indent_style(source, nearby, Style(newline=source.newline(neighbour.end)))
        return entry_style(source, mapping, style) if isinstance(mapping, Mapping) else style

    def _put(self, node: Mapping, key: str, value: Tree) -> Edit:
        entry = node.own_entry(key)
        if entry is not None:
            return self._replace(node, entry[1], value)
        return self._flow_entry(node, key, value) if node.flow else self._block_entry(node, key, value)

    def _block_entry(self, node: Mapping, key: str, value: Tree) -> Edit:
        style = self._style(node, node)
        column = len(self._source.line_prefix(self._source.first_of_block(node)))
        gap = self._source.line_behind(node, column - 1)
        return Edit(gap.offset, "", gap.lines(block_entries([(key, value)], column, style), style.newline))

    def _flow_entry(self, node: Mapping, key: str, value: Tree) -> Edit:
        opening = self._source.opening(node)
        if opening is None:
            raise self._refused(node, "an entry without braces cannot be extended; write it as {name: ...}")
        style, lines = self._style(node, node), self._flow_lines(node)
        entry = flow_entry(key, value, style, lines.inner if lines else None)
        if not node.entries:
            return Edit(opening.end, "", entry)
        before = style.newline + lines.inner.prefix if lines else style.comma[1:]
        last = self._source.token_before(self._source.last_token(node).start)
        return Edit(last.end, "", before + entry + "," if last.kind == "FlowEntry" else "," + before + entry)

    def _replace(self, node: Mapping, present: Node, value: Tree) -> Edit:
        style = self._style(node, node)
        if isinstance(value, list) and isinstance(present, Items) and present.flow and not present.children:
            opening = self._source.opening(present)
            return Edit(
                opening.end if opening else present.start, "", style.comma.join(flow(item, style) for item in value)
            )
        if isinstance(present, Alias):
            return self._edit(present.start, present.end, flow(value, style))
        if not isinstance(present, Scalar) or present.style in ("|", ">") or present in self._source.shared:
            raise self._refused(present, "this cannot be replaced safely; write it as one plain or quoted value")
        if present.start == present.end:
            space = "" if self._source.text[present.start - 1] == " " else " "
            return Edit(present.start, "", space + flow(value, style))
        token = self._source.last_token(present)
        quote = present.style or (style.quote if isinstance(value, dict | list) else "")
        return self._edit(token.start, token.end, flow(value, replace(style, quote=quote)))

    def _edit(self, start: int, end: int, new: str) -> Edit:
        return Edit(start, self._source.text[start:end], new)

    def _flow_lines(self, node: Node) -> Lines | None:
        """How a flow mapping over several lines is indented; None if it stands in one line."""
        if not isinstance(node, Mapping) or not node.entries or self._source.opening(node) is None:
            return None
        inner = self._source.line_prefix(node.entries[0][0].start)
        outer = self._source.line_prefix(self._source.last_token(node).start)
        if inner.strip(" \t"):
            return None
        if outer.strip(" \t") or not inner.startswith(outer) or inner == outer:
            return Lines(inner[:-2], "  ")
        return Lines(outer, inner.removeprefix(outer))

    def _insert(self, node: Items, change: Insert) -> Edit:
        item = node.children[change.after]
        style = self._style(item, node)
        return (
            self._flow_items(item, change.items, style) if node.flow else self._block_items(item, change.items, style)
        )

    def _block_items(self, item: Node, items: Sequence[Tree], style: Style) -> Edit:
        source = self._source
        dash = source.token_before(item.start)
        space = source.text[dash.end : item.start]
        style = replace(style, dash=len(space) if space and not space.strip(" ") else 1)
        column = len(source.line_prefix(dash.start))
        gap = source.line_behind(item, column)
        if isinstance(item, Mapping) and item.flow:
            lines = [" " * column + "-" + " " * style.dash + flow(tree, style) for tree in items]
        else:
            lines = block_items(items, column, style)
        return Edit(gap.offset, "", gap.lines(lines, style.newline))

    def _flow_items(self, item: Node, items: Sequence[Tree], style: Style) -> Edit:
        prefix = self._source.line_prefix(item.start)
        before = "," + style.newline + prefix if not prefix.strip(" \t") else style.comma
        lines = self._flow_lines(item)
        new = "".join(before + flow(tree, style, lines) for tree in items)
        return Edit(self._source.last_token(item).end, "", new)
