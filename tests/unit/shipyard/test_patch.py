"""What the patch does to a shipyard, wish by wish."""

import difflib

import pytest

from prodeval.domain.errors import InvalidSpecError, ShipyardRefusedError
from prodeval.domain.resource import OnFail
from prodeval.domain.shipyard import Edit, Gate, apply_edits, patch, read_shipyard, tasks, triggering_stage, undo_edits
from prodeval.domain.shipyard.changes import wanted_changes
from prodeval.domain.shipyard.patch import _prove
from tests.unit.shipyard.test_corpus import before

HEAD = """\
apiVersion: spec.keptn.sh/0.2.3
kind: Shipyard
spec:
  stages:
    - name: production
      sequences:
        - name: delivery
          triggeredOn:
            - event: qa.delivery.finished
          tasks:
            - name: je-deployment
"""
TASKS = "          tasks:\n            - name: je-deployment\n"
EVALUATION = HEAD + "            - name: evaluation\n"
TIMED = EVALUATION + "              properties:\n                timeframe: 5m\n"
GATE = Gate("production")
LIVE = Gate("production", load="LiveTraffic")


def added(text: str, gate: Gate = GATE) -> list[str]:
    """The lines that a patch adds; it must take none away."""
    lines = list(difflib.ndiff(text.splitlines(), patch(text, gate).text.splitlines()))
    assert not [line for line in lines if line.startswith("- ")]
    return [line[2:].strip() for line in lines if line.startswith("+ ")]


def replaced(text: str, gate: Gate) -> list[tuple[str, str]]:
    return [(edit.old, edit.new) for edit in patch(text, gate).edits]


def test_the_tutorials_shipyard_gets_its_four_lines_and_nothing_else():
    step_3 = before("tutorial.yaml")

    assert patch(step_3, GATE).text == step_3 + (
        '            - name: "je-test"\n'
        '            - name: "evaluation"\n'
        "              properties:\n"
        '                timeframe: "2m"\n'
    )


def test_comments_and_odd_spacing_change_nothing_about_the_four_lines():
    assert added(before("odd-spacing.yaml")) == [
        '-    name: "je-test"',
        '-    name: "evaluation"',
        "properties:",
        'timeframe: "2m"',
    ]


def test_a_test_task_behind_the_anchor_is_adopted_wherever_it_stands():
    text = HEAD + "            - name: warm-up\n            - name: je-test\n            - name: notify\n"

    assert added(text) == ["- name: evaluation", "properties:", "timeframe: 2m"]
    assert [task.name for task in tasks(patch(text, GATE).text, "production", "delivery")] == [
        "je-deployment",
        "warm-up",
        "je-test",
        "evaluation",
        "notify",
    ]


def test_the_test_task_goes_in_front_of_an_adopted_evaluation():
    assert added(TIMED) == ["- name: je-test"]


def test_a_task_in_front_of_the_anchor_is_not_adopted():
    text = HEAD.replace(
        "            - name: je-deployment", "            - name: je-test\n            - name: je-deployment"
    )

    assert "- name: je-test" in added(text)


def test_tasks_go_behind_the_last_of_several_deployments():
    text = TIMED + "            - name: je-deployment\n"

    assert patch(text, GATE).text.startswith(text)


def test_an_adopted_timeframe_is_kept_unless_the_spec_sets_one():
    assert patch(TIMED, GATE).timeframe == "5m"
    assert replaced(TIMED, Gate("production", load="LiveTraffic", load_is_explicit=False, timeframe="3m"))[0] == (
        "5m",
        "3m",
    )


@pytest.mark.parametrize("present", ["9" * 30 + "h", "9" * 5000 + "h", "1.5m", "2d"])
def test_a_timeframe_that_is_no_duration_of_ours_is_replaced_when_the_spec_sets_one(present: str):
    assert (present, "3m") in replaced(TIMED.replace("5m", present), Gate("production", timeframe="3m"))


def test_an_equal_timeframe_in_other_words_is_left_alone():
    assert replaced(TIMED, Gate("production", timeframe="300s"))[-1][0] == ""


