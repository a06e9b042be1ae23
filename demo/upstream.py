"""A project's Git upstream as Keptn leaves it just before production gets its own evaluation.

Branch layout: the project at the root of the default branch, one branch for each
stage, one directory for each service. qa has a quality gate, production has none.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from demo.gitserver import GitServer, git

FILES = Path(__file__).with_name("files")
STAGES = ("qa", "production")
DEPLOYMENT = ("job/config.yaml",)
GATE = ("slo.yaml", "prometheus/sli.yaml", "locust/basic.py", "locust/locust.conf")


def create_upstream(
    server: GitServer,
    project: str = "fulltour",
    service: str = "helloservice",
    *,
    timeframe: str = "1m",
    run_time: str = "60s",
) -> Path:
    """Make the bare repository `project`, with the history that Keptn's own commits give it.

    Args:
        server: Where it is made.
        project: The name of the project and of the repository.
        service: The one service of the project.
        timeframe: A Go duration: the window of the evaluation in qa.
        run_time: How long locust generates load, as `run-time` in locust.conf has it.
    """
    folder = server.create(project)
    now = datetime.now(UTC)
    metadata = f"projectName: {project}\ncreationTimestamp: {_go_time(now)}\nisUsingDirectoryStructure: false\n"
    history = [
        _commit("main", now, "init git empty repo"),
        _commit("main", now, "initialized project", {"metadata.yaml": metadata}),
        *(_commit(stage, now, "created stage", start="main") for stage in STAGES),
        _commit("main", now, "Updated resource", {"shipyard.yaml": _text("shipyard.yaml", {'"1m"': f'"{timeframe}"'})}),
    ]
    owned = f"servicename: {service}\ncreationtimestamp: {_go_time(now)}\n"
    for stage in STAGES:
        history.append(_commit(stage, now, f"Added service: {service}", {f"{service}/metadata.yaml": owned}))
        for path in DEPLOYMENT + (GATE if stage == "qa" else ()):
            text = _text(path, {"= 60s": f"= {run_time}"} if path == "locust/locust.conf" else {})
            history.append(_commit(stage, now, "Updated resource", {f"{service}/{path}": text}))
    git("-C", str(folder), "fast-import", "--quiet", stdin=b"".join(history))
    return folder


def _text(path: str, changes: Mapping[str, str]) -> str:
    text = (FILES / path).read_text()
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"{FILES / path}: no {old} to replace")
        text = text.replace(old, new)
    return text


def _go_time(moment: datetime) -> str:
    """Write a time as Go's Time.String does, which is what Keptn puts into metadata.yaml."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f} +0000 UTC"


def _commit(
    branch: str, moment: datetime, message: str, files: Mapping[str, str] | None = None, *, start: str = ""
) -> bytes:
    """Write one commit, by Keptn, as git fast-import reads it; `start` is the branch that a new one is cut from."""
    lines = [
        f"commit refs/heads/{branch}\ncommitter keptn <keptn@keptn.sh> {int(moment.timestamp())} +0000\n".encode(),
        _data(message),
    ]
    if start:
        lines.append(f"from refs/heads/{start}\n".encode())
    for path, text in (files or {}).items():
        lines += [f"M 100644 inline {path}\n".encode(), _data(text)]
    return b"".join([*lines, b"\n"])


def _data(text: str) -> bytes:
    content = text.encode()
    return b"data %d\n%b\n" % (len(content), content)
