"""Keptn's events: CloudEvents with Keptn's own fields, and the few kinds of sender that differ in them."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace

from prodeval.domain.json_values import JSON, JSONObject, as_object, as_text, child

PREFIX = "sh.keptn.event."
CONTROLLER = "shipyard-controller"
LIGHTHOUSE = "lighthouse-service"
PROMETHEUS = "prometheus-service"
APPROVAL = "approval-service"
EXECUTOR = "job-executor-service"
API = "https://github.com/keptn/keptn/api"

_SPEC_VERSIONS: Mapping[str, str] = {
    CONTROLLER: "latest",
    API: "latest",
    LIGHTHOUSE: "0.2.4",
    PROMETHEUS: "0.2.4",
    APPROVAL: "0.2.4",
}
"""Senders whose `shkeptnspecversion` is kept; what comes over the API has lost it."""

_NO_CONTENT_TYPE = frozenset({CONTROLLER, API})
_COMMON = ("project", "stage", "service", "labels", "status", "result", "message")
_STORED: JSONObject = {"distributor": {"subscriptionID": ""}}


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        time: RFC 3339, UTC, up to nanoseconds, trailing zeros trimmed.
        triggered_id: of the trigger that this event answers; empty on triggers.
        commit: `gitcommitid`; empty if the sender does not copy it.
    """

    type: str
    source: str
    context: str
    data: JSONObject
    id: str
    time: str
    triggered_id: str = ""
    commit: str = ""
    spec_version: str = ""
    content_type: str = ""

    def text(self, name: str) -> str:
        """A field of `data` as text, such as `stage` or `result`; empty if it is absent or no text."""
        return as_text(self.data.get(name))

    @property
    def target(self) -> tuple[str, str, str]:
        """Project, stage and service."""
        return self.text("project"), self.text("stage"), self.text("service")

    def to_json(self) -> JSONObject:
        """As mongodb-datastore shows it, with the `temporaryData` that Keptn forgets to remove."""
        optional = {
            "contenttype": self.content_type,
            "gitcommitid": self.commit,
            "shkeptnspecversion": self.spec_version,
            "triggeredid": self.triggered_id,
        }
        return {
            **{name: value for name, value in optional.items() if value},
            "data": {**self.data, "temporaryData": _STORED},
            "id": self.id,
            "shkeptncontext": self.context,
            "source": self.source,
            "specversion": "1.0",
            "time": self.time,
            "type": self.type,
        }


def new_event(
    type_: str, source: str, context: str, data: JSONObject, *, triggered_id: str = "", commit: str = ""
) -> Event:
    """An event of now, with a new id and the fields that its sender sets."""
    return Event(
        type=f"{PREFIX}{type_}",
        source=source,
        context=context,
        data=data,
        id=new_id(),
        time=timestamp(),
        triggered_id=triggered_id,
        commit=commit,
        spec_version=_SPEC_VERSIONS.get(source, ""),
        content_type="" if source in _NO_CONTENT_TYPE else "application/json",
    )


def answer(trigger: Event, kind: str, source: str, data: JSONObject, *, commit: bool = False) -> Event:
    """An event `<task>.<kind>` that answers a task's trigger; `commit`: whether it copies the commit id."""
    return new_event(
        f"{task_name(trigger.type)}.{kind}",
        source,
        trigger.context,
        data,
        triggered_id=trigger.id,
        commit=trigger.commit if commit else "",
    )


def sent_now(event: Event) -> Event:
    """The same event with the time of now: a scheduled trigger gets its time when it is sent."""
    return replace(event, time=timestamp())


def common_data(data: JSONObject, **changes: JSON) -> JSONObject:
    """The fields that all events share, with changes; None removes one."""
    merged = {**{name: data[name] for name in _COMMON if name in data}, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def scope_data(data: JSONObject, **more: JSON) -> JSONObject:
    """Project, stage, service and labels, and more."""
    return common_data(data, **{"status": None, "result": None, "message": None, **more})


def task_name(type_: str) -> str:
    """`je-test` of `sh.keptn.event.je-test.started`; empty if the type is not a task's."""
    parts = type_.removeprefix(PREFIX).split(".")
    return parts[0] if type_.startswith(PREFIX) and len(parts) == 2 else ""  # noqa: PLR2004 - task and kind


def sequence_name(type_: str) -> tuple[str, str]:
    """Stage and sequence of `sh.keptn.event.qa.delivery.triggered`; empty if the type is not a sequence's."""
    parts = type_.removeprefix(PREFIX).split(".")
    if not type_.startswith(PREFIX) or len(parts) != 3:  # noqa: PLR2004 - stage, sequence and kind
        return "", ""
    return parts[0], parts[1]


def kind(type_: str) -> str:
    """`triggered`, `started`, `finished` or `invalidated`, or whatever stands last."""
    return type_.rpartition(".")[2]


def image_version(data: JSONObject) -> str:
    """The tag of the delivered image, else the label `version`, else nothing."""
    image = as_text(child(data, "configurationChange", "values", "image"))
    _, colon, tag = image.rpartition(":")
    return tag if colon and "/" not in tag else as_text(as_object(data.get("labels")).get("version"))


def new_id() -> str:
    """A random UUID."""
    return str(uuid.uuid4())


def context_id(text: str) -> str:
    """A Keptn context: the UUID given, one made from the text as Keptn's API does it, or a new one."""
    if not text:
        return new_id()
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.UUID(bytes=text.encode()[:16].ljust(16), version=4))


def timestamp(nanoseconds: int | None = None) -> str:
    """RFC 3339 in UTC with nanoseconds, trailing zeros trimmed; of now by default."""
    seconds, fraction = divmod(time.time_ns() if nanoseconds is None else nanoseconds, 10**9)
    digits = f"{fraction:09d}".rstrip("0")
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + (f".{digits}" if digits else "") + "Z"


def milliseconds(text: str) -> str:
    """The same time with exactly three digits behind the second, as Keptn's summaries have it."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction[:3].ljust(3, '0')}Z"
