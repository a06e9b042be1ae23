"""A status is always one that the API server takes, and the table of bounds is that of the CRD."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodeval.domain.masking import Mask
from prodeval.domain.status_bounds import STATUS, Choice, Fields, Flag, Listing, Text, Time, Whole, echo, fit
from tests.unit.status.crd_status import problems, status_schema

NOW = "2026-01-01T00:00:00Z"


def as_is(text):
    return text


def bound(schema):
    """The table's row for a place of the CRD; a keyword that the table knows nothing of fails here."""
    rest = {name: value for name, value in schema.items() if name not in ("type", "description", "default")}
    return KINDS[schema["type"]](**{name.replace("-", "_"): value for name, value in rest.items()})


def fields(properties, required=()):
    return Fields({name: bound(child) for name, child in properties.items()}, frozenset(required))


def items(maxItems, items, x_kubernetes_list_type, x_kubernetes_list_map_keys=("",)):  # noqa: N803 - the CRD's names
    assert x_kubernetes_list_type in ("atomic", "map")
    (key,) = x_kubernetes_list_map_keys
    return Listing(maxItems, bound(items), key=key)


def text(maxLength=None, minLength=0, enum=None, format=None):  # noqa: N803, A002 - the CRD's names
    if enum:
        return Choice(tuple(enum))
    if format:
        assert format == "date-time"
        return Time()
    return Text(maxLength, minLength)


def whole(minimum=None, format="int64"):  # noqa: A002 - the CRD's names
    assert format == "int64"
    return Whole(minimum)


KINDS = {"object": fields, "array": items, "string": text, "integer": whole, "boolean": Flag}


def test_the_table_of_bounds_is_that_of_the_crd():
    assert bound(status_schema()) == STATUS


def condition(**fields):
    return {"type": "Ready", "status": "True", "reason": "Synced", "message": "", "lastTransitionTime": NOW} | fields


def objective(**fields):
    return {"lastEvaluation": {"objectives": [{"sli": "p95", "status": "Pass"} | fields]}}


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"observedGeneration": -1},
        {"verdict": "Pass", "conditions": [condition(message="two\nlines"), condition(type="Synced")]},
        objective(displayName="Antwortzeit für 95 %", weight=1, keySLI=True),
        {"ofANewerCRD": {"any": ["thing", "x" * 5000]}},
    ],
)
def test_a_status_that_fits_stays_as_it_is(status):
    assert fit(status, as_is) == status


def test_a_version_label_of_300_characters_is_cut():
    fitted = fit({"lastEvaluation": {"version": "v" * 300}, "pending": {"version": "v" * 300}}, as_is)
    assert fitted == {"lastEvaluation": {"version": "v" * 255 + "…"}, "pending": {"version": "v" * 127 + "…"}}


def test_a_long_display_name_is_cut_by_characters_not_by_bytes():
    assert fit(objective(displayName="ü" * 256), as_is) == objective(displayName="ü" * 256)
    assert fit(objective(displayName="ü" * 257), as_is) == objective(displayName="ü" * 255 + "…")


def test_of_too_many_files_those_that_decide_the_gate_are_kept():
    names = [f"locust/data/{number:03}.csv" for number in range(300)] + ["prometheus/sli.yaml", "slo.yaml"]
    fitted = fit({"sync": {"files": [{"path": name} for name in names]}}, as_is)
    assert [file["path"] for file in fitted["sync"]["files"]] == names[:254] + names[-2:]


def test_what_controls_a_terminal_or_cannot_be_written_is_taken_out():
    fitted = fit({"conditions": [condition(message="\x1b[31mred\x00\n\u202eback \ud83d")]}, as_is)
    assert fitted == {"conditions": [condition(message="red\nback \ufffd")]}
    assert fit({"resolved": {"branch": "two\nlines"}}, as_is) == {"resolved": {"branch": "two lines"}}


