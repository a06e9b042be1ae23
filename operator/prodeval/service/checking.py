"""The checks before a push: what Keptn would fail on minutes later, here and for the other services of the stage."""

from collections.abc import Iterable, Iterator

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.paths import JOB_CONFIG, METADATA, SLI, SLO, Place
from prodeval.domain.preflight import Files, Finding, Level, Severity, Wish, check, check_services, effective
from prodeval.domain.resource import Resource, Target
from prodeval.domain.shipyard import Gate, Patched
from prodeval.domain.upstream import Change
from prodeval.service.resolving import View

_SHARED = (SLI, JOB_CONFIG)
"""What Keptn looks for at the stage and the project too."""
_MOST_DOUBTS = 5


def files_after(resource: Resource, seen: View, paths: Iterable[str], changes: tuple[Change, ...]) -> Files:
    """A service's files as they will be, as far as they are checked, with those that it shares."""
    where, target = seen.place(resource.target.stage), resource.target
    new = {(change.branch, change.path): change.content for change in changes}
    prefix = where.of(target.service)
    checked = (
        path for path in paths if path in {SLO, JOB_CONFIG} or path.endswith("/sli.yaml") or path.startswith("locust/")
    )
    found = ((path, new.get((where.branch, prefix + path), _read(seen, where, prefix + path))) for path in checked)
    return Files(
        service=Level(prefix, {path: content for path, content in found if content is not None}),
        stage=_level(seen, where),
        project=_level(seen, Place(seen.snapshot.default_branch, "")),
    )


def check_files(files: Files, wish: Wish, target: Target, listened: frozenset[str] | None) -> tuple[Finding, ...]:
    """The doubts about a service's files; raises InvalidFileError for what cannot work."""
    findings = check(files, wish, target, subscriptions=listened)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise _refusal(errors)
    return findings


def _read(seen: View, where: Place, path: str) -> bytes | None:
    return seen.snapshot.read(where.branch, path)


def _level(seen: View, where: Place) -> Level:
    found = {path: _read(seen, where, where.root + path) for path in _SHARED}
    return Level(where.root, {path: content for path, content in found.items() if content is not None})


def _refusal(errors: list[Finding]) -> InvalidFileError:
    first = errors[0]
    more = f" (and {len(errors) - 1} more; `prodeval lint` shows all)" if len(errors) > 1 else ""
    return InvalidFileError(
        f"{first.code} {first.message}; {first.remedy}{more}", path=first.path, line=first.line, column=first.column
    )


def check_others(resource: Resource, seen: View, gate: Gate, patched: Patched) -> tuple[str, ...]:
    """Doubts about the other services of the stage, if the patch brings the test task to all of them.

    Raises WouldBreakServicesError if one of them has nobody who answers it.
    """
    if not patched.adds_test_task:
        return ()
    where = seen.place(resource.target.stage)
    services = sorted(_services(seen, where))
    project = _read(seen, Place(seen.snapshot.default_branch, ""), JOB_CONFIG)
    stage = _read(seen, where, where.root + JOB_CONFIG)
    check_services(
        {
            Target(resource.target.project, gate.stage, service): effective(
                _read(seen, where, where.of(service, JOB_CONFIG)), stage, project
            )
            for service in services
        },
        gate.test_task,
    )
    bare = [service for service in services if _read(seen, where, where.of(service, SLO)) is None]
    others = [service for service in bare if service != resource.target.service]
    if not others:
        return ()
    return (f"{', '.join(others)} share the sequence and have no slo.yaml, so Keptn passes them unseen",)


def _services(seen: View, where: Place) -> Iterator[str]:
    """The services of a stage: its directories that hold a metadata.yaml."""
    for path in seen.snapshot.list(where.branch, where.root.rstrip("/")):
        service, _, rest = path.partition("/")
        if rest == METADATA:
            yield service


def in_words(findings: Iterable[Finding], others: Iterable[str]) -> tuple[str, ...]:
    """Doubts as sentences, a handful of them."""
    return (*others, *map(str, findings))[:_MOST_DOUBTS]
