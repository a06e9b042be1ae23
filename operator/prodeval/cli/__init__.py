"""The `prodeval` command; each subcommand is a module, imported only when it is called, so that it starts fast."""

import sys
from collections.abc import Sequence
from importlib import import_module

from prodeval import __version__

COMMANDS = {
    "run": "run the operator",
    "lint": "check resources, SLO, SLI, shipyard and locust files, offline",
    "plan": "show what would be pushed for a resource, as a diff",
    "evaluate": "compute Keptn's verdict from an slo.yaml and values, offline",
}
USAGE = "usage: prodeval {" + ",".join(COMMANDS) + "} ...\n"


def _help() -> str:
    lines = "\n".join(f"  {name:10} {text}" for name, text in COMMANDS.items())
    return f"{USAGE}\n{lines}\n\n`prodeval COMMAND --help` tells more. Version {__version__}.\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand with the arguments behind its name; returns the exit code (2: wrong usage)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["--version"]:
        sys.stdout.write(f"prodeval {__version__}\n")
        return 0
    if arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(_help())
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        sys.stderr.write(f"{USAGE}prodeval: name a command, see `prodeval --help`\n")
        return 2
    command = import_module(f"prodeval.cli.{arguments[0]}")
    result: int = command.main(arguments[1:])
    return result
