"""Checks of job/config.yaml and of who answers the tasks that a gate adds."""

from collections.abc import Iterator

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.paths import JOB_CONFIG
from prodeval.domain.preflight import findings
from prodeval.domain.preflight.findings import Finding, Place, from_error
from prodeval.domain.preflight.inputs import Files
from prodeval.domain.preflight.job_config import (
    DEFAULT_POLL_SECONDS,
    Action,
    answering,
    matches,
    read_job_config,
    triggered,
)
from prodeval.domain.preflight.text import decode
from prodeval.domain.resource import Target

_REFUSED = "the job executor runs no job of the service until it is corrected"


def check_job_config(content: bytes, path: str) -> Iterator[Finding]:
    """Find what is wrong with a job/config.yaml by itself."""
    try:
        actions = read_job_config(decode(content, path), path=path)
    except InvalidFileError as error:
        yield from_error(findings.JOB_CONFIG_UNREADABLE, error, _REFUSED)
        return
    for event in (event for action in actions for event in action.events):
        if matches(event.pattern, triggered("any")) is None:
            message = f"the pattern {event.pattern[:40]!r} is too unusual to be tried here, so it counts as fitting"
            yield findings.ODD_PATTERN.at(
                Place(path, event.line, event.column), message, "write the event type plainly"
            )


def check_effective(files: Files) -> Iterator[Finding]:
    """Find what is wrong with the job/config.yaml that counts, if there is one."""
    path, content = _effective(files)
    if content is not None:
        yield from check_job_config(content, path)


def check_answers(files: Files, task: str, target: Target) -> Iterator[Finding]:
    """Find out whether the job/config.yaml that counts can be read and has an action for a task of the service."""
    yield from check_effective(files)
    path, content = _effective(files)
    actions = actions_of(content)
    if content is None:
        yield _no_action(Place(path), "there is no job/config.yaml for the service, its stage or the project", task)
    elif actions is not None and not answering(actions, task, target):
        yield _no_action(Place(path, 1, 1), f"no action for {task!r}", task)


def poll_seconds(files: Files, task: str, target: Target) -> int:
    """How long the job executor waits for the job that answers a task; its default if that cannot be told."""
    answers = answering(actions_of(_effective(files)[1]) or (), task, target)
    return max((action.poll_seconds for action in answers), default=DEFAULT_POLL_SECONDS)


def _effective(files: Files) -> tuple[str, bytes | None]:
    present = [level for level in files.levels if JOB_CONFIG in level.files]
    level = present[0] if present else files.service
    return level.prefix + JOB_CONFIG, level.files.get(JOB_CONFIG)


def _no_action(place: Place, message: str, task: str) -> Finding:
    reason = f"{message}, so each delivery would wait ten minutes and fail"
    return findings.NO_ACTION.at(place, reason, f"add one with events: [{{name: {triggered(task)}}}]")


def actions_of(content: bytes | None) -> tuple[Action, ...] | None:
    """The actions of a job/config.yaml; None if it is absent or unreadable."""
    try:
        return None if content is None else read_job_config(decode(content, JOB_CONFIG))
    except InvalidFileError:
        return None


def check_registered(subscriptions: frozenset[str], task: str, path: str) -> Iterator[Finding]:
    """Find out whether somebody subscribed to a task in Keptn's uniform; `path` is the shipyard that asks for it."""
    event = triggered(task)
    if not any(event == topic or (topic.endswith(">") and event.startswith(topic[:-1])) for topic in subscriptions):
        message = f"nobody is registered for {event} in Keptn's uniform, so the task would wait ten minutes and fail"
        yield findings.NOT_REGISTERED.at(Place(path), message, "subscribe the job executor to it")
