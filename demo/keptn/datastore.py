"""mongodb-datastore: stored events by query, and by type and filter."""

from http import HTTPStatus

from demo.keptn.engine import Engine
from demo.keptn.events import Event
from demo.keptn.store import EventQuery
from demo.keptn.web import JSON_TYPE, Reply, Request, ok, page_of_nginx, refused
from prodeval.domain.json_values import JSON, JSONObject, child

_DEFAULT_PAGE, _LARGEST_PAGE = 20, 100


def events(engine: Engine, request: Request) -> Reply:
    """`GET /mongodb-datastore/event`."""
    wanted = request.query
    size = _bounded(request, "pageSize")
    query = EventQuery(
        project=wanted.get("project", ""),
        stage=wanted.get("stage", ""),
        service=wanted.get("service", ""),
        context=wanted.get("keptnContext", ""),
        type=wanted.get("type", ""),
        source=wanted.get("source", ""),
        id=wanted.get("eventID", ""),
        from_time=wanted.get("fromTime", ""),
        before_time=wanted.get("beforeTime", ""),
        root=wanted.get("root", "") == "true",
    )
    found = engine.store.find(query)
    first = _offset(wanted.get("nextPageKey", ""))
    following = first + size
    body: dict[str, JSON] = {"events": [event.to_json() for event in found[first:following]], "pageSize": size}
    if found:
        body["totalCount"] = len(found)
    if following < len(found):
        body["nextPageKey"] = str(following)
    return ok(body, JSON_TYPE)


def events_of_type(engine: Engine, request: Request) -> Reply:
    """`GET /mongodb-datastore/event/type/<type>`: terms joined by ` AND `, a comma means any of, no paging."""
    limit = _bounded(request, "limit")
    text = request.query.get("filter", "")
    if not text:
        raise refused(HTTPStatus.UNPROCESSABLE_ENTITY, "filter in query is required", code=602, content_type=JSON_TYPE)
    terms = _terms(text)
    project, context = terms.get("data.project", [""]), terms.get("shkeptncontext", [""])
    if project == [""] and context == [""]:
        message = "invalid event filter: either 'shkeptncontext' or 'data.project' must be set"
        raise refused(HTTPStatus.BAD_REQUEST, message, content_type=JSON_TYPE)
    if len(project) > 1:
        return page_of_nginx(HTTPStatus.BAD_GATEWAY)
    query = EventQuery(project[0], type=request.names["type"], from_time=request.query.get("fromTime", ""))
    found = [event for event in engine.store.find(query) if _matches(event, terms)]
    if request.query.get("excludeInvalidated") == "true":
        invalid = engine.store.invalidated(project[0])
        found = [event for event in found if event.triggered_id not in invalid]
    return ok({"events": [event.to_json() for event in found[:limit]]}, JSON_TYPE)


def _terms(text: str) -> dict[str, list[str]]:
    """Key to accepted values; a term whose value has a colon is ignored, as in Keptn."""
    pairs = [term.split(":") for term in text.split(" AND ")]
    return {pair[0]: pair[1].split(",") for pair in pairs if len(pair) == 2}  # noqa: PLR2004 - key and value


def _matches(event: Event, terms: dict[str, list[str]]) -> bool:
    shown: JSONObject = event.to_json()
    return all(child(shown, *key.split(".")) in values for key, values in terms.items())


def _offset(text: str) -> int:
    """Where the page begins; what is no number is 0."""
    return int(text) if text.isdecimal() else 0


def _bounded(request: Request, name: str) -> int:
    """A page size from 1 to 100; empty is the default."""
    text = request.query.get(name, "")
    if not text:
        return _DEFAULT_PAGE
    try:
        size = int(text)
    except ValueError:
        raise _unprocessable(601, f'{name} in query must be of type int64: "{text}"') from None
    if size < 1:
        raise _unprocessable(609, f"{name} in query should be greater than or equal to 1")
    if size > _LARGEST_PAGE:
        raise _unprocessable(608, f"{name} in query should be less than or equal to {_LARGEST_PAGE}")
    return size


def _unprocessable(code: int, message: str) -> Exception:
    return refused(HTTPStatus.UNPROCESSABLE_ENTITY, message, code=code, content_type=JSON_TYPE)
