"""The shape of a JSON answer: every path in it with what stands there, and how often."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

VERBATIM = frozenset(
    {
        *("state", "stateBeforePause", "status", "result", "score", "violated", "success", "keySli"),
        *("type", "eventType", "source", "contenttype", "specversion", "shkeptnspecversion", "sliProvider"),
        *("schemaVersion", "nextPageKey", "pageSize", "totalCount"),
    }
)
"""Names whose values are compared too: they are Keptn's own words, not those of a story."""

_KINDS = ((bool, "bool"), (int | float, "number"), (str, "text"), (type(None), "null"))


def differences(expected: Any, found: Any, meant: Mapping[str, str]) -> list[str]:
    """Each path whose type, value or number is not as expected, those aside that are meant; sorted."""
    before, now = Counter(_paths(expected, "$")), Counter(_paths(found, "$"))
    counted = [("missing", before - now), ("extra", now - before)]
    return sorted(
        f"{word} {path} {kind} x{count}"
        for word, counts in counted
        for (path, kind), count in counts.items()
        if path not in meant
    )


def _paths(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Items of lists are told apart by what they are about, so that their order plays no part."""
    if isinstance(value, Mapping):
        yield path, "object"
        for name, item in value.items():
            yield from _paths(item, f"{path}.{name}")
            if name in VERBATIM and not isinstance(item, Mapping | list):
                yield f"{path}.{name}", repr(item)
    elif isinstance(value, list):
        yield path, "list"
        for item in value:
            yield from _paths(item, f"{path}[{_label(item)}]")
    else:
        yield path, next(name for kind, name in _KINDS if isinstance(value, kind))


def _label(item: Any) -> str:
    """What an item of a list is about: an event, a run, a stage, a task, an indicator, ..."""
    if not isinstance(item, Mapping):
        return ""
    if "shkeptncontext" in item and "data" in item:
        return f"{item['type']}@{item['data'].get('stage', '')}"
    if "sequence" in item:
        return f"{item['scope']['stage']}.{item['sequence']['name']}"
    if isinstance(item.get("value"), Mapping):
        return item["value"]["metric"]
    names = (
        "projectName",
        "stageName",
        "serviceName",
        "resourceURI",
        "name",
        "eventType",
        "event",
        "criteria",
        "metric",
    )
    return next((item[name] for name in names if name in item), "")
