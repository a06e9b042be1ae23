"""Every `evaluation.finished` of recorded runs, reproduced from the values that were delivered and what came before."""

import base64
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import pytest

from prodeval.domain.slo import (
    Evaluation,
    PreviousEvaluation,
    SLIValue,
    decode_slo,
    evaluate,
    finished_payload,
    provider_errored,
    unperformed,
)
from tests.unit.slo.recorded import lines, sli_value

EVENTS = lines("events")


class Run(NamedTuple):
    """One evaluation with all that went into it."""

    finished: dict[str, Any]
    delivered: dict[str, Any] | None
    earlier: list[PreviousEvaluation]


def runs() -> Iterator[Run]:
    for event in of_type("evaluation.finished"):
        delivered = [one for one in of_type("get-sli.finished") if scope(one) == scope(event)]
        yield Run(event, delivered[0] if delivered else None, list(earlier_than(event)))


def of_type(name: str) -> list[dict[str, Any]]:
    return [event for event in EVENTS if event["type"] == f"sh.keptn.event.{name}"]


def scope(event: dict[str, Any]) -> tuple[str, ...]:
    return (event["recording"], event["shkeptncontext"], *service(event))


def service(event: dict[str, Any]) -> tuple[str, ...]:
    return tuple(event["data"][name] for name in ("project", "stage", "service"))


def earlier_than(event: dict[str, Any]) -> Iterator[PreviousEvaluation]:
    invalidated = {one["triggeredid"] for one in of_type("evaluation.invalidated") if time(one) < time(event)}
    for one in of_type("evaluation.finished"):
        if service(one) == service(event) and time(one) < time(event):
            yield PreviousEvaluation(
                id=one["id"],
                time=time(one),
                result=one["data"]["result"],
                invalidated=one["triggeredid"] in invalidated,
                values=tuple(measured(one)),
            )


def time(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"])


def measured(event: dict[str, Any]) -> list[SLIValue]:
    results = event["data"]["evaluation"]["indicatorResults"] or []
    return [sli_value(result["value"]) for result in results if result["value"]]


def slo_text(event: dict[str, Any]) -> str:
    return base64.b64decode(event["data"]["evaluation"]["sloFileContent"]).decode()


def recorded(event: dict[str, Any]) -> dict[str, Any]:
    data = event["data"]
    times = {"timeStart", "timeEnd", "sloFileContent"}
    return {
        "status": data["status"],
        "result": data["result"],
        "message": data.get("message", ""),
        "evaluation": {name: value for name, value in data["evaluation"].items() if name not in times},
    }


def reproduced(run: Run, *, slo: str | None = None, values: list[SLIValue] | None = None) -> dict[str, Any]:
    evaluation = evaluation_of(run, slo, values)
    return {
        "status": evaluation.status,
        "result": evaluation.result,
        "message": evaluation.message,
        "evaluation": finished_payload(evaluation),
    }


def evaluation_of(run: Run, slo: str | None, values: list[SLIValue] | None) -> Evaluation:
    project, stage, service_name = service(run.finished)
    if run.delivered is None:
        return unperformed(f"no SLI-provider configured for project {project}")
    if run.delivered["data"]["status"] == "errored":
        return provider_errored(run.delivered["data"]["message"])
    return evaluate(
        slo_text(run.finished) if slo is None else slo,
        delivered_values(run) if values is None else values,
        run.earlier,
        project=project,
        stage=stage,
        service=service_name,
    )


def delivered_values(run: Run) -> list[SLIValue]:
    assert run.delivered is not None
    return [sli_value(value) for value in run.delivered["data"]["get-sli"].get("indicatorValues") or []]


RUNS = list(runs())
SCORED = [run for run in RUNS if run.finished["data"]["evaluation"]["indicatorResults"]]


def name(run: Run) -> str:
    return f"{run.finished['recording']} {run.finished['time'][11:19]}"


def test_there_is_an_event_of_every_kind() -> None:
    assert len(RUNS) == 53
    assert {run.finished["data"]["result"] for run in SCORED} == {"pass", "warning", "fail"}
    assert any(run.finished["data"]["evaluation"].get("comparedEvents") for run in SCORED)
    assert any(run.finished["data"]["status"] == "errored" for run in RUNS)


@pytest.mark.parametrize("run", RUNS, ids=name)
def test_a_recorded_event_is_reproduced(run: Run) -> None:
    assert reproduced(run) == recorded(run.finished)


@pytest.mark.parametrize("run", SCORED, ids=name)
def test_another_value_is_noticed(run: Run) -> None:
    values = delivered_values(run)
    for index, value in enumerate(values):
        other = SLIValue(value.metric, value.value + 1e-9, value.success, value.message)
        if value.success:
            assert reproduced(run, values=[*values[:index], other, *values[index + 1 :]]) != recorded(run.finished)


@pytest.mark.parametrize("run", SCORED, ids=name)
def test_another_score_is_noticed(run: Run) -> None:
    event = recorded(run.finished)
    event["evaluation"] |= {"score": event["evaluation"]["score"] + 1e-9}
    assert reproduced(run) != event


def one_byte_changed(text: str) -> Iterator[str]:
    """Every text with one byte changed in a criterion, a threshold of the total score or an indicator's name."""
    for found in re.finditer(r'criteria: \["(.+)"\]|(?:pass|warning): "(.+)"|sli: (.+)', text):
        for position in range(*found.span(found.lastindex or 0)):
            other = "7" if text[position] != "7" else "8"
            yield text[:position] + other + text[position + 1 :]


@pytest.mark.parametrize("run", SCORED, ids=name)
def test_another_byte_in_the_slo_is_noticed(run: Run) -> None:
    texts = list(one_byte_changed(slo_text(run.finished)))
    assert texts
    for text in texts:
        assert reproduced(run, slo=text) != recorded(run.finished) or only_thresholds_moved(run, text), text


def only_thresholds_moved(run: Run, text: str) -> bool:
    """A total score threshold shows in a message only; another one can give the same verdict."""
    before, after = decode_slo(slo_text(run.finished)), decode_slo(text)
    return before.objectives == after.objectives and before.total_score != after.total_score
