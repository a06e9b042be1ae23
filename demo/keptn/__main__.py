"""The demo Keptn as a process: `python -m demo.keptn --help`."""

import argparse
import logging
import signal
import sys
from pathlib import Path
from threading import Event

from demo.keptn.engine import Settings
from demo.keptn.server import demo_keptn
from demo.keptn.services import read_services
from demo.keptn.shipyard import ShipyardError
from demo.keptn.upstream import NotThereError, UpstreamError


def main() -> None:
    """Serve until SIGTERM or Ctrl-C, then end all children."""
    asked = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    services = read_services(asked.services, asked.logs)
    prometheus = "" if asked.no_sli_provider else asked.prometheus.rstrip("/")
    settings = Settings(services, prometheus, asked.logs, asked.task_timeout)
    base = asked.upstream_base_url.rstrip("/")
    try:
        with demo_keptn(lambda name: f"{base}/{name}.git", settings, token=asked.token, port=asked.port) as keptn:
            print(f"Keptn's API is at {keptn.url}", flush=True)
            ended.wait()
    except (NotThereError, ShipyardError, UpstreamError) as error:
        sys.exit(f"a project of {asked.services} has no usable upstream: {error}")
    finally:
        services.end()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.keptn", description="A Keptn small enough for a laptop.")
    parser.add_argument("--port", type=int, default=0, help="on loopback; 0, the default, takes any")
    parser.add_argument("--upstream-base-url", required=True, help="http://USER:PASSWORD@HOST, PROJECT.git is below it")
    parser.add_argument("--token", required=True, help="what clients send as x-token")
    parser.add_argument("--services", type=Path, required=True, help="JSON, see demo/keptn/services.py")
    parser.add_argument("--logs", type=Path, required=True, help="folder for the output of services and jobs")
    parser.add_argument("--task-timeout", type=float, default=600, help="seconds in which a task has to be started")
    provider = parser.add_mutually_exclusive_group(required=True)
    provider.add_argument("--prometheus", default="", help="base URL of the Prometheus that evaluations ask")
    provider.add_argument("--no-sli-provider", action="store_true", help="evaluations pass unseen, as in Keptn")
    return parser.parse_args()


if __name__ == "__main__":
    main()
