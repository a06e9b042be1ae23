"""The ProductionEvaluation, read from what the API server or a file holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias, TypeVar

from prodeval.domain.durations import parse_duration
from prodeval.domain.errors import InvalidSpecError
from prodeval.domain.json_values import JSON, JSONObject, as_object, as_text, child
from prodeval.domain.paths import is_plain_path

GROUP = "prodeval.dev"
VERSION = "v1alpha1"
PLURAL = "productionevaluations"
KIND = "ProductionEvaluation"
RECONCILE_REQUESTED = f"{GROUP}/reconcile-requested-at"

Load: TypeAlias = Literal["Generate", "LiveTraffic"]
Policy: TypeAlias = Literal["Manage", "Verify"]
Chosen = TypeVar("Chosen", bound=str)

_LOADS: tuple[Load, ...] = ("Generate", "LiveTraffic")
_POLICIES: tuple[Policy, ...] = ("Manage", "Verify")
_DEGRADING = ("Warning", "Fail", "Inconclusive")
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(hours=24)
_INT64, _HISTORY = range(1 << 63), range(51)
_MOST_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class ResourceKey:
    """Names one resource in the cluster."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which object has a name, and how new it is; `version` grows with each write to any object of the kind."""

    uid: str
    version: int


def version_number(metadata: JSONObject) -> int:
    """The resourceVersion as a number; 0 if it is none."""
    text = as_text(metadata.get("resourceVersion"))
    return int(text) if text.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Target:
    """What is judged: one service in one stage of one project."""

    project: str
    stage: str
    service: str

    def __str__(self) -> str:
        return f"{self.project}/{self.stage}/{self.service}"


@dataclass(frozen=True, slots=True)
class StageFiles:
    """Files copied from another stage; no paths: the well-known ones that exist there."""

    name: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigMapFiles:
    """Files from a ConfigMap of the resource's namespace: (key, path) pairs; none: the well-known keys."""

    name: str
    items: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class InlineFile:
    """One file in place."""

    path: str
    content: str


FileSource: TypeAlias = StageFiles | ConfigMapFiles | InlineFile


@dataclass(frozen=True, slots=True)
class OnFail:
    """The sequence that starts when the evaluation failed."""

    sequence: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShipyardSpec:
    """The tasks that the production sequence shall have; None: not set."""

    policy: Policy = "Manage"
    sequence: str = "delivery"
    after_task: str = "je-deployment"
    test_task: str = "je-test"
    load: Load | None = None
    timeframe: str | None = None
    on_fail: OnFail | None = None

    @property
    def tasks(self) -> tuple[str, str, str]:
        """Sequence, anchor and test task: what a verdict is about."""
        return self.sequence, self.after_task, self.test_task


@dataclass(frozen=True, slots=True)
class Resource:
    """One ProductionEvaluation.

    Attributes:
        created: creationTimestamp as text, RFC 3339 in UTC with seconds, so that text order is time order.
        reconcile_requested: the annotation that asks for a sync now; empty if absent.
        result_timeout: None if the spec does not say.
        status: the status as it was read.
    """

    key: ResourceKey
    target: Target
    uid: str = ""
    created: str = ""
    generation: int = 0
    reconcile_requested: str = ""
    version: str | None = None
    files: tuple[FileSource, ...] = ()
    shipyard: ShipyardSpec = field(default_factory=ShipyardSpec)
    degrade_on: frozenset[str] = frozenset({"Fail", "Inconclusive"})
    result_timeout: timedelta | None = None
    interval: timedelta = timedelta(minutes=10)
    suspend: bool = False
    history_limit: int = 10
    status: JSONObject = field(default_factory=dict)


def read_resource(body: JSONObject) -> Resource:
    """Read a resource; raises InvalidSpecError, naming the field, where the API server would have refused it.

    An object that was stored under an older schema is served as it is, whatever that let in.
    """
    spec = _section(body, "spec", "spec")
    return Resource(
        key=resource_key(body),
        target=Target(_name(spec, "project"), _name(spec, "stage", "production"), _name(spec, "service")),
        uid=as_text(child(body, "metadata", "uid")),
        created=as_text(child(body, "metadata", "creationTimestamp")),
        generation=_integer(child(body, "metadata", "generation"), 0, "metadata.generation", _INT64),
        reconcile_requested=as_text(child(body, "metadata", "annotations", RECONCILE_REQUESTED)),
        version=_text(spec, "version", "spec") or None,
        files=tuple(_source(entry, f"spec.files[{n}]") for n, entry in enumerate(_list(spec, "files", "spec"))),
        shipyard=_shipyard(_section(spec, "shipyard", "spec.shipyard")),
        degrade_on=_degrade_on(spec),
        result_timeout=None if spec.get("resultTimeout") is None else _duration(spec, "resultTimeout", ""),
        interval=_duration(spec, "interval", "10m"),
        suspend=_flag(spec, "suspend", "spec"),
        history_limit=_integer(spec.get("historyLimit"), 10, "spec.historyLimit", _HISTORY),
        status=as_object(body.get("status")),
    )


def unreadable_resource(body: JSONObject) -> Resource:
    """What is known of an object whose spec cannot be read: who it is, and its status; its target is empty."""
    generation = child(body, "metadata", "generation")
    return Resource(
        key=resource_key(body),
        target=Target("", "", ""),
        uid=as_text(child(body, "metadata", "uid")),
        created=as_text(child(body, "metadata", "creationTimestamp")),
        generation=generation if isinstance(generation, int) and not isinstance(generation, bool) else 0,
        status=as_object(body.get("status")),
    )


