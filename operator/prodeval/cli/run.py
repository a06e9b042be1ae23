"""`prodeval run`: the operator itself."""

import argparse
import logging
import resource
from collections.abc import Sequence

import kopf

import prodeval.handlers  # noqa: F401 - importing the handlers registers them
from prodeval.cli.log_filter import clean_logs
from prodeval.config import DEFAULT_PATH, PATH_VARIABLE, load_config
from prodeval.domain.errors import ProdevalError
from prodeval.domain.masking import Mask
from prodeval.runtime.wiring import build_operator

logger = logging.getLogger(__name__)

_LOG_FORMATS = {"full": kopf.LogFormat.FULL, "plain": kopf.LogFormat.PLAIN, "json": kopf.LogFormat.JSON}


def main(argv: Sequence[str]) -> int:
    """Run the operator until it is told to stop; 1 if it cannot start."""
    arguments = _parser().parse_args(argv)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold all tokens
    kopf.configure(log_format=_LOG_FORMATS[arguments.log_format])
    mask = Mask()  # learns what is secret as the operator reads it
    clean_logs(mask)
    try:
        operator = build_operator(load_config(), arguments.namespace, mask)
    except ProdevalError as error:
        logger.error("prodeval cannot start: %s", error)  # noqa: TRY400 - a traceback would hide the remedy
        return 1
    kopf.run(
        standalone=True,
        clusterwide=not arguments.namespace,
        namespaces=arguments.namespace,
        liveness_endpoint=arguments.liveness,
        memo=kopf.Memo(operator=operator),
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
    return parser
