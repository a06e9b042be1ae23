"""A shipyard as Keptn reads it (keptn/go-utils v0.20.4, pkg/lib/v0_2_0/shipyard.go), with the places of its parts."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from prodeval.domain.errors import InvalidSpecError, ShipyardRefusedError
from prodeval.domain.shipyard.compose import compose
from prodeval.domain.shipyard.nodes import Items, Mapping, Node, Own, Places, Scalar, own, refused
from prodeval.domain.shipyard.values import NULL, Value, decode, is_null

_ENTITY = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_VERSION = re.compile(r"v?([0-9]+)(?:\.([0-9]+))?(?:\.[0-9]+)?(?:\+[0-9A-Za-z.-]+)?")
_API = "spec.keptn.sh/"


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a sequence; `properties` is NULL if it has none, line and column are from 1."""

    name: str
    triggered_after: str
    properties: Value
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that starts a sequence, if the results match."""

    event: str
    match: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """The tasks that run one after another."""

    name: str
    triggered_on: tuple[Trigger, ...]
    tasks: tuple[Task, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage."""

    name: str
    sequences: tuple[Sequence, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Shipyard:
    """A shipyard that Keptn accepts.

    Attributes:
        root: the nodes it was read from.
    """

    path: str
    stages: tuple[Stage, ...]
    root: Own

    def stage(self, name: str) -> tuple[int, Stage]:
        """A stage and its index.

        Raises InvalidSpecError if there is none of the name, ShipyardRefusedError if there are two.
        """
        found = [(index, stage) for index, stage in enumerate(self.stages) if stage.name == name]
        if not found:
            raise InvalidSpecError(f"{self.path}: no stage {name!r}; the shipyard has {_names(self.stages)}")
        self._alone("stage", [stage for _, stage in found])
        return found[0]

    def sequence(self, stage_name: str, name: str) -> tuple[tuple[int, int], Sequence]:
        """A sequence and the indices of its stage and itself; raises as `stage` does."""
        at, stage = self.stage(stage_name)
        found = [((at, index), sequence) for index, sequence in enumerate(stage.sequences) if sequence.name == name]
        if not found:
            raise InvalidSpecError(
                f"{self.path}:{stage.line}:{stage.column}: stage {stage_name!r} has no sequence {name!r}; "
                f"it has {_names(stage.sequences)}"
            )
        self._alone("sequence", [sequence for _, sequence in found])
        return found[0]

    def _alone(self, kind: str, found: "list[Stage] | list[Sequence]") -> None:
        for second in found[1:]:
            raise ShipyardRefusedError(
                f"a second {kind} {second.name!r}; Keptn uses the first only, remove one",
                path=self.path,
                line=second.line,
                column=second.column,
            )


def _names(named: Iterable[Stage] | Iterable[Sequence] | Iterable[Task]) -> str:
    return ", ".join(each.name for each in named) or "none"


def anchor_missing(shipyard: Shipyard, sequence: Sequence, anchor: str) -> InvalidSpecError:
    """The error about a sequence without the task that the gate stands behind."""
    return InvalidSpecError(
        f"{shipyard.path}:{sequence.line}:{sequence.column}: sequence {sequence.name!r} has no task {anchor!r}; "
        f"it has {_names(sequence.tasks)}"
    )


def read_shipyard(text: str, *, path: str = "shipyard.yaml") -> Shipyard:
    """Read a shipyard.

    Raises ShipyardRefusedError with line, column and remedy for what Keptn refuses, and for what is ambiguous: several
    documents, duplicate keys.
    """
    root = compose(text, path)
    return _Reader(text, path).shipyard(root)


class _Reader:
    """Reads nodes, knowing the text for its errors."""

    def __init__(self, text: str, path: str) -> None:
        self._text, self._path, self._places = text, path, Places(text)

    def shipyard(self, root: Own) -> Shipyard:
        top = self._mapping(root, "the shipyard")
        self._version(top, root)
        spec = self._member(top, "spec")
        stages_node = self._mapping(spec, "spec").get("stages") if spec else None
        nodes = self._items(stages_node, "spec.stages")
        if not nodes:
            raise self._refused(stages_node or spec or root, "no stage; Keptn wants at least one below spec.stages")
        stages = tuple(self._stage(node) for node in nodes)
        self._bounded(root)
        return Shipyard(self._path, stages, root)

    def _refused(self, node: Node, problem: str) -> ShipyardRefusedError:
        return refused(self._text, self._path, node.start, problem)

    def _bounded(self, root: Own) -> None:
        try:
            decode(root)
        except OverflowError:
            raise self._refused(root, "its aliases repeat too much; write fewer") from None

    def _version(self, top: dict[str, Node], root: Own) -> None:
        node = top.get("apiVersion")
        text = self._text_of(node, "apiVersion").removeprefix(_API)
        found = _VERSION.fullmatch(text)
        if not found or (int(found[1]), int(found[2] or 0)) < (0, 2):
            raise self._refused(node or root, f'apiVersion is {text!r}; Keptn wants "{_API}0.2.3", at least 0.2.0')

    def _member(self, members: dict[str, Node], key: str) -> Node | None:
        node = members.get(key)
        return None if node is None or is_null(node) else node

    def _mapping(self, node: Node, what: str) -> dict[str, Node]:
        if is_null(node):
            return {}
        target = own(node)
        if not isinstance(target, Mapping):
            raise self._refused(node, f"{what} is no mapping; write it as `key: value` lines")
        return dict(target.members)

    def _items(self, node: Node | None, what: str) -> tuple[Node, ...]:
        if node is None or is_null(node):
            return ()
        target = own(node)
        if not isinstance(target, Items):
            raise self._refused(node, f"{what} is no list; write each entry behind a `- `")
        return target.children

    def _text_of(self, node: Node | None, what: str) -> str:
        if node is None or is_null(node):
            return ""
        target = own(node)
        if not isinstance(target, Scalar):
            raise self._refused(node, f"{what} is no text; write one value, and render a template first")
        return target.value

    def _stage(self, node: Node) -> Stage:
        members = self._mapping(node, "a stage")
        name = self._text_of(members.get("name"), "a stage's name")
        if not _ENTITY.fullmatch(name):
            problem = f"{name!r} is no name of a stage; Keptn wants lower-case letters, digits and inner hyphens"
            raise self._refused(members.get("name", node), problem)
        nodes = self._items(members.get("sequences"), "sequences")
        sequences = tuple(self._sequence(each) for each in nodes)
        return Stage(name, sequences, *self._places.at(node.start))

    def _sequence(self, node: Node) -> Sequence:
        members = self._mapping(node, "a sequence")
        return Sequence(
            name=self._text_of(members.get("name"), "a sequence's name"),
            triggered_on=tuple(map(self._trigger, self._items(members.get("triggeredOn"), "triggeredOn"))),
            tasks=tuple(map(self._task, self._items(members.get("tasks"), "tasks"))),
            line=self._places.at(node.start)[0],
            column=self._places.at(node.start)[1],
        )

    def _trigger(self, node: Node) -> Trigger:
        members = self._mapping(node, "an entry of triggeredOn")
        selector = self._member(members, "selector")
        match = self._mapping(selector, "selector").get("match") if selector else None
        pairs = self._mapping(match, "match").items() if match else ()
        texts = tuple((key, self._text_of(value, f"match.{key}")) for key, value in pairs)
        return Trigger(self._text_of(members.get("event"), "event"), texts)

    def _task(self, node: Node) -> Task:
        members = self._mapping(node, "a task")
        properties = members.get("properties")
        return Task(
            self._text_of(members.get("name"), "a task's name"),
            self._text_of(members.get("triggeredAfter"), "triggeredAfter"),
            NULL if properties is None else decode(properties),
            *self._places.at(node.start),
        )


def triggering_stage(text: str, stage: str, sequence: str, *, path: str = "shipyard.yaml") -> str | None:
    """The stage whose sequence starts this one (`triggeredOn: qa.delivery.finished` -> qa); None if none does.

    Raises ShipyardRefusedError as `read_shipyard`, InvalidSpecError if stage or sequence are absent.
    """
    shipyard = read_shipyard(text, path=path)
    known = {each.name for each in shipyard.stages} - {stage}
    events = [trigger.event.split(".") for trigger in shipyard.sequence(stage, sequence)[1].triggered_on]
    return next((parts[0] for parts in events if parts[0] in known and parts[2:] == ["finished"]), None)


def tasks(text: str, stage: str, sequence: str, *, path: str = "shipyard.yaml") -> tuple[Task, ...]:
    """The tasks of a sequence; raises as `triggering_stage`."""
    return read_shipyard(text, path=path).sequence(stage, sequence)[1].tasks