def resource_key(body: JSONObject) -> ResourceKey:
    """The name of a resource, whatever its spec."""
    metadata = as_object(body.get("metadata"))
    return ResourceKey(as_text(metadata.get("namespace")), as_text(metadata.get("name")))


def _section(value: JSONObject, name: str, place: str) -> JSONObject:
    found = value.get(name)
    if found is not None and not isinstance(found, Mapping):
        raise InvalidSpecError(f"{place}: must be a mapping")
    return found or {}


def _list(value: JSONObject, name: str, place: str) -> Sequence[JSON]:
    found = value.get(name)
    if found is not None and (isinstance(found, str) or not isinstance(found, Sequence)):
        raise InvalidSpecError(f"{place}.{name}: must be a list")
    return found or ()


def _text(value: JSONObject, name: str, place: str, default: str = "") -> str:
    return _checked_text(value.get(name), f"{place}.{name}", default)


def _checked_text(value: JSON, place: str, default: str = "") -> str:
    if value is None:
        return default
    if not isinstance(value, str) or any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidSpecError(f"{place}: must be text")
    return value


def _name(spec: JSONObject, name: str, default: str = "") -> str:
    """A name that becomes part of paths."""
    value = _text(spec, name, "spec", default)
    if not value:
        raise InvalidSpecError(f"spec.{name} is missing")
    if not is_plain_path(value) or "/" in value:
        raise InvalidSpecError(
            f"spec.{name}: {value[:_MOST_SHOWN]!r} is not a name; use letters, digits, '_', '-', '.'"
        )
    return value


def _choice(value: JSONObject, name: str, place: str, choices: tuple[Chosen, ...]) -> Chosen | None:
    text = _text(value, name, place)
    found = next((choice for choice in choices if choice == text), None)
    if text and found is None:
        raise InvalidSpecError(f"{place}.{name}: {text[:_MOST_SHOWN]!r} is none of {', '.join(choices)}")
    return found


def _flag(value: JSONObject, name: str, place: str) -> bool:
    found = value.get(name)
    if found is not None and not isinstance(found, bool):
        raise InvalidSpecError(f"{place}.{name}: must be true or false")
    return bool(found)


def _integer(value: JSON, default: int, place: str, among: range) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidSpecError(f"{place}: {str(value)[:_MOST_SHOWN]!r} is not an integer")
    if value not in among:
        raise InvalidSpecError(f"{place}: must be from {among[0]} to {among[-1]}")
    return value


def _degrade_on(spec: JSONObject) -> frozenset[str]:
    if spec.get("degradeOn") is None:
        return frozenset({"Fail", "Inconclusive"})
    verdicts = frozenset(_checked_text(item, "spec.degradeOn") for item in _list(spec, "degradeOn", "spec"))
    odd = sorted(verdicts - set(_DEGRADING))
    if odd:
        raise InvalidSpecError(f"spec.degradeOn: {odd[0][:_MOST_SHOWN]!r} is none of {', '.join(_DEGRADING)}")
    return verdicts


def _duration(spec: JSONObject, name: str, default: str) -> timedelta:
    try:
        duration = parse_duration(_text(spec, name, "spec", default))
    except ValueError as error:
        raise InvalidSpecError(f"spec.{name}: {error}") from error
    if not _SHORTEST <= duration <= _LONGEST:
        raise InvalidSpecError(f"spec.{name}: must be from 1m to 24h")
    return duration


def _source(entry: JSON, where: str) -> FileSource:
    given = [name for name in ("stage", "configMap", "inline") if child(entry, name) is not None]
    if len(given) != 1:
        raise InvalidSpecError(f"{where}: give exactly one of stage, configMap and inline")
    kind, place = given[0], f"{where}.{given[0]}"
    body = _section(as_object(entry), kind, place)
    if kind == "inline":
        return InlineFile(_text(body, "path", place), _text(body, "content", place))
    if kind == "stage":
        paths = (_checked_text(path, f"{place}.paths") for path in _list(body, "paths", place))
        return StageFiles(_text(body, "name", place), tuple(paths))
    items = (_item(item, f"{place}.items") for item in _list(body, "items", place))
    return ConfigMapFiles(_text(body, "name", place), tuple(items))


def _item(item: JSON, place: str) -> tuple[str, str]:
    if not isinstance(item, Mapping):
        raise InvalidSpecError(f"{place}: must be mappings of key and path")
    return _text(item, "key", place), _text(item, "path", place)


def _shipyard(spec: JSONObject) -> ShipyardSpec:
    default, place = ShipyardSpec(), "spec.shipyard"
    return ShipyardSpec(
        policy=_choice(spec, "policy", place, _POLICIES) or default.policy,
        sequence=_text(spec, "sequence", place, default.sequence),
        after_task=_text(spec, "afterTask", place, default.after_task),
        test_task=_text(spec, "testTask", place, default.test_task),
        load=_choice(spec, "load", place, _LOADS),
        timeframe=_text(spec, "timeframe", place) or None,
        on_fail=_on_fail(spec, f"{place}.onFail"),
    )


def _on_fail(spec: JSONObject, place: str) -> OnFail | None:
    if spec.get("onFail") is None:
        return None
    value = _section(spec, "onFail", place)
    tasks = (_checked_text(task, f"{place}.tasks") for task in _list(value, "tasks", place))
    return OnFail(_text(value, "sequence", place), tuple(tasks))
