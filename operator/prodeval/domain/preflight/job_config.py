"""job/config.yaml as the job executor reads it, as far as events go.

Source: keptn-contrib/job-executor-service, pkg/config.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from prodeval.domain.errors import InvalidFileError, WouldBreakServicesError
from prodeval.domain.go_yaml import Decoder
from prodeval.domain.paths import JOB_CONFIG
from prodeval.domain.resource import Target
from prodeval.domain.yaml_nodes import compose, invalid

DEFAULT_POLL_SECONDS = 300
MAX_PATTERN = 200
MAX_QUANTIFIERS = 3

_ACTION = frozenset({"name", "events", "tasks", "silent"})
_EVENT = frozenset({"name", "jsonpath"})
_JSONPATH = frozenset({"property", "match"})
_TASK = frozenset(
    {
        "name",
        "files",
        "image",
        "imagePullPolicy",
        "cmd",
        "args",
        "env",
        "resources",
        "workingDir",
        "maxPollDuration",
        "namespace",
        "ttlSecondsAfterFinished",
        "securityContext",
        "serviceAccount",
        "annotations",
    }
)
_SIMPLE = re.compile(
    r"(?>[\w/:, =@~!\"'%&;<>#.-]|\\[.\\/+*?^$|()\[\]{}dDwWsS-]|\[\^?[\w. /:-]+\]"
    r"|\(\?:|\((?!\?)|\)|\||\^|\$|[*+?]\??|\{[0-9]{1,2}(?:,[0-9]{0,2})?\})*+",
    re.ASCII,
)
"""What Go and Python read alike; the groups are atomic, since this is tried on anything."""

_QUANTIFIER = re.compile(r"(?<![\\(])(?:[*+?]\??|\{[0-9,]+\})")
_REPEATED_GROUP = re.compile(r"\)(?:[*+]|\{)")


@dataclass(frozen=True, slots=True)
class Event:
    """What starts an action; line and column are those of its name, from 1."""

    pattern: str
    property: str
    match: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Action:
    """Some jobs, one after another.

    Attributes:
        poll_seconds: how long the executor waits for the most patient of them.
    """

    name: str
    events: tuple[Event, ...]
    poll_seconds: int


def read_job_config(text: str, *, path: str = JOB_CONFIG) -> tuple[Action, ...]:
    """Read the actions; raises InvalidFileError where the job executor refuses the file."""
    return _JobDecoder(path).actions(compose(text, path=path))


class _JobDecoder(Decoder):
    """Knows the schema; the base class knows Go."""

    __slots__ = ()

    def actions(self, root: yaml.Node | None) -> tuple[Action, ...]:
        members = self._known(root, "job/config.yaml", frozenset({"apiVersion", "actions"}))
        version = members.get("apiVersion")
        if version is None or self.text(version, "apiVersion") != "v2":
            if root is None or version is None:
                raise InvalidFileError("apiVersion is missing; write apiVersion: v2", path=self.path, line=1, column=1)
            raise invalid("apiVersion must be v2", version, path=self.path)
        return tuple(self.action(node) for node in self.items(members.get("actions"), "actions"))

    def _known(self, node: yaml.Node | None, name: str, known: frozenset[str]) -> dict[str, yaml.Node]:
        members = self.members(node, name)
        unknown = sorted(members.keys() - known)
        if unknown:
            keys = (
                [key for key, _ in node.value if key.value == unknown[0]] if isinstance(node, yaml.MappingNode) else []
            )
            problem = f"{name} knows no {unknown[0]!r}, and the job executor refuses what it does not know"
            raise invalid(problem, keys[0] if keys else members[unknown[0]], path=self.path)
        return members

    def action(self, node: yaml.Node) -> Action:
        members = self._known(node, "an action", _ACTION)
        tasks = [self._known(task, "a task", _TASK) for task in self.items(members.get("tasks"), "tasks")]
        polls = [
            self.integer(task["maxPollDuration"], "maxPollDuration") for task in tasks if "maxPollDuration" in task
        ]
        return Action(
            self.text(members.get("name"), "name"),
            tuple(self.event(event) for event in self.items(members.get("events"), "events")),
            max(polls, default=DEFAULT_POLL_SECONDS),
        )

    def event(self, node: yaml.Node) -> Event:
        members = self._known(node, "an event", _EVENT)
        jsonpath = self._known(members.get("jsonpath"), "jsonpath", _JSONPATH)
        mark = members.get("name", node).start_mark
        return Event(
            self.text(members.get("name"), "name"),
            self.text(jsonpath.get("property"), "property"),
            self.text(jsonpath.get("match"), "match"),
            mark.line + 1,
            mark.column + 1,
        )


def triggered(task: str) -> str:
    """The type of the event that asks for a task."""
    return f"sh.keptn.event.{task}.triggered"


def matches(pattern: str, event_type: str) -> bool | None:
    """Whether an event pattern, a Go regular expression without anchors, fits an event type.

    None: too unusual a pattern to be tried here. Go's expressions take linear time and Python's do not, so only those
    are tried that cannot take long.
    """
    if len(pattern) > MAX_PATTERN or not _SIMPLE.fullmatch(pattern):
        return None
    if _REPEATED_GROUP.search(pattern) or len(_QUANTIFIER.findall(pattern)) > MAX_QUANTIFIERS:
        return None
    try:
        return re.search(pattern, event_type, re.ASCII) is not None
    except re.error:
        return False


def answering(actions: Iterable[Action], task: str, target: Target) -> tuple[Action, ...]:
    """The actions that start for a task of a service; a pattern that cannot be tried counts as fitting."""
    return tuple(action for action in actions if any(_fits(event, task, target) for event in action.events))


def _fits(event: Event, task: str, target: Target) -> bool:
    known = {"$.data.project": target.project, "$.data.stage": target.stage, "$.data.service": target.service}
    if event.property in known and known[event.property] != event.match:
        return False
    return matches(event.pattern, triggered(task)) is not False


def effective(service: bytes | None, stage: bytes | None, project: bytes | None) -> bytes | None:
    """The job/config.yaml that counts: the first that exists."""
    return next((content for content in (service, stage, project) if content is not None), None)


def has_action(content: bytes | None, task: str, target: Target) -> bool:
    """Whether a job/config.yaml answers a task; one that cannot be read answers nothing."""
    try:
        return content is not None and bool(answering(read_job_config(content.decode()), task, target))
    except (InvalidFileError, UnicodeDecodeError):
        return False


def check_services(configs: Mapping[Target, bytes | None], task: str) -> None:
    """Raise WouldBreakServicesError if a service of the stage has no action for a new task.

    `configs`: the job/config.yaml that counts for each service of the stage (see `effective`).
    """
    broken = sorted(target.service for target, content in configs.items() if not has_action(content, task, target))
    if broken:
        raise WouldBreakServicesError(
            f"each delivery of {', '.join(broken)} would wait ten minutes for {task!r} and fail: no action for it in "
            f"their job/config.yaml; add one for {triggered(task)} at the service or the stage, "
            "or set spec.shipyard.load: LiveTraffic"
        )
