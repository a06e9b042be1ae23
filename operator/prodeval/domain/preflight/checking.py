"""The preflight: what would fail minutes later in Keptn is found before anything is pushed."""

from collections.abc import Iterator

from prodeval.domain.errors import InvalidFileError, ProdevalError
from prodeval.domain.paths import JOB_CONFIG, SLO
from prodeval.domain.preflight import findings
from prodeval.domain.preflight.findings import Finding, Place, from_error
from prodeval.domain.preflight.inputs import Files, Wish
from prodeval.domain.preflight.job_checks import actions_of, check_answers, check_effective, check_registered
from prodeval.domain.preflight.job_config import Action, answering
from prodeval.domain.preflight.locust_checks import check_locust
from prodeval.domain.preflight.shipyard_checks import check_gate
from prodeval.domain.preflight.sli_checks import check_sli_files, known_indicators, sli_contents
from prodeval.domain.preflight.slo_checks import check_indicators, check_slo
from prodeval.domain.preflight.text import decode
from prodeval.domain.resource import Target
from prodeval.domain.shipyard import patch


def check(
    files: Files, wish: Wish, target: Target, *, subscriptions: frozenset[str] | None = None
) -> tuple[Finding, ...]:
    """Find everything that would fail or disappoint, by file, line and column.

    `subscriptions`: the event types that somebody subscribed to in Keptn's uniform; None if that is not known.
    Raises InvalidSpecError if names of the gate clash.
    """
    found = [*check_gate(wish), *_check_slo_files(files), *check_sli_files(files), *_check_load(files, wish, target)]
    if subscriptions is not None and wish.gate.load == "Generate":
        found += check_registered(subscriptions, wish.gate.test_task, wish.path)
    return tuple(sorted(found, key=lambda finding: (finding.path, finding.line, finding.column, finding.code)))


def _check_slo_files(files: Files) -> Iterator[Finding]:
    path = files.service.prefix + SLO
    content = files.service.files.get(SLO)
    if content is None:
        message = "there is no slo.yaml, and Keptn passes a service without one unseen"
        yield findings.NOTHING_SCORED.at(Place(path), message, "add one")
        return
    try:
        text = decode(content, path)
    except InvalidFileError as error:
        yield from_error(findings.SLO_UNDECODABLE, error, "save it as UTF-8")
        return
    yield from check_slo(text, path)
    known = known_indicators(sli_contents(files))
    if known is not None:
        yield from check_indicators(text, path, known)


def _check_load(files: Files, wish: Wish, target: Target) -> Iterator[Finding]:
    if wish.gate.load == "LiveTraffic":
        yield from check_effective(files)
        return
    yield from check_answers(files, wish.gate.test_task, target)
    yield from check_locust(files.service, _answering(files, wish, target), _timeframe(wish))


def _answering(files: Files, wish: Wish, target: Target) -> tuple[Action, ...]:
    content = next((level.files[JOB_CONFIG] for level in files.levels if JOB_CONFIG in level.files), None)
    return answering(actions_of(content) or (), wish.gate.test_task, target)


def _timeframe(wish: Wish) -> str | None:
    """The timeframe that the evaluation will have; None if the shipyard cannot be patched, which is found elsewhere."""
    try:
        return patch(wish.text, wish.gate, path=wish.path).timeframe
    except ProdevalError:
        return None
