import pytest

from demo.keptn.approval import ApprovalService
from demo.keptn.events import Event, new_event


def decided(data: dict[str, object], task: str = "approval.triggered") -> list[Event]:
    sent: list[Event] = []
    ApprovalService(sent.append).handle(new_event(task, "x", "c", data))
    return sent


@pytest.mark.parametrize(
    ("result", "strategies", "decision"),
    [
        ("pass", {"pass": "automatic"}, "pass"),
        ("warning", {"warning": "automatic"}, "pass"),
        ("fail", {"pass": "automatic"}, "fail"),
        ("pass", {"pass": "manual"}, None),
        ("warning", {"pass": "automatic"}, None),
        ("", {"pass": "automatic", "warning": "automatic"}, None),
    ],
)
def test_the_result_before_it_decides(result: str, strategies: dict[str, str], decision: str | None):
    sent = decided({"result": result, "approval": strategies})

    assert [event.type.rpartition(".")[2] for event in sent] == ["started", "finished"][: 1 if decision is None else 2]
    assert decision is None or sent[1].text("result") == decision


def test_without_a_result_that_of_the_evaluation_decides():
    assert len(decided({"evaluation": {"result": "pass"}, "approval": {"pass": "automatic"}})) == 2


def test_other_tasks_are_left_alone():
    assert decided({"result": "pass"}, "je-test.triggered") == []
    assert decided({"result": "pass"}, "approval.started") == []
