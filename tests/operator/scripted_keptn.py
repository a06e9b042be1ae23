"""The part of Keptn's API that the operator polls, answering from recorded events."""

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from demo.loopback import ADDRESS
from prodeval.domain.events import parse_time

EVENTS = "/api/mongodb-datastore/event"
EXECUTIONS = "/api/controlPlane/v1/sequence-execution"
READS = re.compile(r"/api/resource-service/v1/project/[^/]+(/resource/shipyard\.yaml|/stage/[^/]+/resource)")
UNIFORM = "/api/controlPlane/v1/uniform/registration"
REGISTERED = [{"name": "job-executor-service", "subscriptions": [{"event": "sh.keptn.event.je-test.triggered"}]}]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass
class ScriptedKeptn:
    """What it answers now; a test changes it while it runs."""

    url: str
    events: dict = field(default_factory=dict)
    """By project, in any order."""
    executions: dict = field(default_factory=dict)
    """By project, newest first."""
    failure: HTTPStatus | None = None
    """What it answers instead."""
    asked: list = field(default_factory=list)
    """The projects whose events were asked for."""
    answered: int = 0
    """How many requests it answered, whatever about."""
    refused: list = field(default_factory=list)
    """Requests that no Keptn would answer."""


def replay(recording, t, project, when, commit):
    """(events, sequence executions) of a recorded run at `t`, as if they had happened in another project.

    Args:
        when: from a recorded time to the one that is told.
        commit: the tip of the stage.
    """
    text = json.dumps([recording.raw_events(t), recording.raw_executions(t)["sequenceExecutions"]])
    text = text.replace(json.dumps(recording.head["project"]), json.dumps(project))
    text = re.sub(r'"gitcommitid": "[0-9a-f]{40}"', f'"gitcommitid": "{commit}"', text)
    return json.loads(TIME.sub(lambda found: _told(when(parse_time(found[0]))), text))


def _told(time):
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


@contextmanager
def scripted_keptn(token):
    """Serve on a free port for the length of a block; what has another token than this is refused."""
    with ThreadingHTTPServer((ADDRESS, 0), _Handler) as server:
        server.token = token
        server.keptn = ScriptedKeptn(f"http://{ADDRESS}:{server.server_port}/api")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.keptn
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        keptn, address = self.server.keptn, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if self.headers.get("x-token") != self.server.token:
            self.answer(HTTPStatus.UNAUTHORIZED, {"code": 401, "message": "Unauthorized"})
        elif address.path == EVENTS:
            keptn.asked.append(query["project"])
            self.answer(HTTPStatus.OK, _page(keptn.events.get(query["project"], []), query))
        elif address.path == EXECUTIONS:
            found = keptn.executions.get(query["project"], [])[: int(query["pageSize"])]
            self.answer(HTTPStatus.OK, {"sequenceExecutions": found, "totalCount": len(found)})
        elif address.path == UNIFORM:
            self.answer(HTTPStatus.OK, REGISTERED)
        elif READS.fullmatch(address.path):
            self.answer(HTTPStatus.OK, {})
        else:
            keptn.refused.append(self.path)
            self.answer(HTTPStatus.NOT_FOUND, {"code": 404, "message": f"path {address.path} was not found"})

    def answer(self, status, body):
        self.server.keptn.answered += 1
        status = self.server.keptn.failure or status
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Write nothing."""


def _page(events, query):
    """One page as mongodb-datastore gives it: newest first, later than `fromTime`, all times compared as text."""
    later = [event for event in events if event["time"] > query.get("fromTime", "")]
    newest_first = sorted(later, key=lambda event: event["time"], reverse=True)
    start = int(query.get("nextPageKey", 0))
    end = start + int(query["pageSize"])
    rest = {"nextPageKey": str(end)} if end < len(newest_first) else {}
    return {"events": newest_first[start:end], "pageSize": int(query["pageSize"]), **rest}
