"""shipyard-controller's API: projects, sequences, their control, stand-alone evaluations, registrations."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from demo.keptn.engine import Engine
from demo.keptn.events import API, new_event, new_id
from demo.keptn.projects import Project, service_event
from demo.keptn.resources import push_refusal_logged
from demo.keptn.runs import Run
from demo.keptn.timeframe import requested_window
from demo.keptn.uniform import registrations
from demo.keptn.upstream import AlreadyThereError, NotThereError, UpstreamError
from demo.keptn.views import StateQuery
from demo.keptn.web import RefusedError, Reply, Request, ok, refused
from prodeval.domain.json_values import JSONObject, as_object, as_text
from prodeval.domain.sli import TimeframeError


def projects(engine: Engine, request: Request) -> Reply:
    """`GET /project`."""
    if request.number("pageSize") < 0:
        return Reply(HTTPStatus.INTERNAL_SERVER_ERROR, b"")
    with engine.lock:
        pages = [_project_json(engine, each) for _, each in sorted(engine.projects.items())]
    return _listed("projects", pages, request)


def project(engine: Engine, request: Request) -> Reply:
    """`GET /project/<P>`."""
    name = request.names["project"]
    if name not in engine.projects:
        raise refused(HTTPStatus.NOT_FOUND, f"Project not found: {name}")
    with engine.lock:
        return ok(_project_json(engine, engine.projects[name]))


def stages(engine: Engine, request: Request) -> Reply:
    """`GET /project/<P>/stage`."""
    found = _project(engine, request)
    with engine.lock:
        pages = [found.stage_json(stage, engine.controller.last_events) for stage in sorted(found.stages)]
    return _listed("stages", pages, request)


def stage(engine: Engine, request: Request) -> Reply:
    """`GET /project/<P>/stage/<S>`; Keptn answers twice if it is unknown."""
    found = _project(engine, request)
    if request.names["stage"] not in found.stages:
        body = b'{"code":404,"message":"stage not found"}{"code":500,"message":"stage not found"}'
        raise RefusedError(Reply(HTTPStatus.NOT_FOUND, body))
    with engine.lock:
        return ok(found.stage_json(request.names["stage"], engine.controller.last_events))


def services(engine: Engine, request: Request) -> Reply:
    """`GET /project/<P>/stage/<S>/service`."""
    found, in_stage = _stage(engine, request)
    with engine.lock:
        last = engine.controller.last_events
        pages = [found.service_json(in_stage, service, last) for service in found.services]
    return _listed("services", pages, request)


def service(engine: Engine, request: Request) -> Reply:
    """`GET /project/<P>/stage/<S>/service/<V>`."""
    found, in_stage = _stage(engine, request)
    if request.names["service"] not in found.services:
        raise refused(HTTPStatus.NOT_FOUND, "service not found")
    with engine.lock:
        return ok(found.service_json(in_stage, request.names["service"], engine.controller.last_events))


def create_service(engine: Engine, request: Request) -> Reply:
    """`POST /project/<P>/service`: the directory in each stage in turn, each with a push of its own."""
    name = as_text(_body(request).get("serviceName"))
    if not name:
        raise refused(HTTPStatus.BAD_REQUEST, "must provide a service name")
    project_, context = request.names["project"], new_id()
    engine.publish(service_event("started", project_, name, context))
    try:
        _create_service(engine, project_, name)
    except RefusedError:
        engine.publish(service_event("finished", project_, name, context, {"status": "errored", "result": "fail"}))
        raise
    engine.publish(service_event("finished", project_, name, context, {"status": "succeeded", "result": "pass"}))
    return ok({})


def _create_service(engine: Engine, project_: str, name: str) -> None:
    found = engine.projects.get(project_)
    if found is None:
        problem = f"could not get stages of project {project_}: project not found"
        raise refused(HTTPStatus.INTERNAL_SERVER_ERROR, problem)
    if name in found.services:
        raise refused(HTTPStatus.CONFLICT, "service already exists")
    metadata = f"servicename: {name}\ncreationtimestamp: {datetime.now(UTC)}\n".encode()
    for stage_ in found.stages:
        try:
            push_refusal_logged(project_, partial(found.upstream.create_service, stage_, name, metadata))
        except (AlreadyThereError, NotThereError, UpstreamError) as error:
            words = "Internal server error" if isinstance(error, UpstreamError) else str(error)
            problem = f"could not create service {name} in stage {stage_} of project {project_}: {words}"
            raise refused(HTTPStatus.INTERNAL_SERVER_ERROR, problem) from error
    engine.add_service(project_, name)


def sequences(engine: Engine, request: Request) -> Reply:
    """`GET /sequence/<P>`; without a page size, or with none above 0, everything."""
    contexts = request.query.get("keptnContext", "")
    query = StateQuery(
        request.names["project"],
        contexts=contexts.split(",") if contexts else (),
        name=request.query.get("name", ""),
        state=request.query.get("state", ""),
        from_time=request.query.get("fromTime", ""),
        before_time=request.query.get("beforeTime", ""),
    )
    with engine.lock:
        found = engine.controller.states.find(query)
    page, following = _page(found, request)
    total = {"totalCount": len(found)} if found else {}
    return ok({"states": page, **following, **total})


def executions(engine: Engine, request: Request) -> Reply:
    """`GET /sequence-execution`."""
    name = request.query.get("project", "")
    if not name:
        raise refused(HTTPStatus.BAD_REQUEST, "Invalid request format: project name must not be empty")
    if name not in engine.projects:
        raise refused(HTTPStatus.NOT_FOUND, "project not found")
    with engine.lock:
        runs = engine.controller.runs
        found = [run.to_json() for run in reversed(runs) if _wanted(run, request)]
    page, following = _page(found, request)
    counted = {"pageSize": len(page), "totalCount": len(found)} if page else {}
    return ok({**following, **counted, "sequenceExecutions": page})


def control(engine: Engine, request: Request) -> Reply:
    """`POST /sequence/<P>/<context>/control`: 200 whatever the context, project or state."""
    body = _body(request)
    names = request.names
    engine.control(names["project"], names["context"], as_text(body.get("stage")), as_text(body.get("state")))
    return ok({})


def evaluate(engine: Engine, request: Request) -> Reply:
    """`POST /project/<P>/stage/<S>/service/<V>/evaluation`: the window is fixed here and now."""
    body = _body(request)
    names = {key: request.names[key] for key in ("project", "stage", "service")}
    try:
        _check_target(engine, request)
        start, end = requested_window(body, datetime.now(UTC))
    except TimeframeError as error:
        raise RefusedError(Reply(HTTPStatus.BAD_REQUEST, ok({"message": str(error)}).body)) from error
    except ValueError as error:
        raise refused(HTTPStatus.BAD_REQUEST, f"Invalid request format: {error}") from error
    data: JSONObject = {
        **names,
        **({"labels": body["labels"]} if body.get("labels") else {}),
        "deployment": {"deploymentNames": None},
        "evaluation": {"start": start, "end": end, "timeframe": ""},
        "test": {"start": "", "end": ""},
    }
    commit = as_text(body.get("gitcommitid"))
    event = new_event(f"{names['stage']}.evaluation.triggered", API, new_id(), data, commit=commit)
    engine.publish(event)
    return ok({"keptnContext": event.context})


def uniform(engine: Engine, request: Request) -> Reply:  # noqa: ARG001 - all routes are called alike
    """`GET /uniform/registration`."""
    return ok(registrations(request.query.get("name", "")))


def _check_target(engine: Engine, request: Request) -> None:
    names = request.names
    found = engine.projects.get(names["project"])
    missing = (
        ("project", found is None),
        ("stage", found is not None and names["stage"] not in found.stages),
        ("service", found is not None and names["service"] not in found.services),
    )
    for what, is_missing in missing:
        if is_missing:
            raise refused(HTTPStatus.BAD_REQUEST, f"{what} not found", code=2)


def _project_json(engine: Engine, found: Project) -> JSONObject:
    controller = engine.controller
    return found.to_json(controller.shipyards.get(found.name), controller.last_events)


def _project(engine: Engine, request: Request) -> Project:
    found = engine.projects.get(request.names["project"])
    if found is None:
        raise refused(HTTPStatus.NOT_FOUND, "project not found")
    return found


def _stage(engine: Engine, request: Request) -> tuple[Project, str]:
    found = _project(engine, request)
    if request.names["stage"] not in found.stages:
        raise refused(HTTPStatus.NOT_FOUND, "stage not found")
    return found, request.names["stage"]


def _wanted(run: Run, request: Request) -> bool:
    project_, stage_, service_ = run.trigger.target
    wanted = {
        "project": project_,
        "stage": stage_,
        "service": service_,
        "keptnContext": run.trigger.context,
        "name": run.name,
        "status": run.state,
    }
    return all(request.query.get(key, "") in ("", value) for key, value in wanted.items())


def _page(found: Sequence[JSONObject], request: Request) -> tuple[Sequence[JSONObject], JSONObject]:
    """The page asked for, and `nextPageKey` if there are more."""
    size, first = request.number("pageSize"), request.number("nextPageKey")
    if size <= 0:
        return found[first:], {}
    following = first + size
    return found[first:following], {"nextPageKey": following} if following < len(found) else {}


def _listed(name: str, found: Sequence[JSONObject], request: Request) -> Reply:
    """A list of pages; an empty page size is 0, an absent one 20, and key 0 says that there is no more."""
    size = request.number("pageSize", 0 if "pageSize" in request.query else 20)
    first = request.number("nextPageKey")
    following = first + size if size > 0 and first + size < len(found) else 0
    return ok({"nextPageKey": str(following), name: found[first : first + size], "totalCount": len(found)})


def _body(request: Request) -> JSONObject:
    if not request.body:
        raise refused(HTTPStatus.BAD_REQUEST, "Invalid request format: EOF")
    try:
        return as_object(request.json())
    except ValueError as error:
        raise refused(HTTPStatus.BAD_REQUEST, "Invalid request format: unexpected EOF") from error
