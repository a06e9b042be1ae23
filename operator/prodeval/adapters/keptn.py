"""The part of Keptn's API that the operator uses: events, sequence executions, registrations, evaluations, reads."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Generic, TypeVar, cast
from urllib.parse import quote

from prodeval.adapters.http import HttpClient, HttpFailedError, HttpResponse, HttpTooLargeError, can_be_sent
from prodeval.adapters.keptn_pages import LARGEST_PAGE, Limits, Page, PagedList, PageReader, PageTooLargeError
from prodeval.domain.errors import (
    DependencyNotReadyError,
    InvalidSpecError,
    KeptnUnavailableError,
    ProdevalError,
)
from prodeval.domain.event_fields import keep_fields, weigh
from prodeval.domain.events import (
    Event,
    EventAnswer,
    SequenceExecution,
    Subscription,
    format_time,
    merge_events,
    parse_events,
    parse_executions,
    parse_registrations,
    slim,
)
from prodeval.domain.http_dates import parse_http_date, parse_retry_after
from prodeval.domain.json_values import JSON, as_text, child
from prodeval.domain.paths import SHIPYARD
from prodeval.domain.printable import bounded_line

_CONTROL = "/controlPlane/v1"
_RESOURCES = ("/resource-service/v1", "/configuration-service/v1")
"""Since 0.18, and before."""
_OF_PROJECT = Limits()
_OF_SERVICE = Limits(items=300, size=8 * LARGEST_PAGE)
_NEWEST = Limits(items=20)
_EXECUTIONS_READ = Limits(items=100)
_LONGEST_MESSAGE = 300
_LONGEST_ERROR_BODY = 65536
_RATE_LIMIT_PAUSE = 2.0
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

_PARSING = threading.Lock()
"""While an answer is parsed it takes many times its size: one at a time is as fast, and bounds what all take."""

_T = TypeVar("_T")


class _NotFoundError(KeptnUnavailableError):
    """Keptn answers 404."""


@dataclass(frozen=True, slots=True)
class _Kind(Generic[_T]):
    """A list that Keptn gives page by page.

    Attributes:
        member: of an answer, which holds the items.
        parse: the items.
        weigh: bytes of memory that an item takes beyond a few short texts.
    """

    path: str
    member: str
    parse: Callable[[JSON], tuple[_T, ...]]
    weigh: Callable[[_T], int]


_EVENTS = _Kind(
    "/mongodb-datastore/event",
    "events",
    lambda values: tuple(map(slim, parse_events(values))),
    lambda event: weigh(event.data),
)
_EXECUTIONS = _Kind(f"{_CONTROL}/sequence-execution", "sequenceExecutions", parse_executions, lambda _: 0)


class KeptnClient:
    """Keptn's API behind its gateway; safe to call from many threads.

    Each call raises KeptnUnavailableError if Keptn does not answer as it should, whatever the reason. Its text is the
    same from try to try. Of an answer only the fields of `event_fields` are kept, and of events what `slim` keeps.

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
        self._http = HttpClient(url, timeout=timeout, verify=verify, max_bytes=LARGEST_PAGE)
        self._token = token

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def events(self, project: str, since: datetime) -> EventAnswer:
        """The events of a project from a time on, at most the newest 10,000; none if the project is unknown.

        An event can be stored seconds after its `time`: ask from a minute before the last one known. One that is too
        large alone, which Keptn's own bus would not carry, is left out and makes the answer incomplete.
        """
        return self._answer({"project": project, "fromTime": _bound(since)}, _OF_PROJECT)

    def service_events(self, project: str, service: str, since: datetime) -> EventAnswer:
        """The events of a service in all stages from a time on, at most the newest 300; else as `events`."""
        return self._answer({"project": project, "service": service, "fromTime": _bound(since)}, _OF_SERVICE)

    def events_of_context(self, project: str, context: str) -> tuple[Event, ...]:
        """The events of one context, oldest first, at most the newest 10,000."""
        return self._answer({"project": project, "keptnContext": context}, _OF_PROJECT).events

    def event(self, project: str, event_id: str) -> Event | None:
        """One event by its id; None if Keptn has none, or none that can be read."""
        found = self._answer({"project": project, "eventID": event_id}, _NEWEST).events
        return found[-1] if found else None

    def newest_event(self, project: str, stage: str, service: str, event_type: str) -> Event | None:
        """The newest event of a type for a service in a stage; None if there is none."""
        scope = {"project": project, "stage": stage, "service": service, "type": event_type}
        found = self._answer(scope, _NEWEST).events
        return found[-1] if found else None

    def sequence_executions(
        self, project: str, *, stage: str | None = None, service: str | None = None
    ) -> tuple[SequenceExecution, ...]:
        """The newest 100 sequence executions, newest first; () before Keptn 0.18, which has none.

        Raises:
            DependencyNotReadyError: Keptn does not know the project.
        """
        scope = {"project": project, "stage": stage, "service": service}
        params = {name: value for name, value in scope.items() if value is not None}
        try:
            return self._list(_EXECUTIONS, params, _EXECUTIONS_READ).items
        except _NotFoundError as error:
            if "project not found" in str(error):
                problem = f"Keptn does not know the project {project}; create it in Keptn first"
                raise DependencyNotReadyError(problem) from error
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

    def _answer(self, scope: Mapping[str, str], limits: Limits) -> EventAnswer:
        found = self._list(_EVENTS, scope, limits)
        return EventAnswer(merge_events(found.items), found.complete, found.answered)

    def _list(self, kind: _Kind[_T], scope: Mapping[str, str], limits: Limits) -> PagedList[_T]:
        def ask(offset: int, size: int, seconds: float) -> Page[_T]:
            params = {**scope, "pageSize": str(size)} | ({"nextPageKey": str(offset)} if offset else {})
            response = self._send("GET", kind.path, params=params, seconds=seconds)
            body = self._checked(response)
            items = kind.parse(_member(body, kind.member))
            weight = max(len(response.body), sum(map(kind.weigh, items)))
            return Page(items, child(body, "nextPageKey"), weight, parse_http_date(response.headers.get("Date", "")))

        return PageReader(ask, limits).read()

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: JSON = None,
        seconds: float = _OF_PROJECT.seconds,
    ) -> HttpResponse:
        headers = {"x-token": self._read_token()}
        try:
            return self._http.request(method, path, params=params, json=body, headers=headers, seconds=seconds)
        except HttpTooLargeError as error:
            raise PageTooLargeError(f"Keptn's API answers too much: {error}") from error
        except HttpFailedError as error:
            problem = f"Keptn's API at {self._http.address} does not answer: {error.problem}"
            raise KeptnUnavailableError(problem, everywhere=not error.reached) from error

    def _read_token(self) -> str:
        try:
            token = self._token()
        except ProdevalError as error:
            problem = f"Keptn cannot be asked without its API token: {error}"
            raise KeptnUnavailableError(problem, everywhere=True) from error
        if can_be_sent(token):
            return token
        problem = (
            "the API token cannot be sent: it holds a line break, a blank end or a character beyond ASCII; compare "
            "the operator's Secret, key keptn-api-token, with Keptn's own"
        )
        raise KeptnUnavailableError(problem, everywhere=True)

    def _checked(self, response: HttpResponse) -> JSON:
        """The JSON of a successful answer; any other raises."""
        if response.status != HTTPStatus.OK:
            kind = _NotFoundError if response.status == HTTPStatus.NOT_FOUND else KeptnUnavailableError
            away = response.status in _AWAY
            raise kind(_explain(response), retry_after=_retry_after(response), everywhere=away)
        try:
            with _PARSING:
                return keep_fields(response.json())
        except HttpFailedError as error:
            # JSON that is too deep, or has too long a number, is Keptn's all the same: one project's fault, not all's.
            foreign = response.body.lstrip()[:1] not in {b"{", b"["}
            problem = "Keptn's API answers no JSON; does keptn.url end in /api?"
            raise KeptnUnavailableError(problem, everywhere=foreign) from error


