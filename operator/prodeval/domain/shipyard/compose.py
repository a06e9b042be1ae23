"""Text to nodes and tokens.

PyYAML's own composer puts the node that an alias names in the place of the alias, and so loses where the alias stands.
"""

from dataclasses import dataclass
from typing import cast

import yaml

from prodeval.domain.errors import ShipyardRefusedError
from prodeval.domain.shipyard.nodes import BOM, Alias, Items, Mapping, Node, Own, Scalar, is_merge, own, refused

MAX_CHARACTERS = 512 * 1024
MAX_NODES = 20_000
MAX_MERGED = 20_000
MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Token:
    """One visible piece of the text; `kind` is PyYAML's class name without `Token`."""

    kind: str
    start: int
    end: int


def scan(text: str) -> tuple[Token, ...]:
    """The visible tokens of a text that `compose` accepted, in order."""
    shift = int(text.startswith(BOM))
    return tuple(
        Token(type(token).__name__.removesuffix("Token"), token.start_mark.index + shift, token.end_mark.index + shift)
        for token in yaml.scan(text[shift:], Loader=yaml.CSafeLoader)
        if token.end_mark.index > token.start_mark.index
    )


def compose(text: str, path: str) -> Own:
    """The root of the only document.

    Raises ShipyardRefusedError for what is not YAML, no or several documents, duplicate keys, keys that are no text,
    and for what is too large or too deep to be a shipyard.
    """
    if len(text) > MAX_CHARACTERS:
        raise refused(text, path, MAX_CHARACTERS, f"larger than {MAX_CHARACTERS} characters; a shipyard is far smaller")
    try:
        return _Composer(text, path).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text, path) from error
    except yaml.reader.ReaderError as error:
        # The position counts bytes behind the byte order mark.
        mark = int(text.startswith(BOM))
        offset = len(text[mark:].encode()[: error.position].decode(errors="ignore")) + mark
        raise refused(text, path, offset, f"the character U+{error.character:04X} is not allowed; delete it") from error
    except UnicodeEncodeError as error:
        raise refused(text, path, error.start, "half of a surrogate pair; save it as UTF-8") from error


def _syntax_error(error: yaml.MarkedYAMLError, text: str, path: str) -> ShipyardRefusedError:
    # The start of a key without a colon tells more than the next line, where the colon was missed.
    in_key = error.context == "while scanning a simple key"
    mark = error.context_mark if in_key else error.problem_mark or error.context_mark
    remedy = "render the template first" if "{{" in text or "{%" in text else "correct it there"
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return ShipyardRefusedError(
        f"not YAML: {error.problem or error.context}; {remedy}", path=path, line=line, column=column
    )


class _Composer:
    """Builds nodes from libyaml's events."""

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path = text, path
        # libyaml drops a byte order mark without counting it.
        self._shift = int(text.startswith(BOM))
        self._events = yaml.parse(text[self._shift :], Loader=yaml.CSafeLoader)
        self._anchors: dict[str, Own] = {}
        self._nodes = self._merged = 0

    def document(self) -> Own:
        root: Own | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._refused(self._start(event), "a second document; Keptn reads the first only, keep one")
                root = own(self._node(self._next(), 0))
        if root is None:
            raise self._refused(0, "no document; write a shipyard")
        return root

    def _start(self, event: yaml.Event) -> int:
        return cast("yaml.error.Mark", event.start_mark).index + self._shift

    def _end(self, event: yaml.Event) -> int:
        # Without a final newline libyaml's marks can point behind the text.
        return min(cast("yaml.error.Mark", event.end_mark).index + self._shift, len(self._text))

    def _refused(self, offset: int, problem: str) -> ShipyardRefusedError:
        return refused(self._text, self._path, offset, problem)

    def _next(self) -> yaml.NodeEvent:
        return cast("yaml.NodeEvent", next(self._events))

    def _node(self, event: yaml.NodeEvent, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise self._refused(
                self._start(event), "too many or too deeply nested nodes for a shipyard; make it smaller"
            )
        if isinstance(event, yaml.AliasEvent):
            return Alias(self._start(event), self._end(event), self._target(event))
        node = self._own(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _target(self, event: yaml.AliasEvent) -> Own:
        target = self._anchors.get(event.anchor or "")
        if target is None:
            problem = f"the alias *{event.anchor} names no complete anchor before it; write the value out"
            raise self._refused(self._start(event), problem)
        return target

    def _own(self, event: yaml.NodeEvent, depth: int) -> Own:
        start = self._start(event)
        if isinstance(event, yaml.ScalarEvent):
            tag = "" if any(event.implicit) else event.tag or "!"
            return Scalar(start, self._end(event), event.value, event.style or "", tag)
        children, end = self._children(depth)
        is_flow = bool(cast("yaml.CollectionStartEvent", event).flow_style)
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(start, end, is_flow, tuple(children))
        entries = self._entries(children)
        return Mapping(start, end, is_flow, entries, self._members(entries))

    def _children(self, depth: int) -> tuple[list[Node], int]:
        children: list[Node] = []
        while not isinstance(event := self._next(), yaml.CollectionEndEvent):
            children.append(self._node(event, depth + 1))
        return children, self._end(event)

    def _entries(self, children: list[Node]) -> tuple[tuple[Scalar, Node], ...]:
        entries: list[tuple[Scalar, Node]] = []
        seen: set[str] = set()
        for key, value in zip(children[::2], children[1::2], strict=True):
            name = own(key)
            if not isinstance(name, Scalar):
                raise self._refused(key.start, "a key that is no text; render a template first, write keys plainly")
            if name.value in seen:
                raise self._refused(key.start, f"the key {name.value!r} stands here twice; remove one")
            seen.add(name.value)
            entries.append((Scalar(key.start, key.end, name.value, name.style, name.tag), value))
        return tuple(entries)

    def _members(self, entries: tuple[tuple[Scalar, Node], ...]) -> dict[str, Node]:
        members: dict[str, Node] = {}
        for key, value in entries:
            if is_merge(key):
                members |= self._merge(value)
        return members | {key.value: value for key, value in entries if not is_merge(key)}

    def _merge(self, value: Node) -> dict[str, Node]:
        source = own(value)
        members: dict[str, Node] = {}
        for each in reversed(source.children if isinstance(source, Items) else (source,)):
            target = own(each)
            if not isinstance(target, Mapping):
                raise self._refused(value.start, "a merge key that merges no mapping; write the entries out")
            self._merged += len(target.members)
            if self._merged > MAX_MERGED:
                raise self._refused(value.start, "too many merged entries for a shipyard; make it smaller")
            members |= target.members
        return members