@pytest.mark.parametrize("secret", ["the-token", "€-the-token"])
@pytest.mark.parametrize("before", ["", "x" * 1018, "x" * 65_530, "\x1b" * 65_530])
def test_no_part_of_a_secret_is_left_at_a_cut(before, secret):
    mask = Mask()
    mask.learn(secret)
    fitted = fit({"lastEvaluation": {"message": f"{before} {secret} {secret}"}}, mask.mask)
    assert "the" not in json.dumps(fitted)


def test_what_is_of_another_kind_is_left_out():
    status = {
        "verdict": "Perhaps",
        "observedGeneration": 10**30,
        "resolved": "no object",
        "sync": {"firstSyncTime": "yesterday", "lastPushTime": "2026-02-30T00:00:00Z", "files": {}, "plan": [None]},
        "lastEvaluation": {"score": 100, "objectives": [{"weight": 1.5, "keySLI": "yes"}]},
        "history": "none",
    }
    assert fit(status, as_is) == {"sync": {"plan": []}, "lastEvaluation": {"objectives": [{}]}}


def test_a_condition_without_a_time_is_none_and_other_gaps_are_filled():
    conditions = [{"type": "Ready"}, {"type": "Synced", "lastTransitionTime": NOW, "reason": "", "status": "Maybe"}]
    told = {"type": "Synced", "lastTransitionTime": NOW, "reason": "Unknown", "status": "Unknown", "message": ""}
    assert fit({"conditions": conditions}, as_is) == {"conditions": [told]}


def test_the_first_of_two_entries_with_one_key_is_kept():
    evidence = [{"check": "c" * 64, "status": "True"}, {"check": "c" * 64, "status": "False"}, {"check": "d" * 70}]
    fitted = fit({"lastEvaluation": {"evidence": evidence}}, as_is)
    assert [(one["check"][0], one["status"]) for one in fitted["lastEvaluation"]["evidence"]] == [
        ("c", "True"),
        ("d", "Unknown"),
    ]


@pytest.mark.parametrize("value", ["now", "n" * 300, "with\x1b[0m \u202econtrols", "the-token"])
def test_an_echo_can_be_compared_whatever_the_annotation_holds(value):
    mask = Mask()
    mask.learn("the-token")
    assert fit({"lastHandledReconcileAt": value}, mask.mask)["lastHandledReconcileAt"] == echo(value)
    assert fit({"lastHandledReconcileAt": echo(value)}, mask.mask)["lastHandledReconcileAt"] == echo(value)


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just([]) | st.just({})


def values(schema):
    """Anything at a place of the CRD, mostly of its kind and about as long as may be."""
    return st.one_of(*[_of_its_kind(schema)] * 4, ODD)


def _of_its_kind(schema):
    match schema["type"]:
        case "object":
            fields = {name: values(child) for name, child in schema.get("properties", {}).items()}
            return st.fixed_dictionaries({}, optional=fields)
        case "array":
            item = values(schema["items"])
            return st.builds(_repeated, st.lists(item, max_size=2), _sizes(schema["maxItems"]))
        case "string":
            long = st.builds(_repeated, st.text(min_size=1, max_size=3), _sizes(schema.get("maxLength", 20)))
            return st.text(max_size=40) | long | st.sampled_from(schema.get("enum", [NOW]))
        case "integer":
            return st.integers()
        case _:
            return st.booleans()


def _sizes(most):
    return st.sampled_from([0, 1, most - 1, most, most + 1, most + 2])


def _repeated(part, size):
    return (part * (size // len(part) + 1))[:size] if part else part


@settings(deadline=None)
@given(_of_its_kind(status_schema()))
def test_whatever_is_in_a_status_the_crd_takes_what_fit_makes_of_it(status):
    fitted = fit(status, as_is)
    assert list(problems(fitted, status_schema())) == []
    json.dumps(fitted, ensure_ascii=False, allow_nan=False).encode()
    assert fit(fitted, as_is) == fitted
