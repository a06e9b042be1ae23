from dataclasses import replace
from datetime import UTC, datetime, timedelta

from prodeval.domain.errors import KeptnUnavailableError
from prodeval.domain.events import Subscription
from prodeval.service.uniform import Uniform
from tests.unit.service.snapshots import tutorial
from tests.unit.service.test_planning import RESOURCE, SETTINGS, plan

TEST = "sh.keptn.event.je-test.triggered"


def subscription(event=TEST, projects=()):
    return Subscription("job-executor-service", event, frozenset(projects), frozenset(), frozenset())


class Keptn:
    """Answers or does not, and counts."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    def registrations(self):
        self.asked += 1
        answer = self.answers.pop(0)
        if answer is None:
            raise KeptnUnavailableError("no answer")
        return answer


class Clock:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


def test_it_is_unknown_until_keptn_answered_and_asked_for_every_ten_minutes():
    keptn, clock = Keptn(None, (subscription(), subscription("other", ["elsewhere"]))), Clock()
    uniform = Uniform(keptn, clock)
    uniform.refresh()
    uniform.refresh()
    assert (uniform.event_types(RESOURCE.target), keptn.asked) == (None, 1)
    clock.now += timedelta(minutes=10)
    uniform.refresh()
    assert (uniform.event_types(RESOURCE.target), keptn.asked) == (frozenset({TEST}), 2)


def test_a_task_that_nobody_listens_to_is_a_doubt():
    def doubts(listened):
        return [
            one
            for one in plan(tutorial(), settings=replace(SETTINGS, listened=lambda _: listened)).doubts
            if "PE411" in one
        ]

    assert len(doubts(frozenset())) == 1
    assert doubts(frozenset({TEST})) == doubts(None) == []
