"""The ProductionEvaluation, read from what the API server or a file holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, TypeAlias

from prodeval.domain.durations import parse_duration
from prodeval.domain.errors import InvalidSpecError
from prodeval.domain.json_values import JSON, JSONObject, as_list, as_object, as_text, child

GROUP = "prodeval.dev"
VERSION = "v1alpha1"
PLURAL = "productionevaluations"
KIND = "ProductionEvaluation"
RECONCILE_REQUESTED = f"{GROUP}/reconcile-requested-at"

Load: TypeAlias = Literal["Generate", "LiveTraffic"]
Policy: TypeAlias = Literal["Manage", "Verify"]


@dataclass(frozen=True, slots=True, order=True)
class ResourceKey:
    """Names one resource in the cluster."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


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
    """Read a resource; raises InvalidSpecError, naming the field, where the API server would have refused it."""
    spec = as_object(body.get("spec"))
    return Resource(
        key=resource_key(body),
        target=Target(_required(spec, "project"), as_text(spec.get("stage"), "production"), _required(spec, "service")),
        uid=as_text(child(body, "metadata", "uid")),
        created=as_text(child(body, "metadata", "creationTimestamp")),
        generation=_integer(child(body, "metadata", "generation"), 0, "metadata.generation"),
        reconcile_requested=as_text(child(body, "metadata", "annotations", RECONCILE_REQUESTED)),
        version=as_text(spec.get("version")) or None,
        files=tuple(_source(entry, f"spec.files[{n}]") for n, entry in enumerate(as_list(spec.get("files")))),
        shipyard=_shipyard(as_object(spec.get("shipyard"))),
        degrade_on=_texts(spec["degradeOn"]) if "degradeOn" in spec else frozenset({"Fail", "Inconclusive"}),
        result_timeout=None if spec.get("resultTimeout") is None else _duration(spec, "resultTimeout", ""),
        interval=_duration(spec, "interval", "10m"),
        suspend=spec.get("suspend") is True,
        history_limit=_integer(spec.get("historyLimit"), 10, "spec.historyLimit"),
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


def _required(spec: JSONObject, name: str) -> str:
    value = as_text(spec.get(name))
    if not value:
        raise InvalidSpecError(f"spec.{name} is missing")
    return value


def _integer(value: JSON, default: int, place: str) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidSpecError(f"{place}: {value!r} is not an integer")
    return value


def _texts(value: JSON) -> frozenset[str]:
    return frozenset(as_text(item) for item in as_list(value))


def _duration(spec: JSONObject, name: str, default: str) -> timedelta:
    try:
        return parse_duration(as_text(spec.get(name), default))
    except ValueError as error:
        raise InvalidSpecError(f"spec.{name}: {error}") from error


def _source(entry: JSON, where: str) -> FileSource:
    given = [name for name in ("stage", "configMap", "inline") if child(entry, name) is not None]
    if len(given) != 1:
        raise InvalidSpecError(f"{where}: give exactly one of stage, configMap and inline")
    body = as_object(child(entry, given[0]))
    if given[0] == "inline":
        return InlineFile(as_text(body.get("path")), as_text(body.get("content")))
    if given[0] == "stage":
        return StageFiles(as_text(body.get("name")), tuple(as_text(path) for path in as_list(body.get("paths"))))
    return ConfigMapFiles(as_text(body.get("name")), tuple(_item(item) for item in as_list(body.get("items"))))


def _item(item: JSON) -> tuple[str, str]:
    return as_text(child(item, "key")), as_text(child(item, "path"))


def _shipyard(spec: JSONObject) -> ShipyardSpec:
    default = ShipyardSpec()
    return ShipyardSpec(
        policy="Verify" if spec.get("policy") == "Verify" else "Manage",
        sequence=as_text(spec.get("sequence"), default.sequence),
        after_task=as_text(spec.get("afterTask"), default.after_task),
        test_task=as_text(spec.get("testTask"), default.test_task),
        load=_load(spec.get("load")),
        timeframe=as_text(spec.get("timeframe")) or None,
        on_fail=_on_fail(spec.get("onFail")),
    )


def _load(value: JSON) -> Load | None:
    match value:
        case "Generate":
            return "Generate"
        case "LiveTraffic":
            return "LiveTraffic"
        case _:
            return None


def _on_fail(value: JSON) -> OnFail | None:
    if not isinstance(value, Mapping):
        return None
    return OnFail(as_text(value.get("sequence")), tuple(as_text(task) for task in as_list(value.get("tasks"))))
