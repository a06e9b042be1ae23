"""The demo Keptn answers as the real one was recorded: path by path, type by type, values apart."""

import json
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from demo import loopback
from demo.gitserver import git_server
from demo.keptn.engine import Settings
from demo.keptn.server import demo_keptn
from demo.keptn.services import read_services
from demo.prometheus import Prometheus, Target
from tests.e2e.keptn_shapes import differences
from tests.e2e.keptn_stories import (
    SERVICE,
    Client,
    Story,
    create_recorded_upstream,
    recording,
    send_recorded,
)

STORIES = (
    *("02-pass", "04-fail", "05-fail-rollback", "07-approved-pass", "09-je-deployment-fails"),
    *("11-je-test-never-started", "12-aborted", "14-two-deliveries-queued", "15-no-slo"),
    *("16-no-sli-provider", "18-sli-without-data", "21-evaluate-now"),
)


def services_file(name: str, folder: Path) -> Path:
    """One instance for each stage of a story's project; v0.1.2 is slow and fails."""
    broken = ["--no-such-option"] if name == "09-je-deployment-fails" else []
    entries = []
    for stage, port in zip(("qa", "production"), loopback.free_ports(2), strict=True):
        project = recording(name)["project"]
        arguments = [f"--project={project}", f"--stage={stage}", f"--service={SERVICE}", f"--port={port}"]
        entries.append(
            {
                "project": project,
                "stage": stage,
                "service": SERVICE,
                "url": f"http://127.0.0.1:{port}",
                "ready": "/version",
                "restart": [sys.executable, "-m", "demo.helloservice", "--version={version}", *arguments],
                "builds": {
                    "v0.1.1": broken if stage == "production" else [],
                    "v0.1.2": ["--delay=0.9", "--error-rate=1"],
                },
            }
        )
    path = folder / f"{name}.json"
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keptn")


@pytest.fixture(scope="module")
def clients(prometheus: Prometheus, folder: Path) -> Iterator[Mapping[str, Client]]:
    """A demo Keptn for each story."""
    found, targets = {}, []
    with ExitStack() as running:
        server = running.enter_context(git_server(folder / "git"))
        for name in STORIES:
            create_recorded_upstream(server, name, prometheus.url, folder / name)
            services = read_services(services_file(name, folder), folder / "logs")
            running.callback(services.end)
            targets += [
                Target("-".join(target), services.url(target).removeprefix("http://")) for target in services.targets()
            ]
            provider = "" if name == "16-no-sli-provider" else prometheus.url
            timeout = 3 if name == "11-je-test-never-started" else 600
            settings = Settings(services, provider, folder / "logs", timeout)
            keptn = demo_keptn(server.authenticated_url_of, settings, token="a-token")
            found[name] = Client(running.enter_context(keptn))
            if name == "05-fail-rollback":
                services.deploy((recording(name)["project"], "production", SERVICE), "v0.1.1")
        prometheus.scrape(targets)
        yield found


@pytest.fixture(scope="module")
def stories(clients: Mapping[str, Client], folder: Path) -> Mapping[str, Story]:
    with ThreadPoolExecutor() as tellers:
        told = tellers.map(lambda name: Story(name, clients[name], folder / name).tell(), STORIES)
        return {story.name: story for story in told}


MEANT = {
    "$.events[sh.keptn.event.monitoring.configure@].source": "monitoring was configured by another client",
}
"""Differences from the recordings that are meant: the path, and why."""


@pytest.mark.parametrize("name", STORIES)
def test_a_story_leaves_the_same_answers(name: str, stories: Mapping[str, Story]):
    found = {
        f"{moment}: {record['path']} {record['query']}": differences(record["body"], body, MEANT)
        for moment, answers in stories[name].answers.items()
        for record, status, body in answers
        if status != record["status"] or differences(record["body"], body, MEANT)
    }
    assert found == {}


def test_every_difference_that_is_meant_is_one(stories: Mapping[str, Story]):
    answers = [answer for story in stories.values() for moment in story.answers.values() for answer in moment]
    found = {line.split()[1] for record, _, body in answers for line in differences(record["body"], body, {})}
    assert found == set(MEANT)


OTHER_STATE = ("projects-pagesize-", "sequence-unknown-project")
"""Asked of a Keptn with 38 projects, in which a delivery for the unknown one had been triggered before."""


def test_bad_requests_get_the_same_answers(stories: Mapping[str, Story]):
    client = stories["02-pass"].client
    records = {record["name"]: record for record in recording("errors")}
    answers = {name: send_recorded(client, record["request"]) for name, record in records.items()}

    assert {name: (answer.status_code, headers(answer)) for name, answer in answers.items()} == {
        name: (record["status"], record["headers"]) for name, record in records.items()
    }
    refused = {name: record["body"].rstrip() for name, record in records.items() if record["status"] >= 400}
    assert {name: answers[name].text.rstrip() for name in refused} == refused
    served = {
        name: json.loads(record["body"])
        for name, record in records.items()
        if record["status"] == 200 and record["body"] and name not in OTHER_STATE
    }
    found = {name: differences(body, answers[name].json(), {}) for name, body in served.items()}
    assert {name: differing for name, differing in found.items() if differing} == {}


def headers(answer: requests.Response) -> dict[str, str]:
    return {name: answer.headers[name] for name in ("Content-Type", "Location") if name in answer.headers}
