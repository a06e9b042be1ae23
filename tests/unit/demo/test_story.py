import pytest

from demo.story import CHAPTERS, StoryError, check_verdict, evidence, judged, objectives

BODY = {
    "status": {
        "verdict": "Fail",
        "conditions": [{"type": "Passed", "message": "v0.1.2 failed: it is slow"}],
        "lastEvaluation": {
            "version": "v0.1.2",
            "score": "50",
            "objectives": [
                {
                    "sli": "p95",
                    "displayName": "Response time",
                    "status": "Fail",
                    "value": "0.98",
                    "violated": ["<=0.3"],
                },
                {"sli": "rate", "status": "Info"},
            ],
            "evidence": [{"check": "GateRan", "status": "True", "message": ""}],
        },
    }
}


def test_an_unexpected_verdict_ends_the_story_and_both_are_named():
    good, slow = CHAPTERS
    check_verdict(slow, BODY)
    with pytest.raises(StoryError, match=r"v0\.1\.1: expected Pass, found Fail: v0\.1\.2 failed: it is slow"):
        check_verdict(good, BODY)


def test_a_verdict_counts_for_its_version_only():
    assert judged("v0.1.2")(BODY)
    assert not judged("v0.1.3")(BODY)
    assert not judged("v0.1.2")({"status": {"verdict": "Pending"}})
    assert not judged("v0.1.2")({})


def test_a_person_reads_objectives_and_evidence():
    first, time, rate = objectives(BODY).splitlines()
    assert first == "Fail: v0.1.2 failed: it is slow"
    assert time.split() == ["Fail", "0.98", "Response", "time", "violated:", "<=0.3"]
    assert rate.split() == ["Info", "-", "rate"]
    assert evidence(BODY).split() == ["GateRan", "True"]
