"""The part of Keptn's API that the operator uses: events, sequence executions, registrations, evaluations, reads."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import cast
from urllib.parse import quote

from prodeval.adapters.http import HttpClient, HttpFailedError, HttpResponse, HttpTooLargeError, can_be_sent
from prodeval.domain.errors import (
    DependencyNotReadyError,
    InvalidSpecError,
    KeptnAwayError,
    KeptnUnavailableError,
    ProdevalError,
)
from prodeval.domain.events import (
    Event,
    SequenceExecution,
    Subscription,
    format_time,
    merge_events,
    parse_events,
    parse_executions,
    parse_registrations,
)
from prodeval.domain.json_values import JSON, as_text, child
from prodeval.domain.paths import SHIPYARD
from prodeval.domain.retry_after import parse_retry_after

_EVENTS = "/mongodb-datastore/event"
_CONTROL = "/controlPlane/v1"
_RESOURCES = ("/resource-service/v1", "/configuration-service/v1")
"""Since 0.18, and before."""
_PAGE = 100
_MOST_PAGES = 100
_LONGEST_MESSAGE = 300
_RATE_LIMIT_PAUSE = 2.0
_LONGEST_KEY = 19
_REDIRECTS = range(300, 400)
_AWAY = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
        *_REDIRECTS,
    }
)
"""What the gateway answers whatever the question is about; a 404 or 500 may be about one project alone."""


class KeptnClient:
    """Keptn's API behind its gateway; safe to call from many threads.

    Each call raises KeptnUnavailableError if Keptn does not answer as it should, whatever the reason; it is a
    KeptnAwayError if that would be so for any question. Their texts are the same from try to try, whatever was asked.

    Args:
        url: of the API, such as `http://api-gateway-nginx.keptn/api`.
        token: gives the current API token before each request.
        timeout: as of HttpClient; Keptn's gateway itself gives up after 60 s.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], str],
        *,
        timeout: tuple[float, float] = (5.0, 30.0),
        verify: bool | str = True,
    ) -> None:
        self._http = HttpClient(url, timeout=timeout, verify=verify)
        self._token = token

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def events(self, project: str, since: datetime) -> tuple[Event, ...]:
        """All events of a project from a time on, oldest first, at most the newest 10,000; () if it is unknown.

        An event can be stored seconds after its `time`: ask from a minute before the last one known.
        """
        # Keptn compares times as text and excludes the bound: a second earlier, written out, misses nothing.
        bound = since.replace(microsecond=0) - timedelta(seconds=1)
        return self._events({"project": project, "fromTime": format_time(bound)})

    def events_of_context(self, project: str, context: str) -> tuple[Event, ...]:
        """All events of one context, oldest first."""
        return self._events({"project": project, "keptnContext": context})

    def event(self, project: str, event_id: str) -> Event | None:
        """One event by its id; None if Keptn has none."""
        found = self._events({"project": project, "eventID": event_id})
        return found[-1] if found else None

    def newest_event(self, project: str, stage: str, service: str, event_type: str) -> Event | None:
        """The newest event of a type for a service in a stage; None if there is none."""
        scope = {"project": project, "stage": stage, "service": service, "type": event_type, "pageSize": "20"}
        found = parse_events(self._member(_EVENTS, scope, "events"))
        return max(found, key=lambda event: event.order, default=None)

    def sequence_executions(
        self, project: str, *, stage: str | None = None, service: str | None = None
    ) -> tuple[SequenceExecution, ...]:
        """The newest 100 sequence executions, newest first; () before Keptn 0.18, which has none.

        Raises:
            DependencyNotReadyError: Keptn does not know the project.
        """
        scope = {"project": project, "stage": stage, "service": service, "pageSize": str(_PAGE)}
        params = {name: value for name, value in scope.items() if value is not None}
        response = self._send("GET", f"{_CONTROL}/sequence-execution", params=params)
        if response.status != HTTPStatus.NOT_FOUND:
            return parse_executions(_member(self._checked(response), "sequenceExecutions"))
        if "project not found" in _message(response):
            raise DependencyNotReadyError(f"Keptn does not know the project {project}; create it in Keptn first")
        return ()

    def registrations(self) -> tuple[Subscription, ...]:
        """What the integrations registered in Keptn's uniform listen to."""
        return parse_registrations(self._checked(self._send("GET", f"{_CONTROL}/uniform/registration")))

    def read_default_branch(self, project: str) -> None:
        """Let Keptn pull the default branch into its clone; done as well if Keptn has no such project."""
        self._read(project, f"/resource/{SHIPYARD}", {})

    def read_stage_branch(self, project: str, stage: str) -> None:
        """Let Keptn pull a stage's branch into its clone; done as well if its clone has no such branch."""
        self._read(project, f"/stage/{quote(stage, safe='')}/resource", {"pageSize": "1"})

    def trigger_evaluation(
        self, project: str, stage: str, service: str, *, timeframe: str, labels: Mapping[str, str] | None = None
    ) -> str:
        """Evaluate a service now, over a timeframe such as `2m` that ends now; returns the Keptn context.

        Keptn fixes the window at once: do not ask while a sequence of the service runs in the stage.

        Raises:
            DependencyNotReadyError: Keptn does not know the project, stage or service.
            InvalidSpecError: Keptn refuses the timeframe.
        """
        names = (quote(name, safe="") for name in (project, stage, service))
        path = "{}/project/{}/stage/{}/service/{}/evaluation".format(_CONTROL, *names)
        response = self._send("POST", path, body={"timeframe": timeframe, "labels": dict(labels or {})})
        if response.status == HTTPStatus.BAD_REQUEST:
            raise _refused_evaluation(response, f"{project}/{stage}/{service}")
        context = as_text(child(self._checked(response), "keptnContext"))
        if not context:
            raise KeptnUnavailableError("Keptn accepted an evaluation without naming its context")
        return context

    def _read(self, project: str, scope: str, params: Mapping[str, str]) -> None:
        """What Keptn does not find it does not push either, so that there is nothing to bring up to date."""
        for service in _RESOURCES:
            response = self._send("GET", f"{service}/project/{quote(project, safe='')}{scope}", params=params)
            if response.status != HTTPStatus.NOT_FOUND:
                self._checked(response)
                return

    def _events(self, scope: Mapping[str, str]) -> tuple[Event, ...]:
        """All pages; events that arrive meanwhile move the rest to later pages, so that some come twice."""
        found: tuple[Event, ...] = ()
        key = 0
        for _ in range(_MOST_PAGES):
            params = {**scope, "pageSize": str(_PAGE)} | ({"nextPageKey": str(key)} if key else {})
            body = self._checked(self._send("GET", _EVENTS, params=params))
            found = merge_events(found, parse_events(_member(body, "events")))
            following = _page_key(child(body, "nextPageKey"))
            if following <= key:
                break
            key = following
        return found

    def _member(self, path: str, params: Mapping[str, str], name: str) -> JSON:
        return _member(self._checked(self._send("GET", path, params=params)), name)

    def _send(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: JSON = None
    ) -> HttpResponse:
        try:
            return self._http.request(method, path, params=params, json=body, headers={"x-token": self._read_token()})
        except HttpTooLargeError as error:
            raise KeptnUnavailableError(f"Keptn's API answers too much: {error}") from error
        except HttpFailedError as error:
            problem = f"Keptn's API at {self._http.address} does not answer: {error.problem}"
            raise KeptnAwayError(problem) from error

    def _read_token(self) -> str:
        try:
            token = self._token()
        except ProdevalError as error:
            raise KeptnAwayError(f"Keptn cannot be asked without its API token: {error}") from error
        if not can_be_sent(token):
            raise KeptnAwayError(
                "the API token cannot be sent: it holds a line break, a blank end or a character beyond ASCII; compare "
                "the operator's Secret, key keptn-api-token, with Keptn's own"
            )
        return token

    def _checked(self, response: HttpResponse) -> JSON:
        """The JSON of a successful answer; any other raises."""
        if response.status != HTTPStatus.OK:
            kind = KeptnAwayError if response.status in _AWAY else KeptnUnavailableError
            raise kind(_explain(response), retry_after=_retry_after(response))
        try:
            return response.json()
        except HttpFailedError as error:
            raise KeptnAwayError("Keptn's API answers no JSON; does keptn.url end in /api?") from error


