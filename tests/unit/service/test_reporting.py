"""How a status is written: onto its own object, from its newest state, once, and only what the server keeps."""

import itertools

import pytest

from prodeval.domain.conditions import Condition
from prodeval.domain.errors import ClusterUnavailableError, StatusRefusedError
from prodeval.domain.report import Report
from prodeval.domain.resource import ResourceKey
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter
from tests.support.world import NAMESPACE, FakeCluster, MovedClock

KEY = ResourceKey(NAMESPACE, "hello")
SYNCED = Report(synced=Condition("Synced", "True", "Synced", "in place"))
FAILED = Report(synced=Condition("Synced", "False", "InvalidSpec", "no"))


class Setting:
    def __init__(self):
        self.clock = MovedClock()
        self.cluster, self.registry = FakeCluster(self.clock), Registry(self.clock)
        self.reporter = Reporter(self.cluster, self.registry, self.clock, lambda text: text.replace("secret", "***"))
        self.registry.put(self.cluster.apply())

    def report(self, report=SYNCED, uid="uid-1"):
        return self.reporter.report(uid, lambda newest: report)

    def said(self, name="Synced"):
        found = (one for one in self.cluster.status().get("conditions", ()) if one["type"] == name)
        return next((f"{one['status']} {one['reason']}" for one in found), None)


@pytest.fixture
def setting():
    return Setting()


def test_a_status_is_written_and_known_at_once(setting):
    assert setting.report()
    assert setting.said() == "True Synced"
    assert setting.registry.get("uid-1").status == setting.cluster.status()


def test_nothing_new_is_no_write(setting):
    setting.report()
    written = len(setting.cluster.patches)
    assert setting.report()
    assert setting.report(None)
    assert len(setting.cluster.patches) == written


def test_only_what_changes_is_sent(setting):
    setting.report()
    setting.report(FAILED)
    assert set(setting.cluster.patches[-1][1]) == {"conditions"}


def test_what_a_person_should_hear_is_told_with_the_write(setting):
    setting.report(FAILED)
    setting.report(FAILED)
    assert setting.cluster.posted == [("hello", "Warning", "InvalidSpec", "no")]


def test_a_secret_is_masked_everywhere(setting):
    setting.report(Report(synced=Condition("Synced", "False", "GitOperationFailed", "refused secret")))
    assert "secret" not in str(setting.cluster.patches)
    assert "secret" not in str(setting.cluster.posted)


def test_of_who_is_gone_nothing_is_written(setting):
    setting.registry.drop("uid-1")
    assert setting.report()
    assert setting.report(uid="never known")
    assert setting.cluster.patches == []


def test_who_wrote_in_between_is_read_and_asked_about_again(setting):
    seen = []

    def make(newest):
        seen.append(newest.generation)
        return SYNCED

    setting.cluster.before_patch = lambda: setting.cluster.apply(historyLimit=3)
    assert setting.reporter.report("uid-1", make)
    assert seen == [1, 2]
    assert setting.said() == "True Synced"


def test_who_was_deleted_in_between_is_dropped(setting):
    setting.cluster.before_patch = setting.cluster.delete
    assert setting.report()
    assert setting.registry.identities() == {}


def test_another_uid_under_the_name_gets_nothing(setting):
    def recreate():
        setting.cluster.delete()
        setting.cluster.apply()

    setting.cluster.before_patch = recreate
    assert setting.report()
    assert setting.cluster.status() == {}
    assert [one.uid for one in setting.registry.identities().values()] == ["uid-2"]


def test_a_restored_resource_version_is_believed(setting):
    for number in range(5):
        setting.registry.put(setting.cluster.apply(historyLimit=number))
    body = setting.cluster.get()
    setting.cluster.objects[KEY] = body | {"metadata": body["metadata"] | {"resourceVersion": "2"}}
    assert setting.report()
    assert setting.said() == "True Synced"


def test_who_writes_all_the_time_is_left_alone_for_a_while(setting):
    calls = []

    def touch():
        calls.append(1)
        setting.cluster.apply(annotations={"x": str(len(calls))})
        setting.cluster.before_patch = touch

    setting.cluster.before_patch = touch
    assert not setting.report()
    assert len(calls) == 10
    assert not setting.report()
    assert len(calls) == 10
    setting.cluster.before_patch = None
    setting.clock.seconds += 5
    assert setting.report()


def test_a_refused_status_is_tried_more_and_more_rarely_and_said_once(setting, caplog):
    setting.cluster.refuses["hello"] = StatusRefusedError("denied by a policy")
    tries = []
    patch = setting.cluster.patch_status
    setting.cluster.patch_status = lambda *what: tries.append(setting.clock.seconds) or patch(*what)
    for _ in range(7200):
        assert not setting.report()
        setting.clock.seconds += 1
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert pauses[0] <= 3
    assert 400 <= max(pauses) <= 601
    assert len([one for one in caplog.records if "denied by a policy" in one.getMessage()]) == 1
    del setting.cluster.refuses["hello"]
    setting.clock.seconds += 601
    assert setting.report()
    setting.cluster.refuses["hello"] = StatusRefusedError("denied by a policy")
    assert not setting.report(FAILED)
    setting.clock.seconds += 3
    del setting.cluster.refuses["hello"]
    assert setting.report(FAILED)


def test_an_object_that_is_not_shown_is_a_refusal_too(setting):
    def fails(key):
        raise StatusRefusedError("forbidden")

    setting.cluster.read = fails
    setting.cluster.before_patch = lambda: setting.cluster.apply(historyLimit=3)
    assert not setting.report()


def test_a_refusal_is_forgotten_with_its_object(setting):
    setting.cluster.refuses["hello"] = StatusRefusedError("denied")
    setting.report()
    setting.cluster.delete()
    setting.registry.drop("uid-1")
    del setting.cluster.refuses["hello"]
    setting.registry.put(setting.cluster.apply())
    assert setting.report(uid="uid-2")
    assert setting.said() == "True Synced"


def test_an_api_that_is_away_is_no_refusal(setting):
    setting.cluster.failure = ClusterUnavailableError("no connection")
    with pytest.raises(ClusterUnavailableError):
        setting.report()
    setting.cluster.failure = None
    assert setting.report()


@pytest.mark.parametrize(
    ("pruned", "told"),
    [
        (("verdict",), "status.verdict"),
        (("conditions", "[]", "message"), "status.conditions[].message"),
    ],
)
def test_what_the_server_does_not_keep_is_said_once_and_not_sent_again(setting, pruned, told, caplog):
    setting.cluster.pruned = (pruned,)
    setting.registry.put(setting.cluster.apply("other", service="other"))
    setting.report()
    written = len(setting.cluster.patches)
    assert setting.report()
    assert len(setting.cluster.patches) == written
    setting.report(uid="uid-2")
    assert pruned[-1] not in str(setting.cluster.patches[-1][1])
    assert [told in one.getMessage() for one in caplog.records if "CRD" in one.getMessage()] == [True]


def test_a_preview_is_what_would_be_written(setting):
    status = setting.reporter.preview(setting.registry.get("uid-1"), SYNCED)
    assert setting.cluster.patches == []
    setting.report()
    assert setting.cluster.status() == status