def test_an_adopted_evaluation_without_timeframe_gets_one_since_it_would_be_errored():
    assert added(EVALUATION) == ["- name: je-test", "properties:", "timeframe: 2m"]


def test_behind_a_task_named_test_an_evaluation_needs_no_timeframe():
    text = HEAD + "            - name: test\n            - name: evaluation\n"
    patched = patch(text, Gate("production", test_task="test"))

    assert patched.edits == ()
    assert patched.timeframe is None


def test_a_timeframe_that_is_a_number_is_replaced_when_the_spec_sets_one():
    text = TIMED.replace("5m", "120")

    assert ("120", "2m") in replaced(text, Gate("production", timeframe="2m"))
    assert added(text) == ["- name: je-test"]


def test_a_timeframe_from_an_alias_is_replaced_where_it_stands():
    text = TIMED.replace("5m", "*f").replace("kind:", "spare: &f 5m\nkind:")

    assert ("*f", "3m") in replaced(text, Gate("production", timeframe="3m"))
    assert patch(text, GATE).timeframe == "5m"


def test_a_comment_that_ends_the_text_without_a_line_break_stays_the_last_line():
    assert patch(HEAD + "              # the end", GATE).text.endswith("timeframe: 2m\n              # the end")


def test_an_oddly_closed_flow_mapping_is_continued_by_its_first_entry():
    text = HEAD.replace(TASKS, "          tasks: [{\n              name: je-deployment}]\n")

    assert patch(text, GATE).text.endswith(
        "          tasks: [{\n              name: je-deployment}, {\n              name: je-test\n            }, {\n"
        "              name: evaluation,\n              properties: {\n                timeframe: 2m\n              }\n"
        "            }]\n"
    )


@pytest.mark.parametrize(
    ("entry", "extended"),
    [
        ("{name: evaluation}", "{name: evaluation, properties: {timeframe: 2m}}"),
        ("{name: evaluation,}", "{name: evaluation, properties: {timeframe: 2m},}"),
        ("{ name: evaluation }", "{ name: evaluation, properties: { timeframe: 2m } }"),
        ("{name: evaluation, properties: {}}", "{name: evaluation, properties: {timeframe: 2m}}"),
        ("{name: evaluation, properties: {a: b,}}", "{name: evaluation, properties: {a: b, timeframe: 2m,}}"),
        ("{name: evaluation, properties: null}", "{name: evaluation, properties: {timeframe: 2m}}"),
        ("{name: evaluation, properties: }", "{name: evaluation, properties: {timeframe: 2m}}"),
        ("{name: evaluation, properties: *n }", "{name: evaluation, properties: {timeframe: 2m} }"),
        ('{"name":"evaluation"}', '{"name":"evaluation","properties":{"timeframe":"2m"}}'),
    ],
)
def test_a_flow_mapping_is_extended_in_its_own_style(entry: str, extended: str):
    head = HEAD.replace("  stages", "  spare: &n ~\n  stages")
    text = head + f"            - name: je-test\n            - {entry}\n"

    assert patch(text, GATE).text.endswith(f"            - {extended}\n")


def test_live_traffic_adds_no_test_and_delays_the_evaluation_by_its_timeframe():
    assert added(HEAD, Gate("production", load="LiveTraffic", timeframe="5m")) == [
        "- name: evaluation",
        "triggeredAfter: 5m",
        "properties:",
        "timeframe: 5m",
    ]
    assert not patch(HEAD, LIVE).adds_test_task


def test_an_adopted_evaluation_is_delayed_by_its_own_timeframe():
    assert added(TIMED, LIVE) == ["triggeredAfter: 5m"]


def test_a_delay_of_somebody_else_is_changed_only_if_the_spec_says_live_traffic():
    text = TIMED.replace("              properties", "              triggeredAfter: 30s\n              properties")

    assert patch(text, LIVE).edits == ()
    explicit = Gate("production", load="LiveTraffic", load_is_explicit=True)
    assert replaced(text, explicit) == [("30s", "5m")]