def _explain(response: HttpResponse) -> str:
    status = response.status
    if status == HTTPStatus.UNAUTHORIZED:
        return "Keptn refuses the API token (401); compare the operator's Secret with Keptn's keptn-api-token"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return (
            "Keptn's gateway lets nobody in (429): its api-service is down, "
            "or a client at the same address sends a wrong token"
        )
    if status in _REDIRECTS:
        return f"Keptn's API redirects ({status}), which is never followed; keptn.url must be the API's own address"
    return f"Keptn's API answers {status}: {_message(response)}"


def _member(body: JSON, name: str) -> JSON:
    """A list of an answer, which Keptn may write as null; another answer comes from something in between."""
    if not isinstance(body, Mapping) or name not in body:
        raise KeptnAwayError(f"Keptn's API answers without {name}; does keptn.url end in /api?")
    return body[name]


def _page_key(value: JSON) -> int:
    """The offset of the next page; 0 if this is the last."""
    text = str(value) if isinstance(value, int) else as_text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_KEY else 0


def _message(response: HttpResponse) -> str:
    """What an error says: the first of perhaps several JSON objects, else the name of the status."""
    text = response.body.decode(errors="replace")
    try:
        body, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        body = None
    message = " ".join(as_text(child(cast("JSON", body), "message")).split())
    return message[:_LONGEST_MESSAGE] or _phrase(response.status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an unknown status"


def _retry_after(response: HttpResponse) -> float | None:
    asked = parse_retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC))
    return _RATE_LIMIT_PAUSE if asked is None and response.status == HTTPStatus.TOO_MANY_REQUESTS else asked


def _refused_evaluation(response: HttpResponse, target: str) -> ProdevalError:
    message = _message(response)
    if "not found" in message:
        return DependencyNotReadyError(f"Keptn cannot evaluate {target}: {message}; create it in Keptn first")
    return InvalidSpecError(f"Keptn cannot evaluate {target}: {message}")
