"""Shipyards, as Keptn's controller reads them: leniently, first stage and first sequence of a name win."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from prodeval.domain.json_values import JSON, JSONObject, as_list, as_object, as_text, child

_PREFIX = "spec.keptn.sh/"


class ShipyardError(Exception):
    """A shipyard, or a part of it, that Keptn cannot run; the message is Keptn's."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task; `triggered_after` is a Go duration, empty if absent; `properties` None if absent."""

    name: str
    triggered_after: str = ""
    properties: JSON = None

    def to_json(self) -> JSONObject:
        """As the API shows it."""
        delay = {"triggeredAfter": self.triggered_after} if self.triggered_after else {}
        return {"name": self.name, **delay, "properties": self.properties}


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a sequence: an event such as `qa.delivery.finished`, and the selector's `match`."""

    event: str
    match: Mapping[str, str] = field(default_factory=dict)

    def fires(self, result: str, last_task: str) -> bool:
        """Whether a sequence that ended with that result behind that task starts this one; none: pass or warning."""
        if not self.match:
            return result in ("pass", "warning")
        return result in (self.match.get("result"), self.match.get(f"{last_task}.result"))

    def to_json(self) -> JSONObject:
        """As in a shipyard."""
        return {"event": self.event, **({"selector": {"match": dict(self.match)}} if self.match else {})}


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence of tasks."""

    name: str
    triggered_on: tuple[Trigger, ...]
    tasks: tuple[Task, ...]

    def to_json(self) -> JSONObject:
        """As in Keptn's cached shipyard."""
        triggers = {"triggeredOn": [each.to_json() for each in self.triggered_on]} if self.triggered_on else {}
        return {"name": self.name, **triggers, "tasks": [task.to_json() for task in self.tasks]}


EVALUATION = Sequence("evaluation", (), (Task("evaluation"),))
"""Built into every stage that has no sequence of that name."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage."""

    name: str
    sequences: tuple[Sequence, ...]


@dataclass(frozen=True, slots=True)
class Shipyard:
    """A whole shipyard; `name` is its metadata's."""

    api_version: str
    name: str
    stages: tuple[Stage, ...]

    def sequence(self, stage: str, name: str) -> Sequence:
        """The sequence to run; raises ShipyardError if there is none or it has no tasks."""
        for sequence in self._stage(stage).sequences:
            if sequence.name == name and sequence.tasks:
                return sequence
        if name == EVALUATION.name:
            return EVALUATION
        raise ShipyardError(f"no sequence with name {name} found in stage {stage}")

    def chained(self, stage: str, name: str, result: str, last_task: str) -> Iterator[tuple[str, str]]:
        """Stage and name of each sequence that starts when that one has finished."""
        for later in self.stages:
            for sequence in later.sequences:
                for trigger in sequence.triggered_on:
                    if trigger.event == f"{stage}.{name}.finished" and trigger.fires(result, last_task):
                        yield later.name, sequence.name

    def parents(self, stage: str) -> list[str]:
        """The other stages whose sequences start one of this stage."""
        events = [trigger.event for sequence in self._stage(stage).sequences for trigger in sequence.triggered_on]
        names = dict.fromkeys(event.split(".")[0] for event in events)
        return [name for name in names if name != stage]

    def to_yaml(self) -> str:
        """Normalised, as Keptn caches it: no comments, `properties: null` added."""
        stages = [
            {"name": stage.name, "sequences": [sequence.to_json() for sequence in stage.sequences]}
            for stage in self.stages
        ]
        document = {
            "apiVersion": self.api_version,
            "kind": "Shipyard",
            "metadata": {"name": self.name},
            "spec": {"stages": stages},
        }
        return yaml.safe_dump(document, sort_keys=False, indent=4)

    def _stage(self, name: str) -> Stage:
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise ShipyardError(f"no stage with name {name} found")


def read_shipyard(text: str) -> Shipyard:
    """Read a shipyard; raises ShipyardError if it is no YAML or its version is below 0.2."""
    try:
        document: JSON = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ShipyardError(f"could not decode shipyard file: {error}") from error
    version = as_text(child(document, "apiVersion"))
    if not _supported(version):
        raise ShipyardError("invalid version: a shipyard needs at least version 0.2")
    stages = as_list(child(document, "spec", "stages"))
    return Shipyard(version, as_text(child(document, "metadata", "name")), tuple(map(_stage, stages)))


def _supported(version: str) -> bool:
    try:
        numbers = [int(number) for number in version.removeprefix(_PREFIX).split(".")]
    except ValueError:
        return False
    return numbers >= [0, 2]


def _stage(value: JSON) -> Stage:
    return Stage(as_text(child(value, "name")), tuple(map(_sequence, as_list(child(value, "sequences")))))


def _sequence(value: JSON) -> Sequence:
    return Sequence(
        as_text(child(value, "name")),
        tuple(map(_trigger, as_list(child(value, "triggeredOn")))),
        tuple(map(_task, as_list(child(value, "tasks")))),
    )


def _trigger(value: JSON) -> Trigger:
    match = as_object(child(value, "selector", "match"))
    return Trigger(as_text(child(value, "event")), {key: str(wanted) for key, wanted in match.items()})


def _task(value: JSON) -> Task:
    item = as_object(value)
    return Task(as_text(item.get("name")), as_text(item.get("triggeredAfter")), item.get("properties"))