def _bound(since: datetime) -> str:
    """Keptn compares times as text and excludes the bound: a second earlier, written out, misses nothing."""
    return format_time(since.replace(microsecond=0) - timedelta(seconds=1))


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
        problem = f"Keptn's API answers without {name}; does keptn.url end in /api?"
        raise KeptnUnavailableError(problem, everywhere=True)
    return body[name]


def _message(response: HttpResponse) -> str:
    """What an error says: the first of perhaps several JSON objects, else the name of the status."""
    text = response.body[:_LONGEST_ERROR_BODY].decode(errors="replace")
    try:
        body, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        body = None
    message = as_text(child(cast("JSON", body), "message"))
    return bounded_line(message, _LONGEST_MESSAGE) or _phrase(response.status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an unknown status"


def _retry_after(response: HttpResponse) -> float | None:
    now = parse_http_date(response.headers.get("Date", "")) or datetime.now(UTC)
    asked = parse_retry_after(response.headers.get("Retry-After", ""), now)
    return _RATE_LIMIT_PAUSE if asked is None and response.status == HTTPStatus.TOO_MANY_REQUESTS else asked


def _refused_evaluation(response: HttpResponse, target: str) -> ProdevalError:
    message = _message(response)
    if "not found" in message:
        return DependencyNotReadyError(f"Keptn cannot evaluate {target}: {message}; create it in Keptn first")
    return InvalidSpecError(f"Keptn cannot evaluate {target}: {message}")
