"""Checks of slo.yaml: what lighthouse would stumble over, and what its author hardly meant."""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.go_yaml import Decoder
from prodeval.domain.preflight import findings
from prodeval.domain.preflight.bounds import warning_never_applies
from prodeval.domain.preflight.findings import Finding, Place, from_error
from prodeval.domain.slo import (
    CriterionError,
    Objective,
    ServiceLevelObjectives,
    TotalScoreError,
    decode_slo,
    notes,
    parse_criterion,
    thresholds,
)
from prodeval.domain.yaml_nodes import compose, is_null

_BLOCK_STYLES = frozenset({"|", ">"})


@dataclass(frozen=True, slots=True)
class _Placed:
    """An objective with its nodes; the criteria are those of all sets, in order."""

    objective: Objective
    node: yaml.Node
    sli: yaml.Node
    passing: tuple[yaml.ScalarNode, ...]
    warning: tuple[yaml.ScalarNode, ...]


def check_slo(text: str, path: str) -> Iterator[Finding]:
    """Find what is wrong with an slo.yaml by itself."""
    try:
        slo = decode_slo(text, path=path)
    except InvalidFileError as error:
        yield _undecodable(error)
        return
    root = compose(text, path=path)
    for placed in _objectives(slo, root, path):
        yield from _criteria(placed, path)
        yield from _warning(placed, path)
    yield from _scored(slo, root, path)
    yield from _total_score(slo, root, path)
    for note in set(notes(slo)) - set(slo.hints):
        yield findings.COMPARISON.at(_member_place(root, "comparison", path), *note.split("; ", 1))


def check_indicators(text: str, path: str, known: frozenset[str]) -> Iterator[Finding]:
    """Find objectives whose indicator no sli.yaml defines; `known` are the names that need none or have one."""
    try:
        slo = decode_slo(text, path=path)
    except InvalidFileError:
        return
    for placed in _objectives(slo, compose(text, path=path), path):
        name = placed.objective.sli
        if name not in known:
            yield findings.NO_INDICATOR.at(
                _at(placed.sli, path),
                f"no sli.yaml of the service, the stage or the project defines {name!r}, so the objective fails",
                "define it there, or correct the name",
            )


def _undecodable(error: InvalidFileError) -> Finding:
    if "unquoted" in error.problem:
        return from_error(findings.UNQUOTED, error, "put the criterion in quotes")
    return from_error(findings.SLO_UNDECODABLE, error, "correct it there; until then each evaluation is errored")


def _at(node: yaml.Node, path: str) -> Place:
    return Place(path, node.start_mark.line + 1, node.start_mark.column + 1)


def _member_place(root: yaml.Node | None, name: str, path: str) -> Place:
    for key, _ in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == name:
            return _at(key, path)
    return Place(path, 1, 1)


def _objectives(slo: ServiceLevelObjectives, root: yaml.Node | None, path: str) -> Iterator[_Placed]:
    decoder = Decoder(path)
    items = decoder.items(decoder.members(root, "slo.yaml").get("objectives"), "objectives")
    nodes = [node for node in items if not is_null(node)]
    for objective, node in zip(slo.objectives, nodes, strict=True):
        members = decoder.members(node, "an objective")
        yield _Placed(
            objective,
            node,
            members.get("sli", node),
            tuple(_criterion_nodes(decoder, members.get("pass"))),
            tuple(_criterion_nodes(decoder, members.get("warning"))),
        )


def _criterion_nodes(decoder: Decoder, node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    for item in decoder.items(node, "criteria sets"):
        for criterion in decoder.items(decoder.members(item, "a criteria set").get("criteria"), "criteria"):
            if isinstance(criterion, yaml.ScalarNode) and not is_null(criterion):
                yield criterion


def _criteria(placed: _Placed, path: str) -> Iterator[Finding]:
    for node in (*placed.passing, *placed.warning):
        try:
            parse_criterion(node.value)
        except CriterionError as error:
            if node.style in _BLOCK_STYLES:
                message = "the unquoted > or | begins a block of text, so the criterion is not what it seems"
                yield findings.UNQUOTED.at(_at(node, path), message, "put it in quotes, as in '>=5'")
            else:
                message = f"{node.value[:40]!r} is no criterion: {error}"
                yield findings.CRITERION.at(_at(node, path), message, "write one like <600, <=+10% or >5")


def _warning(placed: _Placed, path: str) -> Iterator[Finding]:
    objective = placed.objective
    if not (placed.passing and placed.warning):
        return
    if warning_never_applies(objective.pass_criteria, objective.warning_criteria):
        message = f"the warning of {objective.sli!r} can never apply: what meets it passes already"
        remedy = "make the warning looser than the pass criteria, or delete it"
        yield findings.WARNING_STRICTER.at(_at(placed.warning[0], path), message, remedy)


def _scored(slo: ServiceLevelObjectives, root: yaml.Node | None, path: str) -> Iterator[Finding]:
    scored = [objective for objective in slo.objectives if any(objective.pass_criteria)]
    if not scored or sum(objective.weight for objective in scored) == 0:
        message = "no objective has pass criteria and weight, so nothing is scored and nothing is proven"
        remedy = "give at least one objective pass criteria"
        yield findings.NOTHING_SCORED.at(_member_place(root, "objectives", path), message, remedy)


def _total_score(slo: ServiceLevelObjectives, root: yaml.Node | None, path: str) -> Iterator[Finding]:
    try:
        thresholds(slo.total_score)
    except TotalScoreError as error:
        place = _member_place(root, "total_score", path)
        yield findings.TOTAL_SCORE.at(
            place, f"total_score: {error}", 'write total_score: {pass: "90%", warning: "75%"}'
        )
