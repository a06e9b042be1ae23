"""The status of the CRD: its schema, and what the API server says about a status, written from the Kubernetes docs."""

import functools
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

_CRD = Path(__file__).parents[3] / "crds" / "productionevaluations.yaml"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@functools.cache
def status_schema() -> Any:
    version = yaml.safe_load(_CRD.read_text())["spec"]["versions"][0]
    return version["schema"]["openAPIV3Schema"]["properties"]["status"]


def problems(value: Any, schema: Any, place: str = "status") -> Iterator[str]:
    match schema["type"]:
        case "object":
            yield from _object_problems(value, schema, place)
        case "array":
            yield from _array_problems(value, schema, place)
        case "string":
            yield from (f"{place}: {problem}" for problem in _text_problems(value, schema))
        case "integer":
            if type(value) is not int or not -(2**63) <= value < 2**63 or value < schema.get("minimum", value):
                yield f"{place}: {value!r} is no integer that fits"
        case "boolean":
            if not isinstance(value, bool):
                yield f"{place}: no boolean"


def _object_problems(value: Any, schema: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: no object"
        return
    yield from (f"{place}: {name} is missing" for name in schema.get("required", ()) if name not in value)
    known = schema.get("properties", {})
    for name in value.keys() & known.keys():
        yield from problems(value[name], known[name], f"{place}.{name}")


def _array_problems(value: Any, schema: Any, place: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{place}: no list"
        return
    if len(value) > schema["maxItems"]:
        yield f"{place}: {len(value)} items"
    for number, item in enumerate(value):
        yield from problems(item, schema["items"], f"{place}[{number}]")
    keys = [
        [item.get(key) for key in schema.get("x-kubernetes-list-map-keys", ())]
        for item in value
        if isinstance(item, dict)
    ]
    if schema["x-kubernetes-list-type"] == "map" and any(keys.count(key) > 1 for key in keys):
        yield f"{place}: a key twice"


def _text_problems(value: Any, schema: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield "no text"
        return
    try:
        value.encode()
    except UnicodeEncodeError:
        yield "no UTF-8"
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{len(value)} characters"
    if value not in schema.get("enum", [value]):
        yield f"{value!r} is none of the choices"
    if schema.get("format") == "date-time" and not _is_time(value):
        yield f"{value!r} is no time"


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