def test_behind_a_load_test_of_somebody_else_the_evaluation_is_not_delayed_by_default():
    text = TIMED.replace(
        "            - name: evaluation", "            - name: je-test\n            - name: evaluation"
    )

    assert patch(text, LIVE).edits == ()


def test_on_fail_adds_a_sequence_that_a_declined_approval_does_not_start():
    gate = Gate("production", on_fail=OnFail("rollback", ("rollback", "notify")))

    assert patch(HEAD, gate).text.endswith(
        """\
        - name: rollback
          triggeredOn:
            - event: production.delivery.finished
              selector:
                match:
                  evaluation.result: fail
          tasks:
            - name: rollback
            - name: notify
"""
    )


def test_a_sequence_for_failures_that_is_there_gets_what_it_lacks():
    text = HEAD + "        - name: rollback\n          tasks:\n            - name: rollback\n"
    gate = Gate("production", on_fail=OnFail("rollback", ("rollback", "notify")))

    assert "- name: notify" in added(text, gate)
    assert "evaluation.result: fail" in added(text, gate)
    assert "- name: rollback" not in added(text, gate)


def test_stages_are_patched_one_after_another_in_any_order_with_the_same_result():
    text = before("tutorial.yaml").replace('            - name: "je-test"\n', "", 1)
    qa, production = Gate("qa"), GATE

    assert patch(patch(text, qa).text, production).text == patch(patch(text, production).text, qa).text


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        (Gate("live"), "production"),
        (Gate("production", sequence="deliver"), "delivery"),
        (Gate("production", after_task="deployment"), "je-deployment"),
    ],
)
def test_what_is_absent_is_named_together_with_what_is_there(gate: Gate, told: str):
    with pytest.raises(InvalidSpecError, match=told):
        patch(HEAD, gate)


@pytest.mark.parametrize(
    "gate",
    [
        Gate("production", after_task="evaluation"),
        Gate("production", after_task="je-test"),
        Gate("production", test_task="evaluation"),
        Gate("production", on_fail=OnFail("delivery", ("rollback",))),
    ],
)
def test_names_with_which_a_patch_would_never_come_to_an_end_are_refused(gate: Gate):
    with pytest.raises(InvalidSpecError, match=r"spec\.shipyard"):
        patch(TIMED, gate)


