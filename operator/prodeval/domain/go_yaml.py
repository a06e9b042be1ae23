"""YAML values as Go's yaml.v3 decodes them into typed fields: the field's type decides what a scalar means.

Source: gopkg.in/yaml.v3 3.0.1, resolve.go and decode.go.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

import yaml

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.go_numbers import parse_float
from prodeval.domain.yaml_nodes import NULLS, TAG_PREFIX, invalid

Scalar: TypeAlias = bool | int | float | str | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(NULLS),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_SWITCHES = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
"""The words of YAML 1.1 that only a field of type bool understands."""

_INTEGER = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]{0,19}))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES = (16, 2, 8, 10)
_LOWEST, _HIGHEST, _LIMIT = -(2**63), 2**63 - 1, 2.0**63
_TYPES: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
    "timestamp": (str,),
}


def resolve(node: yaml.ScalarNode, *, path: str) -> Scalar:
    """What the scalar is before a field's type is known; a date stays text.

    Raises:
        InvalidFileError: an explicit tag that the text does not fit, such as `!!int abc`.
    """
    text: str = node.value
    tag = node.tag.removeprefix(TAG_PREFIX) if node.tag.startswith(TAG_PREFIX) else ""
    if tag not in _TYPES:
        untagged = node.tag in ("", "!") and node.style is None
        return _plain(text) if untagged else text
    value = _plain(text)
    if not isinstance(value, _TYPES[tag]) or (tag == "int" and isinstance(value, bool)):
        raise invalid(f"{text!r} is no !!{tag}", node, path=path)
    return float(value) if tag == "float" and isinstance(value, int) else value


def _plain(text: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] == ".":
        return _float_or_text(text, text)
    if text[0] not in "+-0123456789":
        return text
    digits = text.replace("_", "")
    integer = _INTEGER.fullmatch(digits)
    if integer:
        return _integer(integer, text)
    return _float_or_text(digits, text) if _FLOAT.fullmatch(digits) else text


def _integer(match: re.Match[str], text: str) -> Scalar:
    sign, *numerals = match.groups()
    numeral, base = next((numeral, base) for numeral, base in zip(numerals, _BASES, strict=True) if numeral)
    value = int(sign + numeral, base)
    if _LOWEST <= value <= 2 * _HIGHEST + 1:
        return value
    return _float_or_text(match[0], text) if _FLOAT.fullmatch(match[0]) else text


def _float_or_text(number: str, text: str) -> Scalar:
    try:
        return parse_float(number)
    except ValueError:
        return text


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes nodes of one file into Go's types; an absent or null node is the type's zero value.

    Every method raises InvalidFileError, naming the field and its place, if the node cannot be of the type.
    """

    path: str

    def members(self, node: yaml.Node | None, name: str) -> dict[str, yaml.Node]:
        """The members of a mapping by their names, with `<<` merged: own members win, then earlier ones."""
        if node is None or self.is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise self._mismatch(node, name, "a mapping")
        self._check_unique(node)
        members: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not _is_merge(key) and not self.is_null(key):
                members[self.text(key, f"a name in {name}")] = value
        for key, value in node.value:
            if _is_merge(key):
                members = self._merged(value, name) | members
        return members

    def _check_unique(self, node: yaml.MappingNode) -> None:
        seen: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise invalid("a name must be text", key, path=self.path)
            if key.value in seen:
                line = seen[key.value].start_mark.line + 1
                raise invalid(f"{key.value!r} is already there, in line {line}", key, path=self.path)
            seen[key.value] = key

    def _merged(self, node: yaml.Node, name: str) -> dict[str, yaml.Node]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        members: dict[str, yaml.Node] = {}
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                raise invalid("`<<` wants a mapping or a list of mappings", source, path=self.path)
            members = self.members(source, name) | members
        return members

    def items(self, node: yaml.Node | None, name: str) -> list[yaml.Node]:
        """The items of a list."""
        if node is None or self.is_null(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self._mismatch(node, name, "a list")
        items: list[yaml.Node] = node.value
        return items

    def text(self, node: yaml.Node | None, name: str) -> str:
        """The text of any scalar as it stands there: `75.50` and `yes` are text too."""
        if node is None or self._scalar(node, name, "text") is None:
            return ""
        text: str = node.value
        return text

    def integer(self, node: yaml.Node | None, name: str) -> int:
        """A whole number of 64 bits; a fraction is cut off, and a float below them all becomes the lowest."""
        if node is None or (value := self._scalar(node, name, "a whole number")) is None:
            return 0
        if isinstance(value, float) and value <= _LIMIT:
            return int(value) if -_LIMIT <= value < _LIMIT else _LOWEST
        if isinstance(value, int) and not isinstance(value, bool) and value <= _HIGHEST:
            return value
        raise self._mismatch(node, name, "a whole number")

    def boolean(self, node: yaml.Node | None, name: str) -> bool:
        """True or false, in the words of YAML 1.2 or, quoted or not, in the others of YAML 1.1."""
        if node is None or (value := self._scalar(node, name, "true or false")) is None:
            return False
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in _SWITCHES:
            return _SWITCHES[value]
        raise self._mismatch(node, name, "true or false")

    def is_null(self, node: yaml.Node) -> bool:
        """Whether the node is null; `!!null` with another text is an error."""
        if not isinstance(node, yaml.ScalarNode) or not (node.tag or node.value in NULLS):
            return False
        return resolve(node, path=self.path) is None

    def _scalar(self, node: yaml.Node, name: str, wanted: str) -> Scalar:
        if not isinstance(node, yaml.ScalarNode):
            raise self._mismatch(node, name, wanted)
        return resolve(node, path=self.path)

    def _mismatch(self, node: yaml.Node, name: str, wanted: str) -> InvalidFileError:
        return invalid(f"{name} wants {wanted}, not {_described(node)}", node, path=self.path)


def _is_merge(key: yaml.Node) -> bool:
    if not isinstance(key, yaml.ScalarNode) or key.value != "<<":
        return False
    return key.tag == f"{TAG_PREFIX}merge" or (key.tag in ("", "!") and key.style is None)


def _described(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    quoted = "quoted " if isinstance(node, yaml.ScalarNode) and node.style else ""
    return f"the {quoted}text {node.value[:40]!r}"
