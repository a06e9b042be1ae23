import pytest

from demo.keptn.events import context_id, image_version, milliseconds, new_event, sequence_name, task_name, timestamp


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("my text", "6d792074-6578-4420-a020-202020202020"),
        ("64d15203-b3cb-4360-9f75-6eda51f998e6", "64d15203-b3cb-4360-9f75-6eda51f998e6"),
    ],
)
def test_a_context_is_made_of_any_text(text: str, context: str):
    assert context_id(text) == context


def test_a_context_is_made_up_if_there_is_none():
    assert context_id("") != context_id("")


@pytest.mark.parametrize(
    ("nanoseconds", "text", "short"),
    [
        (1795420952861813740, "2026-11-23T08:02:32.86181374Z", "2026-11-23T08:02:32.861Z"),
        (1795420952000000000, "2026-11-23T08:02:32Z", "2026-11-23T08:02:32.000Z"),
        (1795420952100000000, "2026-11-23T08:02:32.1Z", "2026-11-23T08:02:32.100Z"),
    ],
)
def test_times_lose_their_zeros_and_summaries_have_three_digits(nanoseconds: int, text: str, short: str):
    assert timestamp(nanoseconds) == text
    assert milliseconds(text) == short


@pytest.mark.parametrize(
    ("image", "labels", "version"),
    [
        ("ghcr.io/podtato-head/podtatoserver:v0.1.1", {}, "v0.1.1"),
        ("registry:5000/app", {"version": "v2"}, "v2"),
        ("app:v1", {"version": "v2"}, "v1"),
        ("", {}, ""),
    ],
)
def test_the_version_is_the_tag_else_the_label(image: str, labels: dict[str, str], version: str):
    assert image_version({"configurationChange": {"values": {"image": image}}, "labels": labels}) == version


def test_types_of_tasks_and_sequences_are_told_apart():
    assert task_name("sh.keptn.event.je-test.started") == "je-test"
    assert task_name("sh.keptn.event.qa.delivery.triggered") == ""
    assert sequence_name("sh.keptn.event.qa.delivery.triggered") == ("qa", "delivery")
    assert sequence_name("sh.keptn.event.je-test.started") == ("", "")
    assert task_name("other.je-test.started") == ""


def test_what_a_sender_does_not_set_is_absent():
    shown = new_event("x.triggered", "shipyard-controller", "c", {}).to_json()

    assert {"triggeredid", "gitcommitid", "contenttype"}.isdisjoint(shown)
