"""`prodeval lint`: the preflight for files, offline."""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from importlib.resources import files as package_files
from pathlib import Path

import yaml

from prodeval.cli.lint_outputs import FORMATS
from prodeval.domain.json_values import JSONObject, as_list, as_object, child
from prodeval.domain.preflight import Finding, Severity, lint

CLEAN, ERRORS, USAGE = 0, 1, 2
LARGEST = 1024 * 1024
"""Bytes of a file that is looked at; none of these kinds is ever larger."""

_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".py", ".conf"})
_HIDDEN_BUT_OURS = ".keptn-stages"
_EXAMPLES = """\
examples:
  prodeval lint examples/                 every file below a folder that is of a known kind
  prodeval lint shipyard.yaml slo.yaml    some files
  prodeval lint -o sarif . > lint.sarif   for a code scanning page

Kinds are told by content: ProductionEvaluation, shipyard, slo.yaml, sli.yaml, job/config.yaml, locust files and
locust.conf. Exit code 0: no error, 1: errors, 2: wrong usage. docs/checks.md explains each code.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; returns 0, 1 if there are errors, 2 if a path cannot be read."""
    options = _parser().parse_args(argv)
    try:
        named = {_spelled(path): path.read_bytes() for given in options.paths for path in _expand(given)}
    except OSError as error:
        sys.stderr.write(f"prodeval lint: {error.filename}: {error.strerror}\n")
        return USAGE
    schema = _schema()
    found: list[Finding] = []
    for path in sorted(named):
        linted = lint(path, named, schema)
        found += linted.findings
        if linted.kind is None and Path(path) in options.paths:
            sys.stderr.write(f"prodeval lint: {path}: nothing to check, it is of no known kind\n")
    sys.stdout.write(FORMATS[options.output](found))
    return ERRORS if any(finding.severity is Severity.ERROR for finding in found) else CLEAN


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="prodeval lint",
        description="Find what would fail minutes later in Keptn.",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE|DIR")
    parser.add_argument("-o", "--output", choices=sorted(FORMATS), default="text")
    return parser


def _expand(path: Path) -> Iterator[Path]:
    """A file itself, or the files below a folder that may be of a known kind."""
    if not path.is_dir():
        yield path
        return
    for entry in sorted(path.iterdir()):
        hidden = entry.name.startswith(".") and entry.name != _HIDDEN_BUT_OURS
        if hidden or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _expand(entry)
        elif entry.suffix in _SUFFIXES and entry.stat().st_size <= LARGEST:
            yield entry


def _spelled(path: Path) -> str:
    return path.as_posix()


def _schema() -> JSONObject:
    """The schema of the custom resource."""
    crd = as_object(yaml.load(_definition(), Loader=yaml.CSafeLoader))
    version = as_list(child(crd, "spec", "versions"))[0]
    return as_object(child(version, "schema", "openAPIV3Schema"))


def _definition() -> str:
    """The text of the CRD: the wheel takes it into the package, in a checkout it stands in crds/ alone."""
    packaged = package_files("prodeval").joinpath("crd.yaml")
    found = packaged if packaged.is_file() else Path(__file__).parents[3] / "crds/productionevaluations.yaml"
    return found.read_text(encoding="utf-8")
