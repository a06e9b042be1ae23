"""resource-service: files of a project, stage or service; its gateway wants their slashes encoded twice."""

import base64
import binascii
import logging
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote_plus

from demo.keptn.engine import Engine
from demo.keptn.upstream import NotThereError, PushRefusedError, Upstream, UpstreamError
from demo.keptn.web import RefusedError, Reply, Request, ok, refused
from prodeval.domain.json_values import JSONObject, as_list, as_object, as_text

_log = logging.getLogger(__name__)


def resource(engine: Engine, request: Request) -> Reply:
    """`GET /resource-service/v1/project/<P>[/stage/<S>[/service/<V>]]/resource/<file>`."""
    names = request.names
    upstream = _upstream(engine, names["project"])
    shown = names["path"]
    try:
        found = upstream.read(
            unquote_plus(shown),
            stage=names.get("stage", ""),
            service=names.get("service", ""),
            commit=request.query.get("gitCommitID", ""),
        )
    except (NotThereError, UpstreamError) as error:
        raise _refusal(error) from error
    content = base64.b64encode(found.content).decode()
    return ok({"resourceContent": content, "resourceURI": shown, "metadata": _metadata(upstream, found.commit)})


def resources(engine: Engine, request: Request) -> Reply:
    """`GET .../resource`: the files, with a leading slash and no content; those with `.git` in them are left out."""
    names = request.names
    upstream = _upstream(engine, names["project"])
    try:
        paths, commit = upstream.paths(stage=names.get("stage", ""), service=names.get("service", ""))
    except (NotThereError, UpstreamError) as error:
        raise _refusal(error) from error
    listed: list[JSONObject] = [
        {"resourceURI": f"/{path}", "metadata": _metadata(upstream, commit)} for path in paths if ".git" not in path
    ]
    first, size = request.number("nextPageKey"), request.number("pageSize", 20)
    following = first + size if first + size < len(listed) else 0
    page = listed[first : first + size]
    return ok({"nextPageKey": str(following), "resources": page, "totalCount": len(listed)})


def create_resources(engine: Engine, request: Request) -> Reply:
    """`POST .../resource`: all files in one commit; those that are there are overwritten."""
    return Reply(HTTPStatus.CREATED, update_resources(engine, request).body)


def update_resources(engine: Engine, request: Request) -> Reply:
    """`PUT .../resource`: as `POST`, but for the status."""
    listed = as_list(_body(request).get("resources"))
    return _written(engine, request, dict(_file(as_object(one)) for one in listed))


def update_resource(engine: Engine, request: Request) -> Reply:
    """`PUT .../resource/<file>`."""
    uri = unquote_plus(request.names["path"])
    return _written(engine, request, dict([_file({**_body(request), "resourceURI": uri})]))


def push_refusal_logged(project: str, write: Callable[[], str]) -> str:
    """What `write` returns; a push that is refused leaves Keptn's line in the log."""
    try:
        return write()
    except PushRefusedError as error:
        _log.warning("could not push git repo for project %s: %s", project, error)
        raise


def _written(engine: Engine, request: Request, files: dict[str, bytes]) -> Reply:
    names = request.names
    upstream = _upstream(engine, names["project"])
    stage, service = names.get("stage", ""), names.get("service", "")
    try:
        commit = push_refusal_logged(names["project"], lambda: upstream.write(files, stage=stage, service=service))
    except (NotThereError, UpstreamError) as error:
        raise _refusal(error) from error
    return ok({"commitID": commit, "metadata": _metadata(upstream, commit)})


def _body(request: Request) -> JSONObject:
    try:
        return as_object(request.json())
    except ValueError as error:
        raise refused(HTTPStatus.BAD_REQUEST, "Invalid request format") from error


def _file(one: JSONObject) -> tuple[str, bytes]:
    """Path and content of an upload; a path without a file name fails in Keptn as late as at the writing."""
    uri = as_text(one.get("resourceURI"))
    if "~" in uri or ".." in uri:
        raise refused(HTTPStatus.BAD_REQUEST, "invalid resource uri")
    try:
        content = base64.b64decode(as_text(one.get("resourceContent")), validate=True)
    except binascii.Error as error:
        raise refused(HTTPStatus.BAD_REQUEST, "resource content is not base64 encoded") from error
    path = uri.lstrip("/")
    if not path or path.endswith("/"):
        raise refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")
    return path, content


def _upstream(engine: Engine, project: str) -> Upstream:
    if project not in engine.projects:
        raise refused(HTTPStatus.NOT_FOUND, "Could not find credentials for upstream repository")
    return engine.projects[project].upstream


def _metadata(upstream: Upstream, commit: str) -> JSONObject:
    return {"upstreamURL": upstream.url, "version": commit}


def _refusal(error: Exception) -> RefusedError:
    if isinstance(error, NotThereError):
        return refused(HTTPStatus.NOT_FOUND, str(error))
    return refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")
