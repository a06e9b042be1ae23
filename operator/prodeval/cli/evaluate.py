"""`prodeval evaluate`: Keptn's verdict from an slo.yaml and values, offline."""

import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from prodeval.cli.evaluation_cases import differences, read_cases
from prodeval.cli.evaluation_inputs import history, read_document, read_text, values
from prodeval.cli.evaluation_outputs import as_json, as_junit, as_table
from prodeval.domain.errors import InvalidFileError
from prodeval.domain.slo import decode_slo, evaluate

PASSED, FAILED, BAD_INPUT = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """Run the command; 0: pass or warning, 1: fail, 2: bad input."""
    options = _parser().parse_args(argv)
    try:
        return _run_cases(options.cases) if options.cases else _run(options)
    except InvalidFileError as error:
        sys.stderr.write(f"prodeval evaluate: {error}\n")
        return BAD_INPUT


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="prodeval evaluate",
        description="Compute the verdict of Keptn 1.4.5 from an slo.yaml and measured values, offline.",
        epilog="Exit code 0: pass or warning, 1: fail, 2: bad input.",
    )
    parser.add_argument("--slo", type=Path, metavar="FILE", help="the slo.yaml")
    parser.add_argument("--values", type=Path, metavar="FILE", help="measured values, YAML or JSON")
    parser.add_argument("--history", type=Path, metavar="FILE", help="earlier evaluations, for relative criteria")
    parser.add_argument("-o", "--output", choices=["table", "json", "junit"], default="table")
    parser.add_argument("--cases", type=Path, help=SUPPRESS)
    return parser


def _run(options: Namespace) -> int:
    if not options.slo or not options.values:
        raise InvalidFileError("both are needed", path="--slo and --values")
    text = read_text(options.slo)
    slo = decode_slo(text, path=str(options.slo))
    measured = values(read_document(options.values), str(options.values))
    previous = history(read_document(options.history), str(options.history)) if options.history else []
    evaluation = evaluate(text, measured, previous)
    formats = {
        "table": lambda: as_table(slo, evaluation),
        "json": lambda: as_json(evaluation),
        "junit": lambda: as_junit(slo, evaluation),
    }
    sys.stdout.write(formats[options.output]())
    return FAILED if evaluation.result == "fail" else PASSED


def _run_cases(path: Path) -> int:
    agreeing = differing = 0
    for case in read_cases(path):
        found = differences(case)
        sys.stdout.writelines(f"{line}\n" for line in found)
        agreeing, differing = agreeing + (not found), differing + bool(found)
    sys.stdout.write(f"{agreeing} agree, {differing} differ\n")
    return FAILED if differing else PASSED
