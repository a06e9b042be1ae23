"""A pass counts only when it is proven: each check, and what a doubt makes of the verdict."""

import base64

import pytest

from prodeval.domain.files import sha256
from prodeval.domain.verdict import FileFacts, prove
from tests.unit.verdict.keptn_events import SLO, Story, expectation, indicator, time

NEW_SLO = SLO.replace("<=1", "<=2")


def delivery(**changes):
    story = Story()
    story.deliver(0, "a", **changes)
    return story


def check(judgement, name):
    return next(one for one in judgement.evidence if one.check == name)


def statuses(judgement):
    return {one.check: one.status for one in judgement.evidence}


def verdict(judgement):
    return judgement.verdict, judgement.passed.status, judgement.passed.reason


def test_a_proven_pass_has_all_checks_in_their_order():
    judgement = delivery().judge(200, version="v1")
    assert verdict(judgement) == ("Pass", "True", "Pass")
    assert list(statuses(judgement)) == [
        "ObjectivesEvaluated",
        "ResultConsistent",
        "SLOMatches",
        "VersionMatches",
        "WindowAfterDeployment",
        "FilesUnchanged",
        "GateRan",
        "Recomputed",
    ]
    assert set(statuses(judgement).values()) == {"True"}


def test_the_version_is_checked_only_if_one_is_wanted():
    assert "VersionMatches" not in statuses(delivery().judge(200))


@pytest.mark.parametrize(
    ("message", "indicators", "reason"),
    [
        ("no evaluation performed by lighthouse because no SLO file configured for project x", None, "NoObjectives"),
        ("no evaluation performed by lighthouse because no SLI-provider configured for x", None, "NoSLIProvider"),
        ("", [], "NoObjectives"),
        ("", None, "NoObjectives"),
        ("", [indicator(0.5) | {"status": "info"}], "NoObjectives"),
        ("", [indicator(0.5) | {"status": "nonsense"}, "garbage", None], "NoObjectives"),
    ],
)
def test_a_pass_of_nothing_is_none(message, indicators, reason):
    story = delivery(message=message, evaluation={"indicatorResults": indicators})
    assert verdict(story.judge(200)) == ("Inconclusive", "Unknown", reason)


def test_a_pass_whose_score_says_otherwise_is_none():
    story = delivery(evaluation={"result": "warning"})
    assert verdict(story.judge(200)) == ("Inconclusive", "Unknown", "ResultConsistent")


@pytest.mark.parametrize(
    "changes", [{"status": "errored"}, {"status": "unknown"}, {"status": ""}, {"result": "nonsense"}]
)
def test_what_keptn_takes_as_a_failure_is_one(changes):
    assert verdict(delivery(**changes).judge(200)) == ("Fail", "False", "Fail")


def test_another_slo_than_the_one_in_git_makes_a_pass_inconclusive():
    judgement = delivery().judge(200, facts=FileFacts(sha256(NEW_SLO.encode()), ()))
    assert verdict(judgement) == ("Inconclusive", "Unknown", "SLOMatches")
    assert "(0123456)" in judgement.passed.message


def test_an_slo_that_cannot_be_decoded_is_another_one():
    judgement = delivery(evaluation={"sloFileContent": "%%%"}).judge(200)
    assert statuses(judgement)["SLOMatches"] == "False"
    assert statuses(judgement)["Recomputed"] == "Unknown"


def test_what_git_cannot_tell_is_unknown_and_no_doubt():
    judgement = delivery().judge(200, facts=FileFacts())
    assert verdict(judgement) == ("Pass", "True", "Pass")
    assert (statuses(judgement)["SLOMatches"], statuses(judgement)["FilesUnchanged"]) == ("Unknown", "Unknown")
    assert check(judgement, "SLOMatches").message
    assert check(judgement, "FilesUnchanged").message


def test_changed_files_are_named_up_to_three():
    changed = ("a/slo.yaml", "b", "c", "d", "e")
    judgement = delivery().judge(200, facts=FileFacts(sha256(SLO.encode()), changed))
    assert verdict(judgement) == ("Inconclusive", "Unknown", "FilesUnchanged")
    assert "a/slo.yaml, b, c and 2 more" in judgement.passed.message


def test_the_first_doubt_is_the_reason():
    judgement = delivery(window=(-30, 30)).judge(200, facts=FileFacts(sha256(NEW_SLO.encode()), ("slo.yaml",)))
    assert judgement.passed.reason == "SLOMatches"