REFUSED = {
    "two stages": (HEAD + "    - name: production\n", 12, "a second stage"),
    "two sequences": (HEAD + "        - name: delivery\n", 12, "a second sequence"),
    "two keys": (HEAD + "          tasks: []\n", 12, "stands here twice"),
    "two keys elsewhere": (HEAD.replace("kind:", "kind: a\nkind:"), 3, "stands here twice"),
    "two documents": (HEAD + "---\n" + HEAD, 12, "a second document"),
    "an aliased list": (
        HEAD.replace("  stages", "  spare: &t [{name: je-deployment}]\n  stages").replace(
            TASKS, "          tasks: *t\n"
        ),
        11,
        "come from an alias",
    ),
    "a template": (HEAD.replace("je-deployment", "{{ .Values.task }}"), 11, "render"),
    "a template's line": (HEAD + "{{- if .Values.x }}\n", 12, "render the template first"),
    "a template's name": (HEAD.replace("name: production", "name: ${STAGE}"), 5, "lower-case"),
    "an old version": (HEAD.replace("0.2.3", "0.1.7"), 1, "apiVersion"),
    "a pre-release": (HEAD.replace("0.2.3", "0.2.3-rc1"), 1, "apiVersion"),
    "no version": (HEAD.replace("apiVersion", "version"), 1, "apiVersion"),
    "no stage": ("apiVersion: spec.keptn.sh/0.2.3\nspec:\n  stages: []\n", 3, "no stage"),
    "no spec": ("apiVersion: spec.keptn.sh/0.2.3\n", 1, "no stage"),
    "a stage's name": (HEAD.replace("name: production", "name: Production"), 5, "lower-case"),
    "a stage without name": (HEAD.replace("name: production", "title: production"), 5, "lower-case"),
    "stages as a mapping": ("apiVersion: 0.2.3\nspec:\n  stages: {a: b}\n", 3, "no list"),
    "a task as text": (HEAD.replace("- name: je-deployment", "- je-deployment"), 11, "no mapping"),
    "nothing": ("", 1, "no document"),
    "a list": ("- a\n", 1, "no mapping"),
    "no YAML": (HEAD + "\t- x: [\n", 12, "not YAML"),
    "an unknown alias": (HEAD + "            - *x\n", 12, "names no complete anchor"),
    "a merged list": (HEAD.replace(TASKS, "          <<: {tasks: [{name: je-deployment}]}\n"), 7, "merge"),
    "a merge of no mapping": (HEAD + "          <<: [x]\n", 12, "merges no mapping"),
    "a timeframe as a text block": (TIMED.replace(" 5m", " |\n                  5m"), 14, "cannot be replaced safely"),
    "a timeframe that is repeated": (
        TIMED.replace("5m", "&f 5m") + "            - {name: x, y: *f }\n",
        14,
        "replaced safely",
    ),
    "an evaluation without braces": (
        HEAD.replace(TASKS, "          tasks: [name: je-deployment, name: evaluation]\n"),
        10,
        "without braces",
    ),
    "a control character": (HEAD + "# \x01\n", 12, "not allowed"),
    "a surrogate": (HEAD + "# \ud800\n", 12, "surrogate"),
    "too much": (HEAD + "# x\n" * 200_000, 131_023, "larger"),
    "too many nodes": (HEAD + "            - {}\n" * 30_000, 19_985, "too many"),
    "a stage's name as a mapping": (HEAD.replace("name: production", "name: {a: b}"), 5, "is no text"),
    "a text block's end": (
        HEAD + "              properties:\n                x: |\n                  y",
        13,
        "line break",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_names_the_line_and_the_reason(case: str):
    text, line, problem = REFUSED[case]

    with pytest.raises(ShipyardRefusedError, match=problem) as refusal:
        patch(text, Gate("production", timeframe="3m"))

    assert refusal.value.line == line
    assert refusal.value.column > 0


def test_a_list_that_another_stage_repeats_is_refused_since_both_would_change():
    text = (
        HEAD.replace("tasks:", "tasks: &t")
        + "    - name: qa\n      sequences:\n        - name: delivery\n          tasks: *t\n"
    )

    with pytest.raises(ShipyardRefusedError, match="repeats this elsewhere"):
        patch(text, GATE)


def test_duplicates_in_another_stage_are_nobodys_business():
    assert patch(HEAD + "    - name: qa\n    - name: qa\n", GATE).edits


def test_a_shipyard_that_repeats_its_aliases_without_end_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    with pytest.raises(ShipyardRefusedError, match="repeat too much"):
        patch(HEAD + "\n".join(lines), GATE)


def test_a_byte_order_mark_does_not_move_a_place():
    with pytest.raises(ShipyardRefusedError) as refusal:
        patch("\ufeffapiVersion: 0.1.0\n", GATE)

    assert (refusal.value.line, refusal.value.column) == (1, 13)


def test_the_triggering_stage_is_the_one_whose_sequence_starts_this_one():
    assert triggering_stage(before("tutorial.yaml"), "production", "delivery") == "qa"
    assert triggering_stage(before("tutorial.yaml"), "qa", "delivery") is None


def test_edits_are_made_and_undone_in_order():
    edits = (Edit(0, "", "<"), Edit(1, "b", "BB"), Edit(3, "", ">"), Edit(3, "", "!"))

    assert apply_edits("abc", edits) == "<aBBc>!"
    assert undo_edits("<aBBc>!", edits) == "abc"


def test_a_patch_that_does_not_mean_what_it_should_is_refused_whatever_the_reason():
    shipyard = read_shipyard(HEAD)
    changes = wanted_changes(shipyard, GATE).changes

    for wrong in (HEAD, HEAD + "            - name: je-test\n", HEAD + "["):
        with pytest.raises(ShipyardRefusedError, match=r":7:11: its style cannot be patched safely"):
            _prove(wrong, shipyard, changes, GATE)
    _prove(patch(HEAD, GATE).text, shipyard, changes, GATE)
