"""Twenty projects and a Keptn that is away from the start: what is written, said and asked."""

from http import HTTPStatus

import pytest

from tests.operator.harness import KEPTN_TOKEN, message, until
from tests.operator.scripted_keptn import scripted_keptn

pytestmark = pytest.mark.timeout(300)  # pauses grow to a minute, and the first outage lasts as long as twenty applies

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


def lines_of(team, text):
    """What the operator said of something."""
    return [line for line in team.log.splitlines() if text in line]


def test_an_outage_is_one_line_and_no_write_beyond_the_first(team, keptn):
    answered, written = keptn.answered, status_patches(team)
    until(lambda: keptn.answered > answered, seconds=90)
    assert status_patches(team) == written
    (line,) = lines_of(team, "Keptn is away")
    assert "Keptn is away; asking again from time to time: Keptn's API answers 503" in line
    before = lines_of(team, "Who is registered in Keptn is unknown")  # asked for before any project is
    assert len(before) <= 1
    assert message(team.get("away-7"), "Passed").endswith("503: Service Unavailable; will be tried again")


def test_when_it_ends_that_is_one_line_and_everybody_is_told(team, keptn):
    keptn.failure = None
    for name in PROJECTS:
        team.wait_reason(name, "Passed", "AwaitingVersion", seconds=90)
    assert len(lines_of(team, "Keptn answers again")) == len(lines_of(team, "Keptn is away")) == 1
    assert lines_of(team, "WARNING") == lines_of(team, "Keptn is away")
