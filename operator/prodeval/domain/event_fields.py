"""Which fields of Keptn's answers the project reads: all others are dropped as soon as an answer is parsed.

Whoever may send events to a project decides what their payload holds, and nested JSON takes some thirty times its size
in memory.
"""

from collections.abc import Mapping
from sys import getsizeof

from prodeval.domain.json_values import JSON

_LONGEST_TEXT = 1000
_OBJECT_WEIGHT = 200
_REFERENCE = 8

_WHOLE = frozenset({"sloFileContent"})
"""Compared and decoded, so never cut."""

_SCALARS = _WHOLE | {
    *("id", "type", "time", "shkeptncontext", "source", "triggeredid", "gitcommitid"),  # of an event
    *("project", "stage", "service", "status", "result", "message", "version", "image"),  # of any payload
    *("score", "start", "end", "timeframe", "timeStart", "timeEnd"),  # of an evaluation
    *("displayName", "keySli", "metric", "value", "success", "comparedValue"),  # of an indicator
    *("criteria", "violated"),  # of its targets
    *("keptnContext", "state", "name", "event", "nextPageKey"),  # of executions, registrations and pages
}
_OBJECTS = frozenset(
    {"data", "labels", "configurationChange", "values", "evaluation", "value", "scope", "sequence", "status", "filter"}
)
_LISTS = frozenset(
    {
        *("events", "indicatorResults", "passTargets", "comparedEvents"),
        *("sequenceExecutions", "subscriptions", "projects", "stages", "services"),
    }
)
_DEEPEST = 10
"""Levels of objects and lists: the target of an indicator in an event in a page is at the ninth."""


def keep_fields(value: JSON, deepest: int = _DEEPEST) -> JSON:
    """A parsed answer without all that is not read; texts of over 1000 characters are cut, but for the slo.yaml."""
    if isinstance(value, str):
        return value[:_LONGEST_TEXT]
    if isinstance(value, Mapping):
        return {name: _kept(name, member, deepest) for name, member in value.items() if _is_read(name, member)}
    if isinstance(value, list):
        return [keep_fields(item, deepest - 1) for item in value if item and isinstance(item, str | Mapping)]
    return value


def _kept(name: str, value: JSON, deepest: int) -> JSON:
    if name in _WHOLE:
        return value
    return keep_fields(value, deepest - 1) if deepest else None


def _is_read(name: str, value: JSON) -> bool:
    if isinstance(value, Mapping):
        return name in _OBJECTS
    if value is None:  # how Keptn writes a list without items
        return name in _LISTS
    return name in (_LISTS if isinstance(value, list) else _SCALARS)


def weigh(value: JSON) -> int:
    """About how many bytes of memory a value takes."""
    if isinstance(value, Mapping):
        return _OBJECT_WEIGHT + sum(map(weigh, value.values()))
    if isinstance(value, list | tuple):
        return _OBJECT_WEIGHT + sum(map(weigh, value))
    return _REFERENCE + getsizeof(value)
