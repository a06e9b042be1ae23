"""Which changes of a status are worth an Event."""

from dataclasses import dataclass
from typing import Literal

from prodeval.domain.conditions import Condition, read_condition
from prodeval.domain.json_values import JSONObject, as_text, child


@dataclass(frozen=True, slots=True)
class Announcement:
    """One Event, before it is posted."""

    kind: Literal["Normal", "Warning"]
    reason: str
    message: str


def announcements(before: JSONObject, after: JSONObject) -> tuple[Announcement, ...]:
    """What a person should hear of: a push, a sync that fails in a new way, a new verdict."""
    found = (_pushed(before, after), _not_synced(before, after), _judged(before, after))
    return tuple(one for one in found if one is not None)


def _pushed(before: JSONObject, after: JSONObject) -> Announcement | None:
    if child(before, "sync", "lastPushTime") == child(after, "sync", "lastPushTime"):
        return None
    revisions = {as_text(child(after, "sync", name)) for name in ("stageRevision", "shipyardRevision")}
    return Announcement("Normal", "Pushed", f"the upstream is now at {', '.join(sorted(revisions))}")


def _not_synced(before: JSONObject, after: JSONObject) -> Announcement | None:
    old, new = read_condition(before, "Synced"), read_condition(after, "Synced")
    if new is None or new.status != "False" or _same(old, new):
        return None
    return Announcement("Warning", new.reason, new.message)


def _same(old: Condition | None, new: Condition) -> bool:
    return old is not None and (old.status, old.reason) == (new.status, new.reason)


def _judged(before: JSONObject, after: JSONObject) -> Announcement | None:
    verdict, passed = as_text(after.get("verdict")), read_condition(after, "Passed")
    if passed is None or verdict == "Pending" or _verdict_of(before) == _verdict_of(after):
        return None
    kind: Literal["Normal", "Warning"] = "Normal" if verdict in {"Pass", "Warning"} else "Warning"
    version = as_text(child(after, "lastEvaluation", "version"))
    message = passed.message if version in passed.message else f"{version}: {passed.message}"
    return Announcement(kind, f"Verdict{verdict}", message)


def _verdict_of(status: JSONObject) -> tuple[str, str]:
    return as_text(status.get("verdict")), as_text(child(status, "lastEvaluation", "eventID"))
