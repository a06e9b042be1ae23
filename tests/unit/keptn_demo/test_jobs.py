import pytest

from demo.keptn.events import new_event
from demo.keptn.jobs import action_for, read_actions

ACTIONS = """
apiVersion: v2
actions:
  - name: canary
    events:
      - name: je-.*.triggered
        jsonpath: {property: $.data.kind, match: canary}
  - name: any
    events: [{name: test}]
    tasks: [{name: t, cmd: [a], args: [b, 1], files: [/x/], maxPollDuration: 7}]
"""


@pytest.mark.parametrize(("kind", "action"), [("canary", "canary"), ("other", "any")])
def test_the_first_action_whose_name_and_property_match(kind: str, action: str):
    found = action_for(new_event("je-test.triggered", "x", "c", {"kind": kind}), read_actions(ACTIONS))

    assert found is not None
    assert found.name == action


def test_what_a_job_says():
    (job,) = read_actions(ACTIONS)[1].jobs

    assert (job.command, job.files, job.timeout) == (("a", "b", "1"), ("x",), 7)


def test_no_action():
    assert action_for(new_event("rollback.triggered", "x", "c", {}), read_actions(ACTIONS)) is None
