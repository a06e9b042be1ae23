"""What is known of events, and above all for which time: what is claimed beyond that makes wrong verdicts."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodeval.domain.errors import KeptnUnavailableError
from prodeval.domain.events import SequenceExecution
from prodeval.domain.resource import Target
from prodeval.service.event_log import EventLog
from tests.support.world import FakeKeptn, MovedClock
from tests.unit.verdict.keptn_events import iso, time

MINUTE = 60
AWAY = KeptnUnavailableError("no answer")
TARGET = Target("p", "production", "s")


class Keptn(FakeKeptn):
    """With a clock of its own that can differ from ours.

    Attributes:
        skew: seconds by which it is ahead; None: it does not say the time.
        asked_since: of each question about a project.
        joins_fail: whether questions about one service fail.
    """

    skew = 0
    joins_fail = False

    def __init__(self, clock):
        super().__init__(clock)
        self.asked_since, self.joins, self.by_name = [], [], []

    def add(self, at, service="s", kind="x.started", context="", **data):
        """Store an event; returns its id."""
        number = sum(map(len, self.raw.values()))
        event = {"id": f"e{number}", "type": f"sh.keptn.event.{kind}", "time": iso(at), "source": "x"}
        event |= {"shkeptncontext": context or f"c{number}", "data": {"project": "p", "service": service, **data}}
        self.raw["p"].append(event)
        return event["id"]

    def events(self, project, since):
        self.asked_since.append((since - time(0)).total_seconds())
        return self._told(super().events(project, since))

    def service_events(self, project, service, since):
        self.joins.append((service, (since - time(0)).total_seconds()))
        if self.joins_fail:
            raise AWAY
        return self._told(super().service_events(project, service, since))

    def newest_event(self, project, stage, service, event_type):
        self.by_name.append(event_type)
        return super().newest_event(project, stage, service, event_type)

    def _told(self, answer):
        return replace(answer, answered=None if self.skew is None else answer.answered + timedelta(seconds=self.skew))


class Setting:
    def __init__(self):
        self.clock = MovedClock()
        self.clock.seconds = 3600.0
        self.keptn = Keptn(self.clock)
        self.log = EventLog(self.keptn, self.clock)

    def refresh(self, after=0.0, executions=False, **needs):
        self.clock.seconds += after
        wanted = {service: time(need) for service, need in (needs or {"s": 0}).items()}
        return self.log.refresh("p", wanted, with_executions=executions)

    def ids(self, service="s"):
        return [event.id for event in self.log.service("p", service).events]

    def claim(self, service="s"):
        """Between which seconds all events of a service are claimed to be known."""
        known = self.log.service("p", service)
        return (known.since - time(0)).total_seconds(), (known.until - time(0)).total_seconds()


@pytest.fixture
def setting():
    return Setting()


def test_nothing_is_known_before_keptn_was_asked(setting):
    assert setting.log.service("p", "s") is None
    setting.refresh()
    assert setting.log.service("p", "other") is None


def test_all_since_the_need_is_known_up_to_a_minute_before_the_answer(setting):
    first = setting.keptn.add(100)
    assert setting.refresh(s=50) == {"s"}
    assert setting.ids() == [first]
    assert setting.claim() == (50, 3600 - MINUTE)
    assert setting.keptn.joins == []


def test_only_what_is_new_is_asked_for_and_told(setting):
    setting.keptn.add(3500)
    setting.refresh()
    assert setting.refresh(15) == frozenset()
    second = setting.keptn.add(3620)
    setting.refresh(15)
    assert setting.ids()[-1] == second
    assert setting.keptn.asked_since == [0, 3500 - MINUTE, 3500 - MINUTE]
    assert setting.claim() == (0, 3630 - MINUTE)


def test_an_event_that_is_stored_late_is_found(setting):
    late = setting.keptn.add(3590)
    setting.keptn.stored_late[late] = 55
    setting.keptn.add(3599)
    setting.refresh()
    assert late not in setting.ids()
    assert setting.claim()[1] <= 3590
    for second in range(8):
        setting.keptn.add(3600 + 10 * second)
        setting.refresh(10)
    assert late in setting.ids()


def test_a_failed_question_changes_nothing(setting):
    setting.keptn.add(100)
    setting.refresh()
    known = setting.log.service("p", "s")
    setting.keptn.failures["p"] = AWAY
    with pytest.raises(KeptnUnavailableError):
        setting.refresh(600)
    assert setting.log.service("p", "s") == known


def test_after_an_outage_the_gap_is_asked_for(setting):
    setting.keptn.add(3500)
    setting.refresh()
    setting.keptn.failures["p"] = AWAY
    with pytest.raises(KeptnUnavailableError):
        setting.refresh(3600)
    missed = setting.keptn.add(4000)
    setting.keptn.failures.clear()
    assert setting.refresh(10) == {"s"}
    assert setting.ids()[-1] == missed
    assert setting.claim() == (0, 7210 - MINUTE)


def test_a_first_answer_that_is_cut_claims_what_it_holds_and_asks_for_the_service(setting):
    own = setting.keptn.add(100)
    for second in range(200, 210):
        setting.keptn.add(second, "busy")
    setting.keptn.most = 5
    setting.refresh(s=0, busy=150)
    assert setting.ids() == [own]
    assert setting.claim()[0] == 0
    assert setting.claim("busy")[0] == 150
    assert setting.keptn.joins == [("s", 0), ("busy", 150)]


def test_a_cut_answer_about_one_service_claims_what_it_holds_and_is_asked_once(setting):
    for second in range(200, 220):
        setting.keptn.add(second)
    setting.keptn.most = setting.keptn.most_joined = 5
    setting.refresh()
    assert setting.claim()[0] == pytest.approx(215, abs=0.001)
    assert setting.claim()[0] > 215
    setting.keptn.most = 100
    for _ in range(3):
        setting.refresh(15)
    assert setting.keptn.joins == [("s", 0)]


def test_a_gap_that_a_cut_answer_leaves_is_asked_for_by_service(setting):
    setting.keptn.add(3500)
    setting.refresh()
    missed = setting.keptn.add(4000)
    for second in range(20):
        setting.keptn.add(5000 + second, "busy")
    setting.keptn.most = 10
    setting.refresh(3600)
    assert missed in setting.ids()
    assert setting.claim() == (0, 7200 - MINUTE)
    assert setting.keptn.joins == [("s", 0)]


def test_a_gap_whose_service_does_not_answer_is_not_claimed_and_asked_for_again(setting):
    setting.keptn.add(3500)
    setting.refresh()
    missed = setting.keptn.add(4000)
    for second in range(20):
        setting.keptn.add(5000 + second, "busy")
    setting.keptn.most, setting.keptn.joins_fail = 10, True
    with pytest.raises(KeptnUnavailableError):
        setting.refresh(3600)
    assert setting.claim()[0] > 5000
    setting.keptn.joins_fail = False
    setting.refresh(15)
    assert missed in setting.ids()
    assert setting.claim()[0] == 0


def test_an_answer_that_is_cut_to_nothing_claims_nothing(setting):
    """One event was larger than all that is read."""
    setting.keptn.add(100)
    setting.keptn.most = setting.keptn.most_joined = 0
    setting.keptn.events = lambda project, since: replace(FakeKeptn.events(setting.keptn, project, since), events=())
    setting.keptn.service_events = lambda *question: replace(
        FakeKeptn.service_events(setting.keptn, *question), events=()
    )
    setting.refresh()
    assert setting.ids() == []
    assert setting.claim() == (3600 - MINUTE, 3600 - MINUTE)


def test_a_service_that_joins_is_asked_about_since_its_need(setting):
    old = setting.keptn.add(100, "late")
    setting.refresh(s=3000)
    assert setting.refresh(15, s=3000, late=50) == {"late"}
    assert setting.ids("late") == [old]
    assert setting.claim("late") == (50, 3615 - MINUTE)
    setting.refresh(15, s=3000, late=50)
    assert setting.keptn.joins == [("late", 50)]


def test_a_join_that_fails_is_made_again(setting):
    setting.refresh(s=3000)
    setting.keptn.joins_fail = True
    with pytest.raises(KeptnUnavailableError):
        setting.refresh(15, s=3000, late=50)
    assert setting.log.service("p", "late") is None
    setting.keptn.joins_fail = False
    assert setting.refresh(15, s=3000, late=50) == {"late"}


def test_an_earlier_need_is_asked_for_once(setting):
    old = setting.keptn.add(100)
    setting.refresh(s=3000)
    assert setting.ids() == []
    setting.refresh(15, s=50)
    setting.refresh(15, s=50)
    assert (setting.ids(), setting.claim()[0]) == ([old], 50)
    assert setting.keptn.joins == [("s", 50)]


def test_a_later_need_forgets_nothing(setting):
    setting.keptn.add(100)
    setting.refresh(s=50)
    setting.refresh(15, s=3000)
    assert setting.claim()[0] == 50


def test_services_that_nobody_asks_about_are_dropped_and_join_anew(setting):
    setting.keptn.add(100)
    setting.refresh(s=0, other=0)
    setting.refresh(15, other=0)
    assert setting.log.service("p", "s") is None
    assert setting.refresh(15, s=0, other=0) == {"s"}
    assert setting.claim() == (0, 3630 - MINUTE)


def test_events_of_services_that_nobody_asks_about_are_not_kept(setting):
    setting.keptn.add(3590, "neighbour")
    assert setting.refresh() == frozenset()
    assert setting.ids() == []


def test_a_project_is_dropped_whole(setting):
    setting.refresh()
    setting.log.drop("p")
    setting.log.drop("never known")
    assert setting.log.service("p", "s") is None


def test_runs_that_are_too_old_are_forgotten_and_not_claimed(setting):
    for number in range(25):
        setting.keptn.add(100 + number, context=f"run{number}")
    setting.refresh()
    assert len(setting.ids()) == 20
    assert 104 < setting.claim()[0] <= 105
    setting.refresh(15)
    assert setting.keptn.joins == []


def test_what_was_forgotten_is_no_news_when_it_is_told_again(setting):
    for number in range(25):
        setting.keptn.add(3590, context=f"run{number:02}")
    assert setting.refresh() == {"s"}
    assert setting.refresh(5) == frozenset()


@pytest.mark.parametrize("skew", [-600, -30, 30, 600])
def test_the_claim_is_on_keptn_s_clock(setting, skew):
    setting.keptn.skew = skew
    setting.refresh()
    assert setting.claim()[1] == 3600 + skew - MINUTE


def test_without_keptn_s_clock_the_claim_is_on_ours_when_we_asked(setting):
    setting.keptn.skew = None

    def slow():
        setting.clock.seconds += 20

    setting.keptn.during = slow
    setting.refresh()
    assert setting.claim()[1] == 3600 - MINUTE


def test_an_event_from_the_future_hides_none_of_the_present(setting):
    setting.keptn.add(9000)
    setting.keptn.stored_late["e0"] = -6000
    setting.refresh()
    present = setting.keptn.add(3605)
    assert setting.refresh(15) == {"s"}
    assert present in setting.ids()


def test_a_clock_of_ours_that_is_ahead_hides_nothing(setting):
    setting.keptn.skew = -600
    setting.keptn.add(2990)
    setting.refresh()
    setting.refresh(15)
    assert setting.keptn.asked_since[-1] <= 3000 - MINUTE


def test_executions_are_asked_for_only_when_wanted(setting):
    execution = SequenceExecution("c", "production", "s", "delivery", "started")
    setting.keptn.executions["p"] = [execution]
    setting.refresh()
    assert setting.log.service("p", "s").executions == ()
    setting.refresh(5, executions=True)
    assert setting.log.service("p", "s").executions == (execution,)


def test_the_newest_deployment_is_asked_for_by_name_once(setting):
    deployed = setting.keptn.add(10, kind="deploy.finished", context="old", stage="production")
    before = setting.keptn.add(5, kind="deploy.triggered", context="old", stage="production")
    own = setting.keptn.add(3000)
    setting.refresh(s=2000)
    assert not setting.log.is_complete(TARGET, "deploy")
    for _ in range(2):
        setting.log.complete(TARGET, "deploy")
    assert setting.log.is_complete(TARGET, "deploy")
    assert setting.ids() == [before, deployed, own]
    assert setting.claim()[0] == 2000
    assert setting.keptn.by_name == ["sh.keptn.event.deploy.finished"]
    setting.log.complete(TARGET, "other")
    assert len(setting.keptn.by_name) == 2


def test_a_deployment_that_keptn_does_not_have_is_known_not_to_be_there(setting):
    setting.refresh()
    setting.log.complete(TARGET, "deploy")
    assert setting.log.is_complete(TARGET, "deploy")


def test_a_service_that_is_not_known_has_no_deployment_to_ask_for(setting):
    setting.log.complete(TARGET, "deploy")
    assert not setting.log.is_complete(TARGET, "deploy")
    assert setting.keptn.by_name == []


def test_single_events_are_fetched_and_not_kept(setting):
    known = setting.keptn.add(100, "other")
    setting.refresh()
    assert [event.id for event in setting.log.fetch("p", [known, "gone"])] == [known]
    assert setting.ids() == []


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_happens_nothing_is_claimed_that_is_not_known(data):
    """Events of two services arrive, some late; answers are cut, joins fail, needs change: each claim holds."""
    setting, needs = Setting(), {"s": 0}
    setting.clock.seconds = 300
    for _ in range(data.draw(st.integers(1, 12))):
        for _ in range(data.draw(st.integers(0, 8))):
            service = data.draw(st.sampled_from(["s", "busy"]))
            event = setting.keptn.add(setting.clock.seconds - data.draw(st.integers(0, 50)), service, context="run")
            setting.keptn.stored_late[event] = 0  # stored now, however old it is
        setting.keptn.most = data.draw(st.sampled_from([1, 3, 100]))
        setting.keptn.most_joined = data.draw(st.sampled_from([1, 3, 100]))
        setting.keptn.joins_fail = data.draw(st.booleans())
        needs = {"s": data.draw(st.integers(0, 300))} | ({"busy": 0} if data.draw(st.booleans()) else {})
        with suppress(KeptnUnavailableError):
            setting.refresh(data.draw(st.integers(0, 90)), **needs)
        for service in ("s", "busy"):
            holds(setting, service)


def holds(setting, service):
    known = setting.log.service("p", service)
    if known is None:
        return
    ids = {event.id for event in known.events}
    for event in setting.keptn._known("p"):
        if event.text("service") == service and known.since <= event.time <= known.until:
            assert event.id in ids
