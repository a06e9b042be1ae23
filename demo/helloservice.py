"""The service that is delivered and judged: `python -m demo.helloservice --help`.

It greets on `/`, tells its version on `/version`, and shows Prometheus metrics on
`/metrics`. How long an answer takes and how many fail are arguments.
"""

import argparse
import random
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from demo.loopback import ADDRESS

BUCKETS = (*(step / 100 for step in range(1, 21)), 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Upper bounds in seconds, fine where the objective's bound lies."""

OWNER = ("project", "stage", "service")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a build answers: seconds before each answer, and the share of answers that fail, 0 to 1."""

    delay: float = 0.01
    error_rate: float = 0.0


class Metrics:
    """The metrics of one instance; every series carries its project, stage and service."""

    def __init__(self, project: str, stage: str, service: str) -> None:
        self.registry = CollectorRegistry()
        self._owner = (project, stage, service)
        self._requests = Counter("http_requests", "Requests", (*OWNER, "handler", "code"), registry=self.registry)
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Duration of requests",
            (*OWNER, "handler"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        for code in ("200", "500"):
            # A rate needs a series to be a number: without errors it is 0, not absent.
            self._requests.labels(*self._owner, "/", code)

    def observe(self, handler: str, status: HTTPStatus, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(*self._owner, handler, str(status.value)).inc()
        self._seconds.labels(*self._owner, handler).observe(seconds)


class HelloServer(ThreadingHTTPServer):
    """The service on one port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, version: str, behaviour: Behaviour, metrics: Metrics) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.version = version
        self.behaviour = behaviour
        self.metrics = metrics


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: HelloServer

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(HTTPStatus.OK, generate_latest(self.server.metrics.registry), CONTENT_TYPE_LATEST)
        elif self.path == "/version":
            self._answer(HTTPStatus.OK, self.server.version.encode())
        else:
            self._greet()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing: the metrics tell."""

    def _greet(self) -> None:
        started = time.perf_counter()
        time.sleep(self.server.behaviour.delay)
        status = self._status()
        known = "/" if self.path == "/" else "other"
        self.server.metrics.observe(known, status, time.perf_counter() - started)
        self._answer(status, f"Hello from {self.server.version}: {status.phrase}\n".encode())

    def _status(self) -> HTTPStatus:
        if self.path != "/":
            return HTTPStatus.NOT_FOUND
        failed = random.random() < self.server.behaviour.error_rate
        return HTTPStatus.INTERNAL_SERVER_ERROR if failed else HTTPStatus.OK

    def _answer(self, status: HTTPStatus, content: bytes, content_type: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="A small service with Prometheus metrics.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--version", required=True)
    for name in OWNER:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--delay", type=float, default=Behaviour().delay, help="seconds before each answer")
    parser.add_argument("--error-rate", type=float, default=Behaviour().error_rate, help="share of failing answers")
    asked = parser.parse_args()
    behaviour = Behaviour(asked.delay, asked.error_rate)
    with HelloServer(
        asked.port, asked.version, behaviour, Metrics(asked.project, asked.stage, asked.service)
    ) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
