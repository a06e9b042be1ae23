"""Checks of locust's files."""

from collections.abc import Iterable, Iterator

from prodeval.domain.durations import go_duration
from prodeval.domain.errors import InvalidFileError
from prodeval.domain.preflight import findings
from prodeval.domain.preflight.findings import Finding, Place, from_error
from prodeval.domain.preflight.inputs import Level
from prodeval.domain.preflight.job_config import DEFAULT_POLL_SECONDS, Action
from prodeval.domain.preflight.locust import check_python, parse_time_span, read_locust_conf
from prodeval.domain.preflight.text import decode

LOCUST_CONF = "locust/locust.conf"


def check_locust_file(content: bytes, path: str) -> Iterator[Finding]:
    """Find out whether a locust file is Python."""
    try:
        check_python(decode(content, path), path=path)
    except InvalidFileError as error:
        yield from_error(findings.LOCUST_SYNTAX, error, "correct it there, or the load test fails at once")


def check_conf(content: bytes, path: str, actions: Iterable[Action], timeframe: str | None) -> Iterator[Finding]:
    """Check a locust.conf.

    `actions` are those of the job/config.yaml that run it; `timeframe` is that of the evaluation, None if unknown.
    """
    try:
        settings = read_locust_conf(decode(content, path), path=path)
    except InvalidFileError as error:
        yield from_error(findings.LOCUST_CONF, error, "write key = value lines")
        return
    text, line = settings.get("run-time", ("", 0))
    seconds = parse_time_span(text)
    if line and seconds is None:
        message = f"the run-time {text[:40]!r} is no time span"
        yield findings.LOCUST_CONF.at(Place(path, line, 1), message, "write one like 2m")
    if seconds is not None:
        yield from _check_run_time(seconds, Place(path, line, 1), actions, timeframe)


def check_locust(service: Level, actions: Iterable[Action], timeframe: str | None) -> Iterator[Finding]:
    """Check all locust files of a service; the arguments are those of `check_conf`."""
    for path, content in sorted(service.files.items()):
        if path.startswith("locust/") and path.endswith(".py"):
            yield from check_locust_file(content, service.prefix + path)
    conf = service.files.get(LOCUST_CONF)
    if conf is not None:
        yield from check_conf(conf, service.prefix + LOCUST_CONF, actions, timeframe)


def _check_run_time(seconds: int, place: Place, actions: Iterable[Action], timeframe: str | None) -> Iterator[Finding]:
    patience = max((action.poll_seconds for action in actions), default=DEFAULT_POLL_SECONDS)
    if seconds > patience:
        message = f"the load test runs {seconds} s, but the job executor gives up after {patience} s"
        yield findings.RUN_TIME_LONG.at(place, message, "shorten run-time, or set maxPollDuration in job/config.yaml")
    window = go_duration(timeframe) if timeframe else None
    if window and seconds < window:
        message = (
            f"the load test runs {seconds} s, but the evaluation looks at {timeframe}, so at a time without load, too"
        )
        yield findings.RUN_TIME_SHORT.at(place, message, "make run-time at least as long as the timeframe")
