"""All checks that need nothing but the files themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.json_values import JSONObject
from prodeval.domain.paths import JOB_CONFIG
from prodeval.domain.preflight import findings
from prodeval.domain.preflight.findings import Check, Finding, from_error
from prodeval.domain.preflight.job_checks import actions_of, check_job_config
from prodeval.domain.preflight.kinds import Kind, kind_of
from prodeval.domain.preflight.locust_checks import LOCUST_CONF, check_conf, check_locust_file
from prodeval.domain.preflight.resource_checks import check_resources, inline_files
from prodeval.domain.preflight.shipyard_checks import check_shipyard
from prodeval.domain.preflight.sli_checks import check_sli, known_indicators
from prodeval.domain.preflight.slo_checks import check_indicators, check_slo
from prodeval.domain.preflight.text import decode


@dataclass(frozen=True, slots=True)
class Linted:
    """The outcome for one file; `kind` is None if it is nothing that can be checked."""

    kind: Kind | None
    findings: tuple[Finding, ...]


_UNREADABLE: Mapping[Kind, Check] = {
    Kind.RESOURCE: findings.RESOURCE,
    Kind.SHIPYARD: findings.SHIPYARD_REFUSED,
    Kind.SLO: findings.SLO_UNDECODABLE,
}


def lint(path: str, files: Mapping[str, bytes], schema: JSONObject) -> Linted:
    """Check one of some files; the others tell what stands beside it, such as the sli.yaml of an slo.yaml.

    `path` and the keys of `files` have `/` between their parts; `schema` is that of the CustomResourceDefinition.
    """
    content = files[path]
    kind = kind_of(path, content.decode(errors="replace"))
    if kind is None:
        return Linted(None, ())
    found = sorted(_check(kind, path, files, schema), key=lambda finding: (finding.line, finding.column, finding.code))
    return Linted(kind, tuple(found))


def _check(kind: Kind, path: str, files: Mapping[str, bytes], schema: JSONObject) -> Iterator[Finding]:
    content = files[path]
    match kind:
        case Kind.SLI:
            yield from check_sli(content, path)
        case Kind.JOB_CONFIG:
            yield from check_job_config(content, path)
        case Kind.LOCUST_FILE:
            yield from check_locust_file(content, path)
        case Kind.LOCUST_CONF:
            actions = actions_of(files.get(path.removesuffix(LOCUST_CONF) + JOB_CONFIG)) or ()
            yield from check_conf(content, path, actions, None)
        case Kind.RESOURCE | Kind.SHIPYARD | Kind.SLO:
            try:
                text = decode(content, path)
            except InvalidFileError as error:
                yield from_error(_UNREADABLE[kind], error, "save it as UTF-8")
                return
            yield from _check_text(kind, text, path, files, schema)


def _check_text(kind: Kind, text: str, path: str, files: Mapping[str, bytes], schema: JSONObject) -> Iterator[Finding]:
    if kind is Kind.RESOURCE:
        yield from check_resources(text, path, schema)
        yield from _check_inline(text, path, schema)
    elif kind is Kind.SHIPYARD:
        yield from check_shipyard(text, path)
    else:
        yield from check_slo(text, path)
        known = _known_beside(path, files)
        if known is not None:
            yield from check_indicators(text, path, known)


def _check_inline(text: str, path: str, schema: JSONObject) -> Iterator[Finding]:
    """Check the inline files of resources; findings stand at the content and name the line within it."""
    for place, name, content in inline_files(text, path):
        for finding in lint(name, {name: content.encode(errors="replace")}, schema).findings:
            message = f"{name}:{finding.line}:{finding.column} {finding.message}"
            yield replace(finding, path=place.path, line=place.line, column=place.column, message=message)


def _known_beside(path: str, files: Mapping[str, bytes]) -> frozenset[str] | None:
    """The indicators that sli.yaml files beside an slo.yaml or further up define.

    None if there are no such files, or one of them cannot be read.
    """
    folders = accumulate(path.split("/")[:-1], lambda up, name: f"{up}{name}/", initial="")
    candidates = [folder + name for folder in folders for name in _SLI_NAMES]
    contents = [files[candidate] for candidate in candidates if candidate in files]
    return known_indicators(contents) if contents else None


_SLI_NAMES = ("sli.yaml", "prometheus/sli.yaml", "dynatrace/sli.yaml", "datadog/sli.yaml")