def test_a_window_from_the_moment_of_the_deployment_lies_behind_it():
    assert delivery(window=(20, 80)).said(200) == ("Pass", "Pass")
    assert delivery(window=(19.999, 80)).said(200) == ("Inconclusive", "WindowAfterDeployment")


def test_a_run_without_its_load_test_is_inconclusive():
    story = delivery()
    story.raw = [event for event in story.raw if ".je-test." not in event["type"]]
    assert story.said(200) == ("Inconclusive", "GateRan")
    assert story.said(200, test_task=None) == ("Pass", "Pass")


def test_a_load_test_before_the_deployment_is_none():
    story = Story()
    sequence = story.sequence(0, "a")
    story.task(1, 5, "a", "je-test")
    story.task(6, 10, "a", "je-deployment")
    story.evaluate(80, 85, "a", (11, 80))
    story.end(86, sequence, "a")
    assert story.said(200) == ("Inconclusive", "GateRan")


def test_a_value_that_does_not_pass_its_own_slo_is_found_out():
    """Keptn's event says pass, its own value and criterion say fail."""
    wrong = indicator(0.5) | {"value": {"metric": "error_rate", "value": 7, "success": True, "comparedValue": 0}}
    judgement = delivery(evaluation={"indicatorResults": [wrong]}).judge(200)
    assert verdict(judgement) == ("Inconclusive", "Unknown", "Recomputed")
    assert "Keptn says pass, its slo.yaml and values give fail" in judgement.passed.message


def test_a_fail_keeps_its_evidence_and_is_not_softened_by_it():
    judgement = delivery(value=5).judge(200, facts=FileFacts(sha256(NEW_SLO.encode()), ("x",)))
    assert verdict(judgement) == ("Fail", "False", "Fail")
    assert statuses(judgement)["SLOMatches"] == "False"
    assert judgement.passed.message == "v1 failed: error_rate is 5, wanted <=1"


RELATIVE = """\
comparison: {compare_with: single_result, include_result_with_score: pass, aggregate_function: avg}
objectives:
  - sli: error_rate
    pass:
      - criteria: ["<=+10%"]
total_score: {pass: "100%"}
"""


def compared_delivery(value, compared, ids):
    """A second delivery that Keptn compared with the first."""
    story = Story()
    story.deliver(0, "a", value=1.0)
    first = story.raw[-2]["id"]
    result = indicator(0.5)
    result["value"] |= {"value": value, "comparedValue": compared}
    result["passTargets"] = [{"criteria": "<=+10%", "targetValue": compared * 1.1, "violated": False}]
    evaluation = {
        "sloFileContent": base64.b64encode(RELATIVE.encode()).decode(),
        "indicatorResults": [result],
        "comparedEvents": [first if one == "first" else one for one in ids],
    }
    story.deliver(200, "b", "v2", evaluation=evaluation)
    return story


def test_a_comparison_is_made_again_from_the_compared_evaluation():
    facts = FileFacts(sha256(RELATIVE.encode()), ())
    assert compared_delivery(1.05, 1.0, ["first"]).judge(500, facts=facts).verdict == "Pass"
    assert compared_delivery(1.2, 1.0, ["first"]).judge(500, facts=facts).passed.reason == "Recomputed"


def test_a_lying_mean_is_found_out_where_the_compared_evaluation_is_known():
    facts = FileFacts(sha256(RELATIVE.encode()), ())
    assert compared_delivery(1.2, 1.15, ["first"]).judge(500, facts=facts).passed.reason == "Recomputed"


def test_where_it_is_not_known_keptns_mean_is_taken_and_that_is_said():
    story, facts = compared_delivery(1.2, 1.15, ["first", "gone"]), FileFacts(sha256(RELATIVE.encode()), ())
    assert story.select(500).missing == ("gone",)
    judgement = story.judge(500, facts=facts)
    assert judgement.verdict == "Pass"
    assert "not known" in check(judgement, "Recomputed").message


