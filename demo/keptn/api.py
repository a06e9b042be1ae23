"""All routes of the API, and the paths of Keptn's api-service itself: metadata, token check, events."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from demo.keptn import control_plane, datastore, resources
from demo.keptn.engine import Engine
from demo.keptn.events import Event, context_id, new_id, timestamp
from demo.keptn.web import JSON_TYPE, RefusedError, Reply, Request, ok, refused
from prodeval.domain.json_values import as_object, as_text

Handler = Callable[[Engine, Request], Reply]

_ACCEPTED = ("application/cloudevents+json", "application/json")
_METADATA: Mapping[str, str | bool] = {
    "automaticprovisioning": False,
    "bridgeversion": "1.4.5",
    "keptnlabel": "keptn",
    "keptnversion": "1.4.5",
    "namespace": "keptn",
    "shipyardversion": "0.2.0",
}


def metadata(engine: Engine, request: Request) -> Reply:  # noqa: ARG001 - all routes are called alike
    """`GET /v1/metadata`."""
    return ok(_METADATA, JSON_TYPE)


def check_token(engine: Engine, request: Request) -> Reply:  # noqa: ARG001 - all routes are called alike
    """`/v1/auth` with any method: whoever gets here has the right token."""
    return Reply(HTTPStatus.OK, b"")


def post_event(engine: Engine, request: Request) -> Reply:
    """`POST /v1/event`: only says that the event was handed on; id and time are set here."""
    if request.content_type not in _ACCEPTED:
        message = f'unsupported media type "{request.content_type}", only [{" ".join(_ACCEPTED)}] are allowed'
        raise refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, content_type=JSON_TYPE)
    try:
        body = as_object(request.json())
    except ValueError as error:
        message = 'parsing body body from "" failed, because unexpected EOF'
        raise refused(HTTPStatus.BAD_REQUEST, message, content_type=JSON_TYPE) from error
    for name in ("data", "source", "type"):
        if body.get(name) is None:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            raise refused(status, f"{name} in body is required", code=602, content_type=JSON_TYPE)
    event = Event(
        type=as_text(body["type"]),
        source=as_text(body["source"]),
        context=context_id(as_text(body.get("shkeptncontext"))),
        data=as_object(body["data"]),
        id=new_id(),
        time=timestamp(),
        triggered_id=as_text(body.get("triggeredid")),
        commit=as_text(body.get("gitcommitid")),
        content_type=JSON_TYPE,
    )
    engine.publish(event)
    return ok({"keptnContext": event.context}, JSON_TYPE)


_SERVICE = "controlPlane/v1/project/{project}/stage/{stage}/service/{service}"
_RESOURCES = "resource-service/v1/project/{project}"
_ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "v1/metadata"): metadata,
    ("POST", "v1/event"): post_event,
    **{(method, "v1/auth"): check_token for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS")},
    ("GET", "controlPlane/v1/project"): control_plane.projects,
    ("GET", "controlPlane/v1/project/{project}"): control_plane.project,
    ("POST", "controlPlane/v1/project/{project}/service"): control_plane.create_service,
    ("GET", "controlPlane/v1/project/{project}/stage"): control_plane.stages,
    ("GET", "controlPlane/v1/project/{project}/stage/{stage}"): control_plane.stage,
    ("GET", "controlPlane/v1/project/{project}/stage/{stage}/service"): control_plane.services,
    ("GET", _SERVICE): control_plane.service,
    ("POST", f"{_SERVICE}/evaluation"): control_plane.evaluate,
    ("GET", "controlPlane/v1/sequence/{project}"): control_plane.sequences,
    ("POST", "controlPlane/v1/sequence/{project}/{context}/control"): control_plane.control,
    ("GET", "controlPlane/v1/sequence-execution"): control_plane.executions,
    ("GET", "controlPlane/v1/uniform/registration"): control_plane.uniform,
    ("GET", "mongodb-datastore/event"): datastore.events,
    ("GET", "mongodb-datastore/event/type/{type}"): datastore.events_of_type,
    **{
        (method, f"{_RESOURCES}{scope}/resource{file}"): handler
        for scope in ("", "/stage/{stage}", "/stage/{stage}/service/{service}")
        for method, file, handler in (
            ("GET", "", resources.resources),
            ("POST", "", resources.create_resources),
            ("PUT", "", resources.update_resources),
            ("GET", "/{path}", resources.resource),
            ("PUT", "/{path}", resources.update_resource),
        )
    },
}


def application(engine: Engine) -> Callable[[Request], Reply]:
    """The API of an engine, behind the gateway."""

    def answer(request: Request) -> Reply:
        methods = []
        for (method, pattern), handler in _ROUTES.items():
            names = _match(pattern, request)
            if names is not None and method == request.method:
                return handler(engine, replace(request, names=names))
            if names is not None:
                methods.append(method)
        raise _unknown(request, methods)

    return answer


def _match(pattern: str, request: Request) -> Mapping[str, str] | None:
    """The names in the path; None if it is another one."""
    parts = pattern.split("/")
    if len(parts) != len(request.segments):
        return None
    names = {}
    for part, segment in zip(parts, request.segments, strict=True):
        if part.startswith("{") and segment:
            names[part.strip("{}")] = segment
        elif part != segment:
            return None
    return names


def _unknown(request: Request, methods: list[str]) -> RefusedError:
    """What there is no route for, in the words of the service that the gateway would ask."""
    first = request.segments[0]
    if first in ("controlPlane", "resource-service"):
        if request.path.endswith("/"):
            return _moved(request.path.removeprefix(f"/{first}").rstrip("/"))
        return RefusedError(Reply(HTTPStatus.NOT_FOUND, b"404 page not found", "text/plain"))
    if methods:
        message = f"method {request.method} is not allowed, but [{','.join(methods)}] are"
        return refused(HTTPStatus.METHOD_NOT_ALLOWED, message, content_type=JSON_TYPE)
    return refused(HTTPStatus.NOT_FOUND, f"path {request.path} was not found", content_type=JSON_TYPE)


def _moved(location: str) -> RefusedError:
    """A slash at the end leads out of the API."""
    page = f'<a href="{location}">Moved Permanently</a>.\n\n'.encode()
    return RefusedError(Reply(HTTPStatus.MOVED_PERMANENTLY, page, "text/html; charset=utf-8", location))
