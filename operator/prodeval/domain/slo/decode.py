"""Decode slo.yaml as Keptn's Go decoder does, and fill in Keptn's defaults."""

from collections.abc import Iterator

import yaml

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.go_yaml import Decoder
from prodeval.domain.slo.objectives import Comparison, Criteria, Objective, ServiceLevelObjectives, TotalScore
from prodeval.domain.yaml_nodes import compose, invalid

UNQUOTED_HINT = "an unquoted `>` or `|` begins a block of text in YAML; put the criterion in quotes, as in '>=5'"

_BLOCK_STYLES = frozenset({"|", ">"})
_CRITERIA_KEYS = frozenset({"pass", "warning", "criteria"})


def decode_slo(text: str, *, path: str = "slo.yaml") -> ServiceLevelObjectives:
    """Decode the first document of a file; a text without any document has no objectives.

    Raises:
        InvalidFileError: Keptn cannot decode the text, or would crash on it; with line and column.
    """
    return _SLODecoder(path).file(_compose(text, path))


def _compose(text: str, path: str) -> yaml.Node | None:
    try:
        return compose(text, path=path)
    except InvalidFileError as error:
        if "block scalar" not in error.problem:
            raise
        problem = f"{error.problem}; {UNQUOTED_HINT}"
        raise InvalidFileError(problem, path=path, line=error.line, column=error.column) from error


class _SLODecoder(Decoder):
    """Knows the schema; the base class knows Go."""

    __slots__ = ()

    def file(self, root: yaml.Node | None) -> ServiceLevelObjectives:
        if root is not None and self.is_null(root):
            raise invalid("an empty document crashes Keptn; write objectives, or delete the file", root, path=self.path)
        members = self.members(root, "slo.yaml")
        objectives = [item for item in self.items(members.get("objectives"), "objectives") if not self.is_null(item)]
        filters = self.members(members.get("filter"), "filter")
        return ServiceLevelObjectives(
            spec_version=self.text(members.get("spec_version"), "spec_version"),
            filter={name: self.text(node, f"filter {name}") for name, node in filters.items()},
            comparison=self.comparison(members.get("comparison")),
            objectives=tuple(self.objective(item) for item in objectives),
            total_score=self.total_score(members.get("total_score")),
            hints=tuple(self.hint(node) for item in objectives for node in _block_criteria(item)),
        )

    def comparison(self, node: yaml.Node | None) -> Comparison:
        """An absent block means one result; a block without a number means three, and its compare_with stays empty."""
        if node is None or self.is_null(node):
            return Comparison()
        members = self.members(node, "comparison")
        number = self.integer(members.get("number_of_comparison_results"), "number_of_comparison_results")
        return Comparison(
            compare_with=self.text(members.get("compare_with"), "compare_with"),
            include_result_with_score=self.text(members.get("include_result_with_score"), "include_result_with_score")
            or "all",
            number_of_comparison_results=number or 3,
            aggregate_function=self.text(members.get("aggregate_function"), "aggregate_function") or "avg",
        )

    def objective(self, node: yaml.Node) -> Objective:
        members = self.members(node, "an objective")
        return Objective(
            sli=self.text(members.get("sli"), "sli"),
            display_name=self.text(members.get("displayName"), "displayName"),
            pass_criteria=self.criteria(members.get("pass"), "pass"),
            warning_criteria=self.criteria(members.get("warning"), "warning"),
            weight=self.integer(members.get("weight"), "weight") or 1,
            key_sli=self.boolean(members.get("key_sli"), "key_sli"),
        )

    def criteria(self, node: yaml.Node | None, name: str) -> Criteria:
        return tuple(self.criteria_set(item, name) for item in self.items(node, name))

    def criteria_set(self, node: yaml.Node, name: str) -> tuple[str, ...]:
        if self.is_null(node):
            raise invalid(f"a null entry of {name} crashes Keptn's lighthouse; delete it", node, path=self.path)
        members = self.members(node, f"an entry of {name}")
        items = self.items(members.get("criteria"), "criteria")
        return tuple(self.text(item, "a criterion") for item in items if not self.is_null(item))

    def total_score(self, node: yaml.Node | None) -> TotalScore:
        members = self.members(node, "total_score")
        return TotalScore(
            pass_target=self.text(members.get("pass"), "total_score.pass"),
            warning_target=self.text(members.get("warning"), "total_score.warning"),
        )

    def hint(self, node: yaml.Node) -> str:
        return str(invalid(f"a criterion that YAML reads as {node.value!r}: {UNQUOTED_HINT}", node, path=self.path))


def _block_criteria(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """The criteria of an objective that are blocks of text, as an unquoted `>5` is."""
    if isinstance(node, yaml.ScalarNode):
        if node.style in _BLOCK_STYLES:
            yield node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _block_criteria(item)
    else:
        for key, value in node.value:
            if key.value in _CRITERIA_KEYS:
                yield from _block_criteria(value)
