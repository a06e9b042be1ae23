"""Checks of ProductionEvaluations in manifests, alone or among other documents."""

import re
from collections.abc import Iterator
from dataclasses import replace

import yaml

from prodeval.domain.errors import InvalidFileError, InvalidSpecError
from prodeval.domain.json_values import JSONObject, as_object
from prodeval.domain.paths import METADATA, check_path
from prodeval.domain.preflight import findings
from prodeval.domain.preflight.findings import Finding, Place, from_error
from prodeval.domain.preflight.schema import check_schema, to_json
from prodeval.domain.resource import GROUP, KIND, VERSION, read_resource
from prodeval.domain.shipyard import check_names, gate
from prodeval.domain.yaml_nodes import compose

_DOCUMENT = re.compile(r"^---(?=\s|$)", re.MULTILINE)


def documents(text: str) -> Iterator[tuple[int, str]]:
    """The documents of a manifest, each with the number of lines in front of it."""
    starts = [0, *(found.start() for found in _DOCUMENT.finditer(text))]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text.count("\n", 0, start), text[start:end]


def resource_bodies(text: str, path: str) -> Iterator[tuple[int, yaml.MappingNode]]:
    """The ProductionEvaluations of a manifest, with the lines in front of each.

    Raises InvalidFileError, with the line in the manifest, for a document that is no YAML.
    """
    for lines, document in documents(text):
        try:
            root = compose(document, path=path)
        except InvalidFileError as error:
            raise InvalidFileError(error.problem, path=path, line=error.line + lines, column=error.column) from error
        if isinstance(root, yaml.MappingNode) and _is_ours(root):
            yield lines, root


def _is_ours(root: yaml.MappingNode) -> bool:
    keys = {str(key.value): value.value for key, value in root.value}
    return keys.get("kind") == KIND and str(keys.get("apiVersion")).startswith(f"{GROUP}/")


def check_resources(text: str, path: str, schema: JSONObject) -> Iterator[Finding]:
    """Find what the API server would refuse; `schema` is that of the CustomResourceDefinition."""
    try:
        for lines, root in resource_bodies(text, path):
            found = [*check_schema(root, schema, path), *_check_identity(root, path)] or [
                *_check_spec(root, path),
                *_check_paths(root, path),
            ]
            yield from (replace(finding, line=finding.line + lines) for finding in found)
    except InvalidFileError as error:
        yield from_error(findings.RESOURCE, error, "correct it there")


def _check_paths(root: yaml.Node, path: str) -> Iterator[Finding]:
    for node in _written(root):
        try:
            check_path(node.value)
        except InvalidSpecError:
            message = f"{node.value!r} is none of slo.yaml, <provider>/sli.yaml and locust/**"
            place = Place(path, node.start_mark.line + 1, node.start_mark.column + 1)
            allow = "see that writablePaths in the operator's config allows it"
            remedy = "leave it out, it is Keptn's own" if node.value == METADATA else allow
            yield findings.NOT_WRITABLE.at(place, message, remedy)


def _written(root: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """The paths of all files that a resource names."""
    for source in _sources(root):
        named = _items(_members(source.get("stage")).get("paths"))
        items = _items(_members(source.get("configMap")).get("items"))
        paths = [*named, *(_members(item).get("path") for item in items), _members(source.get("inline")).get("path")]
        yield from (node for node in paths if isinstance(node, yaml.ScalarNode))


def inline_files(text: str, path: str) -> Iterator[tuple[Place, str, str]]:
    """The inline files of all resources in a manifest: where the content stands, the file's path, and its content."""
    try:
        for lines, root in resource_bodies(text, path):
            for source in _sources(root):
                inline = _members(source.get("inline"))
                content, name = inline.get("content"), inline.get("path")
                if isinstance(content, yaml.ScalarNode) and isinstance(name, yaml.ScalarNode):
                    mark = content.start_mark
                    yield Place(path, mark.line + 1 + lines, mark.column + 1), name.value, content.value
    except InvalidFileError:
        return


def _sources(root: yaml.Node) -> list[dict[str, yaml.Node]]:
    return [_members(source) for source in _items(_members(_members(root).get("spec")).get("files"))]


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    items: list[yaml.Node] = node.value if isinstance(node, yaml.SequenceNode) else []
    return items


def _members(node: yaml.Node | None) -> dict[str, yaml.Node]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return {key.value: value for key, value in pairs if isinstance(key, yaml.ScalarNode)}


def _check_identity(root: yaml.MappingNode, path: str) -> Iterator[Finding]:
    place = Place(path, root.start_mark.line + 1, root.start_mark.column + 1)
    body = as_object(to_json(root, path))
    if body.get("apiVersion") != f"{GROUP}/{VERSION}":
        yield findings.RESOURCE.at(place, f"apiVersion is {body.get('apiVersion')!r}", f"write {GROUP}/{VERSION}")
    if not as_object(body.get("metadata")).get("name"):
        yield findings.RESOURCE.at(place, "metadata.name is missing", "add it")


def _check_spec(root: yaml.MappingNode, path: str) -> Iterator[Finding]:
    """What the schema lets through and the operator would refuse."""
    try:
        resource = read_resource(as_object(to_json(root, path)))
        check_names(gate(resource.target.stage, resource.shipyard, has_load_files=True))
    except InvalidSpecError as error:
        place = Place(path, root.start_mark.line + 1, root.start_mark.column + 1)
        yield findings.RESOURCE.at(place, str(error), "change it so")
