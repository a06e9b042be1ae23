"""The indicators of an evaluation, as people read them."""

import contextlib
from collections.abc import Iterable
from itertools import zip_longest

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.slo import CriterionError, decode_slo, parse_criterion
from prodeval.domain.slo import Objective as WrittenObjective
from prodeval.domain.verdict.model import Objective, ObjectiveStatus
from prodeval.domain.verdict.result import Indicator, Result
from prodeval.domain.verdict.words import number, one_line

_MOST = 50
_STATUSES: dict[str, ObjectiveStatus] = {"pass": "Pass", "warning": "Warning", "fail": "Fail"}


def describe_objectives(result: Result) -> tuple[Objective, ...]:
    """At most 50 objectives, in the order of the slo.yaml."""
    written = _written(result)[: len(result.indicators)]
    pairs = zip_longest(result.indicators[:_MOST], written[:_MOST])
    return tuple(_objective(indicator, objective) for indicator, objective in pairs)


def describe_failures(result: Result) -> str:
    """What missed its criteria, else what Keptn says."""
    missed = [one for one in describe_objectives(result) if one.status in {"Fail", "Warning"}]
    return "; ".join(_failure(one) for one in missed) or one_line(result.message) or "Keptn gives no reason"


def _failure(objective: Objective) -> str:
    if not objective.value:
        return f"{objective.sli} was not measured ({objective.message or 'no value'})"
    compared = f" (compared with {objective.compared})" if objective.compared and _relative(objective.violated) else ""
    return f"{objective.sli} is {objective.value}{compared}, wanted {' and '.join(objective.violated)}"


def _relative(criteria: Iterable[str]) -> bool:
    """Whether any of the criteria compares with earlier results."""
    for text in criteria:
        with contextlib.suppress(CriterionError):
            if parse_criterion(text).relative:
                return True
    return False


def _written(result: Result) -> tuple[WrittenObjective, ...]:
    """The objectives of the scored slo.yaml: the event has neither weights nor the names of what was not measured."""
    if result.slo is None:
        return ()
    try:
        return decode_slo(result.slo.decode(errors="replace")).objectives
    except InvalidFileError:
        return ()


def _objective(indicator: Indicator, written: WrittenObjective | None) -> Objective:
    value = indicator.value
    measured = value is not None and value.success
    return Objective(
        sli=written.sli if written else value.metric if value else "",
        display_name=indicator.display_name,
        status=_STATUSES.get(indicator.status, "Info"),
        value=number(value.value) if value is not None and measured else "",
        compared=number(indicator.compared) if measured and indicator.compared else "",
        key_sli=written.key_sli if written else indicator.key_sli,
        weight=written.weight if written else 1,
        pass_criteria=tuple(criterion for criterion, _ in indicator.criteria),
        violated=tuple(criterion for criterion, violated in indicator.criteria if violated),
        message=one_line(value.message) if value else "",
    )
