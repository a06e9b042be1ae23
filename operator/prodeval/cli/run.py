"""`prodeval run`: the operator itself."""

import argparse
from collections.abc import Sequence

import kopf

from prodeval.config import DEFAULT_PATH, PATH_VARIABLE

_LOG_FORMATS = {"full": kopf.LogFormat.FULL, "plain": kopf.LogFormat.PLAIN, "json": kopf.LogFormat.JSON}


def main(argv: Sequence[str]) -> int:
    """Run the operator until it is told to stop."""
    arguments = _parser().parse_args(argv)
    # Importing the handlers registers them; other commands must not pay for it.
    import prodeval.handlers  # noqa: F401, PLC0415

    kopf.configure(verbose=arguments.verbose, log_format=_LOG_FORMATS[arguments.log_format])
    kopf.run(
        standalone=True,
        clusterwide=not arguments.namespace,
        namespaces=arguments.namespace,
        liveness_endpoint=arguments.liveness,
        memo=kopf.Memo(namespaces=tuple(arguments.namespace)),
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prodeval run",
        description="Run the operator in the cluster that the pod or the kubeconfig names.",
        epilog=f"The config file is {DEFAULT_PATH}, or the one that {PATH_VARIABLE} names.",
    )
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument("-A", "--all-namespaces", action="store_true", help="serve all namespaces (the default)")
    scope.add_argument(
        "-n", "--namespace", action="append", default=[], metavar="NAME", help="serve this namespace; may be repeated"
    )
    parser.add_argument("--liveness", metavar="URL", help="where to answer probes: http://0.0.0.0:8080/healthz")
    parser.add_argument("--log-format", choices=_LOG_FORMATS, default="full", help="default: full")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")
    return parser
