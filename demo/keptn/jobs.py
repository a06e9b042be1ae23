"""`job/config.yaml`: which action answers a task, and what it runs; the part that the demo understands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from demo.keptn.events import Event
from prodeval.domain.json_values import JSON, as_list, as_text, child

PATH = "job/config.yaml"


class JobConfigError(Exception):
    """A job/config.yaml that the job executor cannot read: it is then as if it was not there."""


@dataclass(frozen=True, slots=True)
class Job:
    """One task of an action.

    Attributes:
        files: files and directories of the service, needed below `/keptn/`.
        command: `cmd` and `args`.
        timeout: seconds, `maxPollDuration`.
    """

    name: str
    files: tuple[str, ...]
    command: tuple[str, ...]
    timeout: float


@dataclass(frozen=True, slots=True)
class EventMatch:
    """An unanchored regular expression on the type, and optionally a property of the event and its value."""

    name: re.Pattern[str]
    path: tuple[str, ...] = ()
    value: str = ""

    def matches(self, event: Event) -> bool:
        """Whether the action is for this event."""
        if not self.name.search(event.type):
            return False
        return not self.path or child({"data": event.data}, *self.path) == self.value


@dataclass(frozen=True, slots=True)
class Action:
    """Jobs that run one after the other when an event matches."""

    name: str
    events: tuple[EventMatch, ...]
    jobs: tuple[Job, ...]


def read_actions(text: str) -> list[Action]:
    """All actions; raises JobConfigError."""
    try:
        document: JSON = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise JobConfigError(str(error)) from error
    if child(document, "apiVersion") != "v2":
        raise JobConfigError("apiVersion must be v2")
    try:
        return [_action(value) for value in as_list(child(document, "actions"))]
    except re.error as error:
        raise JobConfigError(f"an event's name is no regular expression: {error}") from error


def action_for(event: Event, actions: Sequence[Action]) -> Action | None:
    """The first action that matches."""
    for action in actions:
        if any(match.matches(event) for match in action.events):
            return action
    return None


def _action(value: JSON) -> Action:
    return Action(
        as_text(child(value, "name")),
        tuple(map(_match, as_list(child(value, "events")))),
        tuple(map(_job, as_list(child(value, "tasks")))),
    )


def _match(value: JSON) -> EventMatch:
    path = as_text(child(value, "jsonpath", "property")).removeprefix("$.")
    parts = tuple(path.split(".")) if path else ()
    return EventMatch(re.compile(as_text(child(value, "name"))), parts, as_text(child(value, "jsonpath", "match")))


def _job(value: JSON) -> Job:
    words = [*as_list(child(value, "cmd")), *as_list(child(value, "args"))]
    timeout = child(value, "maxPollDuration")
    return Job(
        as_text(child(value, "name")),
        tuple(str(path).strip("/") for path in as_list(child(value, "files"))),
        tuple(map(str, words)),
        timeout if isinstance(timeout, int) else 300,
    )
