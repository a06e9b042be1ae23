"""Twenty projects and a Keptn that is away from the start: what is written, said and asked."""

from http import HTTPStatus

import pytest

from tests.operator.harness import KEPTN_TOKEN, message, until
from tests.operator.scripted_keptn import scripted_keptn

PROJECTS = [f"away-{number}" for number in range(20)]


@pytest.fixture(scope="module")
def keptn():
    """A Keptn whose gateway answers 503 to everything."""
    with scripted_keptn(KEPTN_TOKEN) as keptn:
        keptn.failure = HTTPStatus.SERVICE_UNAVAILABLE
        yield keptn


@pytest.fixture(scope="module")
def team(new_team, keptn):
    team = new_team({name: {} for name in PROJECTS}, keptn_url=keptn.url)
    for name in PROJECTS:
        team.project(name)
    team.start()
    for name in PROJECTS:
        team.apply(name, name, version="v0.1.2")
    for name in PROJECTS:
        team.wait_reason(name, "Passed", "KeptnUnavailable", seconds=60)
    return team


def status_patches(team):
    """How many statuses the operator wrote; an audited request has one line for each of its stages."""
    return sum(
        one["verb"] == "patch"
        and one["objectRef"].get("subresource") == "status"
        and one["stage"] == "ResponseComplete"
        for one in team.audit()
    )


def test_an_outage_is_one_line_and_no_write_beyond_the_first(team, keptn):
    asked, written = len(keptn.asked), status_patches(team)
    until(lambda: len(keptn.asked) >= asked + 3, seconds=60)
    assert status_patches(team) == written
    (line,) = [line for line in team.log.splitlines() if "Keptn" in line]
    assert "Keptn is away; asking again from time to time: Keptn's API answers 503" in line
    assert message(team.get("away-7"), "Passed").endswith("503: Service Unavailable; will be tried again")


def test_when_it_ends_that_is_one_line_and_everybody_is_told(team, keptn):
    keptn.failure = None
    for name in PROJECTS:
        team.wait_reason(name, "Passed", "AwaitingVersion", seconds=90)
    lines = [line for line in team.log.splitlines() if "Keptn" in line]
    assert [line.rpartition("[INFO")[2].rpartition("] ")[2] for line in lines[1:]] == ["Keptn answers again"]
