"""resource-service: files of a project, stage or service; its gateway wants their slashes encoded twice."""

import base64
from http import HTTPStatus
from urllib.parse import unquote_plus

from demo.keptn.engine import Engine
from demo.keptn.upstream import NotThereError, Upstream, UpstreamError
from demo.keptn.web import RefusedError, Reply, Request, ok, refused
from prodeval.domain.json_values import JSONObject


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
