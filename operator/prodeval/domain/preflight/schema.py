"""A resource held against the schema of its CustomResourceDefinition, as the API server does, but with places."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

import yaml

from prodeval.domain.durations import parse_duration
from prodeval.domain.go_yaml import resolve
from prodeval.domain.json_values import JSON, JSONObject, as_list, as_object, as_text
from prodeval.domain.preflight import findings
from prodeval.domain.preflight.findings import Finding, Place
from prodeval.domain.yaml_nodes import is_null


def _in_a_day(value: JSON) -> bool:
    try:
        return 60 <= parse_duration(as_text(value)).total_seconds() <= 24 * 3600  # noqa: PLR2004 - 1m to 24h, as the rule says
    except ValueError:
        return True


def _one_source(value: JSON) -> bool:
    return len(as_object(value).keys() & {"stage", "configMap", "inline"}) == 1


def _inline_together(value: JSON) -> bool:
    inlines = (as_object(as_object(source).get("inline")) for source in as_list(value))
    return sum(len(as_text(inline.get("content")).encode()) for inline in inlines) <= 64 * 1024


RULES: Mapping[str, Callable[[JSON], bool]] = {
    "duration(self) >= duration('1m') && duration(self) <= duration('24h')": _in_a_day,
    "[has(self.stage), has(self.configMap), has(self.inline)].filter(given, given).size() == 1": _one_source,
    "self.map(f, has(f.inline) ? f.inline.content.size() : 0).sum() <= 65536": _inline_together,
}
"""The schema's rules that need no earlier version of the resource; what is no duration breaks its pattern."""


def check_schema(node: yaml.Node, schema: JSONObject, path: str, field: str = "") -> Iterator[Finding]:
    """Find where a node breaks a structural schema; `path` is that of the file, `field` of the node within it."""
    value = to_json(node, path)
    kind = as_text(schema.get("type"))
    if kind and not _is_kind(value, kind):
        yield _at(node, path, f"{field or 'the resource'} is no {kind}", f"write {_EXAMPLES[kind]}")
        return
    yield from (_at(node, path, f"{field} {problem}", remedy) for problem, remedy in _value_problems(value, schema))
    if isinstance(node, yaml.MappingNode) and "properties" in schema:
        yield from _check_members(node, schema, path, field)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from check_schema(item, as_object(schema.get("items")), path, f"{field}[{number}]")
    for rule in map(as_object, as_list(schema.get("x-kubernetes-validations"))):
        holds = RULES.get(as_text(rule.get("rule")))
        if holds and not holds(value):
            yield _at(node, path, f"{field}: {as_text(rule.get('message'))}", "change it so")


_EXAMPLES = {
    "object": "it as a mapping",
    "array": "it as a list",
    "string": "it in quotes",
    "integer": "a whole number",
    "boolean": "true or false",
}
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "object": Mapping,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}


def _is_kind(value: JSON, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _check_members(node: yaml.MappingNode, schema: JSONObject, path: str, field: str) -> Iterator[Finding]:
    known = as_object(schema.get("properties"))
    prefix = f"{field}." if field else ""
    present = Counter(_name(key) for key, _ in node.value)
    for name in map(as_text, as_list(schema.get("required"))):
        if name not in present:
            yield _at(node, path, f"{prefix}{name} is missing", "add it")
    for key, value in node.value:
        name = _name(key)
        if present[name] > 1:
            yield _at(key, path, f"{prefix}{name} stands here {present[name]} times", "keep one")
        elif name not in known:
            close = get_close_matches(name, known, 1)
            remedy = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known))}"
            yield _at(key, path, f"{prefix}{name[:60]} is no field", remedy)
        elif not is_null(value):
            yield from check_schema(value, as_object(known[name]), path, prefix + name)


def _name(key: yaml.Node) -> str:
    return key.value if isinstance(key, yaml.ScalarNode) else "(no text)"


def _value_problems(value: JSON, schema: JSONObject) -> Iterator[tuple[str, str]]:
    """What is wrong with a value by itself, and what to do."""
    choices = [as_text(choice) for choice in as_list(schema.get("enum"))]
    if choices and value not in choices:
        yield f"is {value!r}", f"write one of {', '.join(choices)}"
    pattern = as_text(schema.get("pattern"))
    if pattern and isinstance(value, str) and len(value) <= _LONGEST_MATCHED and not re.search(pattern, value):
        yield f"is {value[:60]!r}", f"make it fit {pattern}"
    yield from _bound_problems(value, schema)
    if (
        schema.get("x-kubernetes-list-type") == "set"
        and isinstance(value, list)
        and len(set(map(repr, value))) < len(value)
    ):
        yield "names something twice", "name each once"


def _bound_problems(value: JSON, schema: JSONObject) -> Iterator[tuple[str, str]]:
    for kind, low, high, unit in _BOUNDS:
        if isinstance(value, kind) and not isinstance(value, bool):
            size = value if isinstance(value, int) else len(value)
            least, most = schema.get(low), schema.get(high)
            if isinstance(least, int) and size < least:
                yield f"is {size}{unit}", f"at least {least} is allowed"
            if isinstance(most, int) and size > most:
                yield f"is {size}{unit}", f"at most {most} is allowed"


_BOUNDS: tuple[tuple[type[str] | type[list[JSON]] | type[int], str, str, str], ...] = (
    (str, "minLength", "maxLength", " characters long"),
    (list, "minItems", "maxItems", " items long"),
    (int, "minimum", "maximum", ""),
)
_LONGEST_MATCHED = 1024


def to_json(node: yaml.Node, path: str) -> JSON:
    """A node as JSON; raises InvalidFileError for a scalar that does not fit its tag."""
    if isinstance(node, yaml.ScalarNode):
        return resolve(node, path=path)
    if isinstance(node, yaml.SequenceNode):
        return [to_json(item, path) for item in node.value]
    return {str(key.value): to_json(value, path) for key, value in node.value}


def _at(node: yaml.Node, path: str, message: str, remedy: str) -> Finding:
    place = Place(path, node.start_mark.line + 1, node.start_mark.column + 1)
    return findings.RESOURCE.at(place, message, remedy)
