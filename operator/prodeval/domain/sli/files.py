"""sli.yaml: queries by the name of their indicator, on three levels.

Source: prometheus-service 0.9.1, which decodes with yaml.v2: of two equal names the later one counts, and `<<` counts
where it stands.
"""

from collections.abc import Iterator, Mapping, Sequence

import yaml

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.yaml_nodes import TAG_PREFIX, compose, invalid, is_null

SLI_PATH = "prometheus/sli.yaml"
LEVELS = ("project", "stage", "service")


def decode_sli(text: str, *, path: str = SLI_PATH) -> Mapping[str, str]:
    """The queries of one file by indicator; empty if it names none.

    Raises:
        InvalidFileError: the provider cannot decode the text; with line and column.
    """
    root = compose(text, path=path)
    queries: dict[str, str] = {}
    for name, node in _members(root, "sli.yaml", path):
        if name == "indicators" and is_null(node):
            queries = {}
        elif name == "indicators":
            queries |= {indicator: _text(query, indicator, path) for indicator, query in _members(node, name, path)}
        elif name == "spec_version":
            _text(node, name, path)
    return queries


def merge_levels(levels: Sequence[str | None]) -> Mapping[str, str]:
    """The queries of all levels; a later level wins per indicator.

    Args:
        levels: the texts of project, stage and service; None where there is no file.

    Raises:
        InvalidFileError: a file cannot be decoded, or no file up to it names an indicator.
    """
    queries: dict[str, str] = {}
    for level, text in zip(LEVELS, levels, strict=True):
        if text is None:
            continue
        path = f"{SLI_PATH} of the {level}"
        queries |= decode_sli(text, path=path)
        if not queries:
            raise InvalidFileError("missing required field: indicators", path=path)
    return queries


def _members(node: yaml.Node | None, name: str, path: str) -> Iterator[tuple[str, yaml.Node]]:
    """Names and values in the order in which they overwrite each other."""
    if node is None or is_null(node):
        return
    if not isinstance(node, yaml.MappingNode):
        raise invalid(f"{name} wants a mapping", node, path=path)
    for key, value in node.value:
        if _is_merge(key):
            yield from _merged(value, name, path)
        else:
            yield _text(key, f"a name in {name}", path), value


def _merged(node: yaml.Node, name: str, path: str) -> Iterator[tuple[str, yaml.Node]]:
    for source in reversed(node.value) if isinstance(node, yaml.SequenceNode) else [node]:
        if not isinstance(source, yaml.MappingNode):
            raise invalid("`<<` wants a mapping or a list of mappings", source, path=path)
        yield from _members(source, name, path)


def _is_merge(key: yaml.Node) -> bool:
    if not isinstance(key, yaml.ScalarNode) or key.value != "<<":
        return False
    return key.tag == f"{TAG_PREFIX}merge" or (not key.tag and key.style is None)


def _text(node: yaml.Node, name: str, path: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise invalid(f"{name} wants text", node, path=path)
    text: str = node.value
    return "" if is_null(node) else text
