"""A shipyard's text with its nodes and tokens: where things begin, end, and continue."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from prodeval.domain.shipyard.changes import Path
from prodeval.domain.shipyard.compose import Token, scan
from prodeval.domain.shipyard.nodes import BOM, Alias, Items, Mapping, Node, Own, refused, walk

# libyaml and Go's yaml.v3 end a line at each of these.
_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
_PROPERTIES = frozenset({"Anchor", "Tag"})
_OPENINGS = frozenset({"FlowMappingStart", "FlowSequenceStart"})
_NEWLINES = frozenset({"\r\n", "\n", "\r"})
_COMMENT = re.compile(r"( *)#")


@dataclass(frozen=True, slots=True)
class Source:
    """A text that was read as a shipyard; offsets count its code points.

    Attributes:
        tokens: what is visible, without comments, in order.
        starts: where the tokens start.
        lines: where the lines start.
        shared: nodes that aliases name.
    """

    text: str
    path: str
    root: Own
    tokens: tuple[Token, ...]
    starts: tuple[int, ...]
    lines: tuple[int, ...]
    shared: frozenset[Own]

    @classmethod
    def of(cls, text: str, path: str, root: Own) -> "Source":
        """Scan a text whose nodes are known."""
        tokens = scan(text)
        lines = (int(text.startswith(BOM)), *(found.end() for found in _BREAK.finditer(text)))
        shared = frozenset(node.target for node in walk(root) if isinstance(node, Alias))
        return cls(text, path, root, tokens, tuple(token.start for token in tokens), lines, shared)

    def node(self, path: Path) -> Own:
        """The container at a path.

        Raises ShipyardRefusedError if it is written elsewhere, or an edit of it would be seen elsewhere.
        """
        node: Node = self.root
        for step in path:
            node = self._child(self._unshared(node), step)
        return self._unshared(node)

    def _unshared(self, node: Node) -> Own:
        if isinstance(node, Alias):
            problem = "the tasks come from an alias; write them out where they are used"
            raise refused(self.text, self.path, node.start, problem)
        if node in self.shared:
            problem = "an alias repeats this elsewhere, where an edit would be seen, too; write it out there"
            raise refused(self.text, self.path, node.start, problem)
        return node

    def _child(self, node: Own, step: str | int) -> Node:
        if isinstance(node, Items) and isinstance(step, int):
            return node.children[step]
        entry = node.own_entry(step) if isinstance(node, Mapping) and isinstance(step, str) else None
        if entry is None:
            raise refused(self.text, self.path, node.start, f"{step!r} comes from a merge key here; write it out")
        return entry[1]

    def last_token(self, node: Node) -> Token:
        """The last token of a node; of an empty one the token before it."""
        return self.tokens[bisect_left(self.starts, node.end) - 1]

    def token_before(self, offset: int) -> Token:
        """The last token that starts before an offset."""
        return self.tokens[bisect_left(self.starts, offset) - 1]

    def opening(self, node: Node) -> Token | None:
        """The opening bracket of a flow collection; None where there is none, as in `[key: value]`."""
        index = bisect_left(self.starts, node.start)
        while self.tokens[index].kind in _PROPERTIES:
            index += 1
        return self.tokens[index] if self.tokens[index].kind in _OPENINGS else None

    def first_of_block(self, node: Items | Mapping) -> int:
        """Where the first dash, explicit-key mark or key of a block collection stands, behind its anchor and tag."""
        index = bisect_left(self.starts, node.start)
        while self.tokens[index].kind in _PROPERTIES:
            index += 1
        return self.tokens[index].start

    def line_prefix(self, offset: int) -> str:
        """What stands before an offset in its line; its length is the offset's column, from 0."""
        return self.text[self.lines[bisect_right(self.lines, offset) - 1] : offset]

    def newline(self, offset: int) -> str:
        """The line break that ends the line of an offset, else the text's first one, else a line feed."""
        found = _BREAK.search(self.text, offset) or _BREAK.search(self.text)
        return found[0] if found and found[0] in _NEWLINES else "\n"

    def line_behind(self, node: Node, column: int) -> "Gap":
        """Where new lines can stand behind a node of a block collection.

        They stand behind the comment in the node's last line, and behind comment lines that are indented deeper than
        `column` and so belong to the node. Raises ShipyardRefusedError where a new line would change a block scalar.
        """
        last = self.last_token(node)
        end = last.end
        if last.kind == "Scalar" and self.text[last.start] in "|>":
            if _BREAK.match(self.text, end - 1) is None:
                raise refused(self.text, self.path, last.start, "the text block ends without a line break; add one")
            return Gap(self._behind_comments(end, column), newline_first=False)
        found = _BREAK.search(self.text, end)
        if found is None:
            return Gap(len(self.text), newline_first=True)
        behind = self._behind_comments(found.end(), column)
        return Gap(found.start(), newline_first=True) if behind == found.end() else Gap(behind, newline_first=False)

    def _behind_comments(self, line: int, column: int) -> int:
        """The start of the first line from `line` on that is no comment deeper than a column."""
        while (comment := _COMMENT.match(self.text, line)) and len(comment[1]) > column:
            found = _BREAK.search(self.text, line)
            if found is None:
                return line
            line = found.end()
        return line


@dataclass(frozen=True, slots=True)
class Gap:
    """An offset for new lines: at the end of a line (`newline_first`) or at the start of one."""

    offset: int
    newline_first: bool

    def lines(self, lines: Sequence[str], newline: str) -> str:
        """The text to insert."""
        joined = newline.join(lines)
        return newline + joined if self.newline_first else joined + newline
