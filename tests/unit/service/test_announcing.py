import pytest

from prodeval.service.announcing import Announcement, announcements


def status(verdict="Pending", event="", message="", version="v1", **more):
    passed = {"type": "Passed", "status": "Unknown", "reason": "x", "message": message}
    evaluation = {"lastEvaluation": {"eventID": event, "version": version}} if event else {}
    return {"verdict": verdict, "conditions": [passed]} | evaluation | more


def synced(reason, status="False"):
    return {"conditions": [{"type": "Synced", "status": status, "reason": reason, "message": "why"}]}


@pytest.mark.parametrize(
    ("verdict", "kind"), [("Pass", "Normal"), ("Warning", "Normal"), ("Fail", "Warning"), ("Inconclusive", "Warning")]
)
def test_a_new_verdict_is_told_once_with_its_version(verdict, kind):
    after = status(verdict, "e1", "it is slow")
    assert announcements(status(), after) == (Announcement(kind, f"Verdict{verdict}", "v1: it is slow"),)
    assert announcements(after, after) == ()


def test_a_version_that_the_message_names_is_not_named_twice():
    (told,) = announcements(status(), status("Pass", "e1", "v1 passed"))
    assert told.message == "v1 passed"


def test_the_next_evaluation_with_the_same_verdict_is_told_too():
    assert len(announcements(status("Pass", "e1"), status("Pass", "e2"))) == 1


def test_a_sync_that_fails_is_told_when_the_reason_changes():
    assert announcements({}, synced("AccessDenied")) == (Announcement("Warning", "AccessDenied", "why"),)
    assert announcements(synced("AccessDenied"), synced("AccessDenied")) == ()
    assert announcements(synced("AccessDenied"), synced("Synced", "True")) == ()


def test_a_push_is_told_with_its_revisions():
    sync = {"lastPushTime": "t2", "stageRevision": "production@sha1:1", "shipyardRevision": "main@sha1:2"}
    (told,) = announcements({"sync": {"lastPushTime": "t1"}}, {"sync": sync})
    assert told == Announcement("Normal", "Pushed", "the upstream is now at main@sha1:2, production@sha1:1")
