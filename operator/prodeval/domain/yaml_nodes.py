"""YAML texts as node trees: the first document, bounded, with the line and column of every node.

Keptn's Go decoders choose by the target field what a scalar means, so nothing is resolved here: a node's `tag` is the
tag as written, with its handle expanded, or empty. An alias is the anchored node itself, as often as it stands there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import yaml

from prodeval.domain.errors import InvalidFileError

MAX_DEPTH = 100
"""Collections inside each other; the parser itself knows no limit but the C stack."""

MAX_NODES = 100_000
"""Nodes of one document, an alias counted as all that it stands for."""

TAG_PREFIX = "tag:yaml.org,2002:"
"""What `!!` stands for in a tag."""

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
"""The plain scalars that mean null."""


def compose(text: str, *, path: str) -> yaml.Node | None:
    """The root of the first document; None if there is no document. Later ones are not even parsed, as in Go.

    Raises:
        InvalidFileError: the text is no YAML, too deep, too large, or holds itself; with line and column.
    """
    try:
        return _Composer(_events(text), path).document()
    except yaml.MarkedYAMLError as error:
        raise _marked(error, path) from error
    except yaml.reader.ReaderError as error:
        raise _unreadable(error, text, path) from error
    except UnicodeEncodeError as error:
        raise _at("half of a surrogate pair is no character", text, error.start, path) from error


def _events(text: str) -> Iterator[yaml.Event]:
    return iter(yaml.CSafeLoader(text).get_event, None)


def is_null(node: yaml.Node) -> bool:
    """Whether Go reads the node as null: an empty, `~` or `null` plain scalar, or one tagged `!!null`."""
    if not isinstance(node, yaml.ScalarNode):
        return False
    if node.tag not in {"", "!"}:
        return node.tag == f"{TAG_PREFIX}null"
    return node.style is None and node.value in NULLS


def invalid(problem: str, node: yaml.Node, *, path: str) -> InvalidFileError:
    """The error that names the place where the node begins."""
    mark = node.start_mark
    return InvalidFileError(problem, path=path, line=mark.line + 1, column=mark.column + 1)


@dataclass(frozen=True, slots=True)
class _Anchored:
    """An anchored node with what an alias to it costs: its nodes, and the collections inside each other."""

    node: yaml.Node
    nodes: int
    height: int


@dataclass(slots=True)
class _Composer:
    """Builds the tree from the event stream, where depth and size are known before anything can grow."""

    events: Iterator[yaml.Event]
    path: str
    nodes: int = 0
    anchors: dict[str, _Anchored | None] = field(default_factory=dict)
    """None while the anchored node is still open."""

    def document(self) -> yaml.Node | None:
        """The root; the event behind it is read too, since it can be an error."""
        next(self.events)
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        root, _ = self._node(self._next(), 0)
        next(self.events)
        return root

    def _node(self, event: yaml.NodeEvent, depth: int) -> tuple[yaml.Node, int]:
        """The node that the event begins, and the height of its tree; `depth` is what stands around it."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        before = self.nodes
        self._count(1, event)
        if event.anchor is None:
            return self._content(event, depth)
        self.anchors[event.anchor] = None
        node, height = self._content(event, depth)
        self.anchors[event.anchor] = _Anchored(node, self.nodes - before, height)
        return node, height

    def _content(self, event: yaml.NodeEvent, depth: int) -> tuple[yaml.Node, int]:
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event), 0
        self._check_depth(depth + 1, event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(cast("yaml.MappingStartEvent", event), depth)

    def _sequence(self, event: yaml.SequenceStartEvent, depth: int) -> tuple[yaml.Node, int]:
        items = [self._node(item, depth + 1) for item in self._until(yaml.SequenceEndEvent)]
        node = yaml.SequenceNode(event.tag or "", [item for item, _ in items], *_marks(event))
        return node, 1 + max((height for _, height in items), default=0)

    def _mapping(self, event: yaml.MappingStartEvent, depth: int) -> tuple[yaml.Node, int]:
        pairs = [
            (self._node(key, depth + 1), self._node(self._next(), depth + 1))
            for key in self._until(yaml.MappingEndEvent)
        ]
        node = yaml.MappingNode(event.tag or "", [(key, value) for (key, _), (value, _) in pairs], *_marks(event))
        return node, 1 + max((max(key, value) for (_, key), (_, value) in pairs), default=0)

    def _next(self) -> yaml.NodeEvent:
        return cast("yaml.NodeEvent", next(self.events))

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.NodeEvent]:
        for event in self.events:
            if isinstance(event, end):
                return
            yield cast("yaml.NodeEvent", event)

    def _alias(self, event: yaml.AliasEvent, depth: int) -> tuple[yaml.Node, int]:
        name = event.anchor or ""
        if name not in self.anchors:
            raise self._error(f"unknown anchor {name!r}", event)
        anchored = self.anchors[name]
        if anchored is None:
            raise self._error(f"anchor {name!r} holds itself", event)
        self._count(anchored.nodes, event)
        self._check_depth(depth + anchored.height, event)
        return anchored.node, anchored.height

    def _count(self, nodes: int, event: yaml.Event) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise self._error(f"more than {MAX_NODES} values, aliases counted as what they stand for", event)

    def _check_depth(self, depth: int, event: yaml.Event) -> None:
        if depth > MAX_DEPTH:
            raise self._error(f"more than {MAX_DEPTH} collections inside each other", event)

    def _error(self, problem: str, event: yaml.Event) -> InvalidFileError:
        begin, _ = _marks(event)
        return InvalidFileError(problem, path=self.path, line=begin.line + 1, column=begin.column + 1)


def _scalar(event: yaml.ScalarEvent) -> yaml.ScalarNode:
    """A plain scalar has no style, whether the parser says so by None or by an empty text."""
    return yaml.ScalarNode(event.tag or "", event.value, *_marks(event), event.style or None)


def _marks(event: yaml.Event) -> tuple[yaml.error.Mark, yaml.error.Mark]:
    """Begin and end; the C parser's marks have the lines and columns of Python's."""
    return cast("yaml.error.Mark", event.start_mark), cast("yaml.error.Mark", event.end_mark)


def _marked(error: yaml.MarkedYAMLError, path: str) -> InvalidFileError:
    """Each error of libyaml has a mark."""
    mark = cast("yaml.error.Mark", error.problem_mark or error.context_mark)
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    return InvalidFileError(problem, path=path, line=mark.line + 1, column=mark.column + 1)


def _unreadable(error: yaml.reader.ReaderError, text: str, path: str) -> InvalidFileError:
    """The parser counts bytes of UTF-8 and names the character by its number."""
    index = len(text.encode()[: error.position].decode(errors="ignore"))
    return _at(f"character U+{error.character:04X} is not allowed", text, index, path)


def _at(problem: str, text: str, index: int, path: str) -> InvalidFileError:
    lines = f"{text[:index]}.".splitlines()
    return InvalidFileError(problem, path=path, line=len(lines), column=len(lines[-1]))
