"""Lighthouse and its SLI provider: answer the evaluation task with the package's evaluator and a real Prometheus.

The SLO is read twice, as in Keptn: at the commit of the trigger to learn which indicators to ask for, and at the tip
of the stage's branch to score them.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Thread

from demo.keptn.events import (
    LIGHTHOUSE,
    PREFIX,
    PROMETHEUS,
    Event,
    answer,
    common_data,
    kind,
    new_event,
    scope_data,
    task_name,
)
from demo.keptn.store import EventQuery, EventStore
from demo.keptn.upstream import NotThereError, Upstream, UpstreamError
from prodeval.adapters.http import HttpClient
from prodeval.adapters.prometheus import PrometheusClient
from prodeval.domain.errors import InvalidFileError
from prodeval.domain.json_values import JSONObject, as_list, as_object, as_text, child
from prodeval.domain.sli import (
    AskedTimeframe,
    Retrieval,
    SLIRequest,
    TimeframeError,
    resolve_timeframe,
    retrieve,
)
from prodeval.domain.slo import (
    Evaluation,
    PreviousEvaluation,
    SLIValue,
    decode_slo,
    errored,
    evaluate,
    finished_payload,
    provider_errored,
    unperformed,
)

PROVIDER = "prometheus"
_SLO = "slo.yaml"
_SLI = "prometheus/sli.yaml"


class StoppedError(Exception):
    """The evaluation ended before anything was measured; holds the outcome, and the window if it is known."""

    def __init__(self, outcome: Evaluation, window: tuple[str, str] = ("", "")) -> None:
        super().__init__(outcome.message)
        self.outcome, self.window = outcome, window


@dataclass(frozen=True, slots=True)
class Measurements:
    """What evaluations are made from.

    Attributes:
        prometheus: its base URL; empty if no SLI provider is configured, which Keptn takes for a pass.
    """

    upstreams: Mapping[str, Upstream]
    store: EventStore
    prometheus: str


class Lighthouse:
    """Answers `evaluation.triggered`, each in a thread of its own."""

    def __init__(self, measurements: Measurements, send: Callable[[Event], None]) -> None:
        self._from, self._send = measurements, send
        self._prometheus = PrometheusClient(HttpClient(measurements.prometheus))

    def handle(self, event: Event) -> None:
        """Take up an evaluation; silent if the trigger cannot be decoded, as Keptn is."""
        if task_name(event.type) != "evaluation" or kind(event.type) != "triggered":
            return
        evaluation = as_object(event.data.get("evaluation"))
        if all(isinstance(evaluation.get(name, ""), str) for name in ("start", "end", "timeframe")):
            Thread(target=self._run, args=(event,), name=event.type, daemon=True).start()

    def _run(self, event: Event) -> None:
        result = event.text("result") or None
        started = scope_data(event.data, status="succeeded", result=result)
        self._send(answer(event, "started", LIGHTHOUSE, started, commit=True))
        try:
            window, slo = self._begin(event)
        except StoppedError as stopped:
            finished = _finished(event, stopped.outcome, stopped.window, "")
            self._send(answer(event, "finished", LIGHTHOUSE, finished, commit=True))
            return
        retrieval = self._ask_provider(event, window, slo)
        if retrieval.status == "errored":
            finished = _finished(event, provider_errored(retrieval.message), ("", ""), "")
        else:
            finished = self._score(event, window, retrieval)
        self._send(answer(event, "finished", LIGHTHOUSE, finished))

    def _begin(self, event: Event) -> tuple[tuple[str, str], str]:
        """The window, and the SLO's text at the trigger's commit; raises StoppedError."""
        try:
            window = resolve_timeframe(_asked(event.data), datetime.now(UTC))
        except TimeframeError as error:
            raise StoppedError(errored(str(error))) from error
        project, stage, service = event.target
        try:
            slo = self._read(event, _SLO, commit=event.commit) or ""
            if slo:
                decode_slo(slo)
        except InvalidFileError as error:
            place = f"service {service} in stage {stage} in project {project}"
            message = f"error retrieving SLO file: Could not parse SLO file for {place}"
            raise StoppedError(errored(message), window) from error
        except UpstreamError as error:
            raise StoppedError(errored(f"error retrieving SLO file: {error}"), window) from error
        if not self._from.prometheus:
            outcome = unperformed(f"no SLI-provider configured for project {project}")
            raise StoppedError(outcome, window)
        return window, slo

    def _ask_provider(self, event: Event, window: tuple[str, str], slo: str) -> Retrieval:
        """Send get-sli and answer it, as prometheus-service does."""
        request = _request(event, window, slo)
        data = scope_data(event.data, **{"get-sli": _asked_json(request)})
        trigger = new_event(
            "get-sli.triggered",
            LIGHTHOUSE,
            event.context,
            {**data, "deployment": request.deployment},
            commit=event.commit,
        )
        self._send(trigger)
        self._send(answer(trigger, "started", PROMETHEUS, scope_data(event.data)))
        retrieval = self._retrieve(event, request)
        self._send(answer(trigger, "finished", PROMETHEUS, _retrieved(event.data, window, retrieval)))
        return retrieval

    def _retrieve(self, event: Event, request: SLIRequest) -> Retrieval:
        project, stage, service = event.target
        places = (("", ""), (stage, ""), (stage, service))
        try:
            levels = [self._read(event, _SLI, place=place) for place in places]
        except UpstreamError as error:
            message = f"unable to retrieve custom queries for project {project}: {error}"
            return Retrieval("errored", "fail", message, ())
        return retrieve(request, levels, self._prometheus.query)

    def _score(self, event: Event, window: tuple[str, str], retrieval: Retrieval) -> JSONObject:
        project, stage, service = event.target
        try:
            slo = self._read(event, _SLO) or ""
        except UpstreamError as error:
            return _finished(event, errored(f"error retrieving SLO file: {error}"), window, "")
        earlier = previous_evaluations(self._from.store, event.target)
        outcome = evaluate(slo, retrieval.values, earlier, project=project, stage=stage, service=service)
        return _finished(event, outcome, window, slo)

    def _read(self, event: Event, path: str, *, place: tuple[str, str] | None = None, commit: str = "") -> str | None:
        """A file of the service, or of another place of its project; None if it is not there."""
        project, stage, service = event.target
        in_stage, of_service = place or (stage, service)
        if project not in self._from.upstreams:
            return None
        try:
            found = self._from.upstreams[project].read(path, stage=in_stage, service=of_service, commit=commit)
        except NotThereError:
            return None
        return found.content.decode(errors="replace")


def previous_evaluations(store: EventStore, target: tuple[str, str, str]) -> list[PreviousEvaluation]:
    """All evaluations of a service so far."""
    project, stage, service = target
    found = store.find(EventQuery(project, stage=stage, service=service, type=f"{PREFIX}evaluation.finished"))
    invalid = store.invalidated(project)
    return [
        PreviousEvaluation(
            id=event.id,
            time=datetime.fromisoformat(event.time),
            result=event.text("result"),
            invalidated=event.triggered_id in invalid,
            values=tuple(_measured(event.data)),
        )
        for event in found
    ]


def _measured(data: JSONObject) -> list[SLIValue]:
    results = as_list(child(data, "evaluation", "indicatorResults"))
    values = [as_object(child(result, "value")) for result in results if child(result, "value")]
    return [
        SLIValue(as_text(value.get("metric")), _number(value), success=value.get("success") is True) for value in values
    ]


def _number(value: JSONObject) -> float:
    number = value.get("value")
    return float(number) if isinstance(number, int | float) else 0.0


def _asked(data: JSONObject) -> AskedTimeframe:
    evaluation, test = as_object(data.get("evaluation")), as_object(data.get("test"))
    return AskedTimeframe(
        *(as_text(evaluation.get(name)) for name in ("start", "end", "timeframe")),
        *(as_text(test.get(name)) for name in ("start", "end")),
    )


def _request(event: Event, window: tuple[str, str], slo: str) -> SLIRequest:
    """What the provider is asked: one value for each objective; nothing if there is no SLO."""
    objectives = decode_slo(slo) if slo else None
    names = as_list(child(event.data, "deployment", "deploymentNames"))
    labels = as_object(event.data.get("labels"))
    return SLIRequest(
        *event.target,
        indicators=tuple(one.sli for one in objectives.objectives) if objectives else (),
        start=window[0],
        end=window[1],
        labels={name: str(value) for name, value in labels.items()},
        filters=objectives.filter if objectives else {},
        deployment=as_text(names[0]) if names else "",
    )


def _asked_json(request: SLIRequest) -> JSONObject:
    filters: list[JSONObject] = [{"key": key, "value": value} for key, value in request.filters.items()]
    return {
        "sliProvider": PROVIDER,
        "start": request.start,
        "end": request.end,
        **({"indicators": list(request.indicators)} if request.indicators else {}),
        **({"customFilters": filters} if filters else {}),
    }


def _retrieved(data: JSONObject, window: tuple[str, str], retrieval: Retrieval) -> JSONObject:
    values: list[JSONObject] = [
        {
            "metric": value.metric,
            "value": value.value,
            "comparedValue": 0,
            "success": value.success,
            **({"message": value.message} if value.message else {}),
        }
        for value in retrieval.values
    ]
    measured: JSONObject = {"start": window[0], "end": window[1], **({"indicatorValues": values} if values else {})}
    common = scope_data(data, status=retrieval.status, result=retrieval.result, message=retrieval.message or None)
    return common if retrieval.status == "errored" else {**common, "get-sli": measured}


def _finished(event: Event, outcome: Evaluation, window: tuple[str, str], slo: str) -> JSONObject:
    common = common_data(event.data, status=outcome.status, result=outcome.result, message=outcome.message or None)
    times = {"timeStart": window[0], "timeEnd": window[1]}
    content = base64.b64encode(slo.encode()).decode()
    return {**common, "evaluation": {**finished_payload(outcome), **times, "sloFileContent": content}}