class TestRecord:
    def test_score_and_result_are_what_keptn_sent(self):
        for score, text in (
            (100, "100"),
            (66.66666666666667, "66.66666666666667"),
            ("high", ""),
            (True, ""),
            (None, ""),
        ):
            record = delivery(evaluation={"score": score}).judge(200).evaluation
            assert (record.score, record.result) == (text, "pass")

    def test_without_a_window_none_is_shown(self):
        record = delivery(window=None, evaluation={"timeStart": "", "timeEnd": "soon"}).judge(200).evaluation
        assert (record.window_start, record.window_end) == ("", "")

    def test_numbers_are_rounded_for_people(self):
        shown = []
        for value in (0.048751234, 1234567.0, 20.0, 1e-7, 1e300, 99.996):
            result = indicator(0.5)
            result["value"]["value"] = value
            shown.append(delivery(evaluation={"indicatorResults": [result]}).judge(200).evaluation.objectives[0].value)
        assert shown == ["0.04875", "1234567", "20", "1e-07", "1e+300", "100"]

    def test_what_was_not_measured_is_named_from_the_slo(self):
        result = indicator(5) | {"value": None}
        judgement = delivery(value=5, evaluation={"indicatorResults": [result]}).judge(200)
        assert judgement.evaluation.objectives[0].sli == "error_rate"
        assert judgement.passed.message == "v1 failed: error_rate was not measured (no value)"

    def test_more_objectives_than_fit_are_cut(self):
        record = delivery(evaluation={"indicatorResults": [indicator(0.5)] * 60}).judge(200).evaluation
        assert len(record.objectives) == 50

    def test_a_long_message_becomes_one_short_line(self):
        record = delivery(message="a\n" * 5000).judge(200).evaluation
        assert len(record.message) == 500
        assert record.message.endswith("…")

    def test_numbers_beyond_floats_do_no_harm(self):
        result = indicator(0.5)
        result["value"] |= {"value": 10**400, "comparedValue": 10**400}
        assert delivery(evaluation={"indicatorResults": [result]}).judge(200).evaluation.objectives[0].value == "0"


def test_files_that_changed_later_keep_the_verdict_and_are_mentioned():
    story = delivery()
    assert "earlier files" not in story.judge(200, files_pushed=time(6)).passed.message
    judgement = story.judge(200, files_pushed=time(150))
    assert (judgement.verdict, judgement.passed.message) == ("Pass", "v1 passed, score 100; judged with earlier files")


def test_a_warning_counts_as_passed_and_says_what_missed():
    result = indicator(0.5) | {"status": "warning", "score": 0.5}
    result["passTargets"] = [{"criteria": "<=0.1", "targetValue": 0.1, "violated": True}]
    slo = SLO.replace('"<=1"', '"<=0.1"').replace("total_score", '    warning:\n      - criteria: ["<=1"]\ntotal_score')
    slo = slo.replace("75%", "50%")
    evaluation = {
        "result": "warning",
        "score": 50,
        "indicatorResults": [result],
        "sloFileContent": base64.b64encode(slo.encode()).decode(),
    }
    judgement = delivery(result="warning", evaluation=evaluation).judge(200, facts=FileFacts(sha256(slo.encode()), ()))
    assert verdict(judgement) == ("Warning", "True", "Warning")
    assert judgement.passed.message == "v1 passed with a warning, score 50: error_rate is 0.5, wanted <=0.1"


def test_what_decided_can_be_told_from_what_decided_before():
    story = delivery()
    first = story.judge(200)
    story.deliver(300, "b", "v2")
    second = story.judge(500)
    assert first.event_id == story.select(200).event_id != second.event_id
    assert (second.context, second.version, second.ended) == ("b", "v2", time(395))


def test_a_pass_that_cannot_be_computed_again_is_inconclusive():
    judgement = delivery(evaluation={"sloFileContent": "%%%"}).judge(200, facts=FileFacts())
    assert verdict(judgement) == ("Inconclusive", "Unknown", "Recomputed")


def test_an_evaluation_of_another_version_than_wanted_is_no_proof():
    story = delivery()
    judgement = prove(expectation(version="v2"), story.select(200), FileFacts())
    assert verdict(judgement) == ("Inconclusive", "Unknown", "VersionMatches")
    assert "measured was v1" in judgement.passed.message


def test_an_slo_that_is_no_yaml_leaves_names_and_weights_to_the_event():
    broken = base64.b64encode(b"objectives: [").decode()
    (objective,) = delivery(evaluation={"sloFileContent": broken}).judge(200).evaluation.objectives
    assert (objective.sli, objective.weight) == ("error_rate", 1)


def test_a_result_without_a_window_cannot_be_placed():
    judgement = delivery(evaluation={"timeStart": ""}).judge(200)
    assert statuses(judgement)["WindowAfterDeployment"] == "Unknown"
    assert verdict(judgement) == ("Pass", "True", "Pass")


def test_a_violated_criterion_that_nobody_can_read_is_shown_as_it_is():
    result = indicator(5)
    result["passTargets"] = [{"criteria": "about 1", "targetValue": 1, "violated": True}]
    result["value"]["comparedValue"] = 3
    judgement = delivery(value=5, evaluation={"indicatorResults": [result]}).judge(200)
    assert judgement.passed.message == "v1 failed: error_rate is 5, wanted about 1"
