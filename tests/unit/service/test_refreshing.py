import logging

import pytest

from prodeval.domain.errors import KeptnUnavailableError
from prodeval.service.refreshing import Refresher

MAIN = "the default branch"


class Keptn:
    """Reads all but what is broken, and keeps what it was asked for; `meanwhile` happens during each read."""

    def __init__(self):
        self.read, self.broken, self.meanwhile = [], set(), lambda: None

    def read_default_branch(self, project):
        self._answer(project, MAIN)

    def read_stage_branch(self, project, stage):
        self._answer(project, stage)

    def _answer(self, project, branch):
        self.read.append((project, branch))
        self.meanwhile()
        if branch in self.broken:
            raise KeptnUnavailableError("no answer")


@pytest.fixture
def keptn():
    return Keptn()


@pytest.fixture
def refresher(keptn):
    return Refresher(keptn)


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_each_pushed_branch_is_read_once(refresher, keptn):
    refresher.pushed("p", ["production", "trunk"], "trunk")
    assert (keptn.read, refresher.is_settled("p")) == ([], False)
    assert refresher.turn("p")
    assert keptn.read == [("p", "production"), ("p", MAIN)]
    assert (refresher.turn("p"), refresher.turn("other"), refresher.is_settled("p")) == (True, True, True)
    assert len(keptn.read) == 2


def test_a_push_of_the_default_branch_alone_reads_no_stage(refresher, keptn):
    refresher.pushed("p", ["main"], "main")
    assert refresher.turn("p")
    assert keptn.read == [("p", MAIN)]


def test_a_push_of_nothing_is_none(refresher):
    refresher.pushed("p", [], "main")
    assert refresher.is_settled("p")


def test_what_keptn_did_not_read_is_tried_again_with_the_next_turn(refresher, keptn):
    keptn.broken = {"production", MAIN}
    refresher.pushed("p", ["production", "main"], "main")
    assert not refresher.turn("p")
    assert keptn.read == [("p", "production")], "a Keptn that hangs costs one time-out"
    keptn.broken = set()
    assert refresher.turn("p")
    assert sorted(keptn.read[1:]) == [("p", "production"), ("p", MAIN)]
    assert refresher.is_settled("p")


def test_a_branch_that_keptn_cannot_read_keeps_no_other_from_being_read(refresher, keptn):
    keptn.broken = {"production"}
    refresher.pushed("p", ["production", "main"], "main")
    assert [refresher.turn("p") for _ in range(3)] == [False, False, False]
    assert keptn.read.count(("p", MAIN)) == 1


def test_a_push_during_the_read_is_read_as_well(refresher, keptn):
    refresher.pushed("p", ["production"], "main")
    keptn.meanwhile = lambda: refresher.pushed("p", ["production"], "main")
    assert not refresher.turn("p")
    keptn.meanwhile = lambda: None
    assert refresher.turn("p")
    assert keptn.read == [("p", "production")] * 2


def test_an_outage_is_told_once_whatever_the_number_of_projects_and_turns(refresher, keptn, caplog):
    def push_and_turn(turns):
        for project in ("p", "q"):
            refresher.pushed(project, ["main"], "main")
        return [refresher.turn(project) for _ in range(turns) for project in ("p", "q")]

    keptn.broken = {MAIN}
    push_and_turn(3)
    assert len(warnings(caplog)) == 1
    assert "project p" in warnings(caplog)[0]
    keptn.broken = set()
    assert all(push_and_turn(1))
    keptn.broken = {MAIN}
    push_and_turn(3)
    assert len(warnings(caplog)) == 2, "the next outage is another one"
