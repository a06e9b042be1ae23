import pytest

from demo.keptn.shipyard import ShipyardError, read_shipyard
from tests.unit.keptn_demo.controllers import SHIPYARD


@pytest.mark.parametrize("version", ["spec.keptn.sh/0.2.0", "spec.keptn.sh/0.2.3", "spec.keptn.sh/1.0.0", "0.2.2"])
def test_versions_from_0_2_on_are_taken(version: str):
    assert read_shipyard(f"apiVersion: {version}").stages == ()


@pytest.mark.parametrize("text", ["apiVersion: spec.keptn.sh/0.1.7", "apiVersion: x", "", "a: [", "- 1"])
def test_other_texts_are_refused(text: str):
    with pytest.raises(ShipyardError):
        read_shipyard(text)


def test_the_first_stage_and_the_first_sequence_of_a_name_win():
    twice = SHIPYARD + "    - {name: qa, sequences: [{name: delivery, tasks: [{name: other}]}]}\n"

    assert read_shipyard(twice).sequence("qa", "delivery").tasks[0].name == "je-deployment"


def test_the_parents_of_a_stage_are_the_other_stages_that_trigger_it():
    shipyard = read_shipyard(SHIPYARD)

    assert (shipyard.parents("qa"), shipyard.parents("production")) == ([], ["qa"])


def test_the_normalised_text_says_the_same():
    shipyard = read_shipyard(SHIPYARD)

    assert read_shipyard(shipyard.to_yaml()) == shipyard
    assert "properties: null" in shipyard.to_yaml()


@pytest.mark.parametrize(
    ("match", "fires"),
    [
        ({}, {"pass", "warning"}),
        ({"result": "fail"}, {"fail"}),
        ({"evaluation.result": "warning"}, {"warning"}),
        ({"je-test.result": "pass"}, set()),
        ({"result": "failed"}, set()),
    ],
)
def test_a_selector_compares_the_result_and_that_of_the_last_task(match: dict[str, str], fires: set[str]):
    selector = f"{{event: qa.delivery.finished, selector: {{match: {match}}}}}"
    shipyard = read_shipyard(SHIPYARD.replace("{event: qa.delivery.finished}", selector))

    results = ("pass", "warning", "fail")
    assert {one for one in results if list(shipyard.chained("qa", "delivery", one, "evaluation"))} == fires
