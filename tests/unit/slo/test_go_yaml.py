"""Scalars in typed fields; the expected values are those of Keptn's own decoder."""

import pytest

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.slo import decode_slo


def decoded(member: str, text: str) -> object:
    [objective] = decode_slo(f"objectives:\n  - {member}: {text}\n").objectives
    return {"weight": objective.weight, "key_sli": objective.key_sli, "sli": objective.sli}[member]


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("0", 1),
        ("", 1),
        ("~", 1),
        ("0x1F", 31),
        ("-0x10", -16),
        ("0b101", 5),
        ("0o17", 15),
        ("017", 15),
        ("09", 9),
        ("1_000", 1000),
        ("1__0", 10),
        ("1e3", 1000),
        ("1.9", 1),
        ("-1.9", -1),
        ("0.5", 1),
        (".5e1", 5),
        ("5.", 5),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808.0", -(2**63)),
        ("-9223372036854775809", -(2**63)),
        ("-1e30", -(2**63)),
        ("-" + "9" * 300, -(2**63)),
        ("-.inf", -(2**63)),
        ("! 5", 5),
        ("!!int 5", 5),
        ("!!int '5'", 5),
        ("!!float 5", 5),
        ("!!float 1.5", 1),
        ("&a 5", 5),
    ],
)
def test_whole_numbers(text: str, weight: int) -> None:
    assert decoded("weight", text) == weight


@pytest.mark.parametrize(
    "text",
    [
        *("'2'", "true", "yes", "2022-01-01", "1:30", "0x", "_1", ".", "+", "[1]", "{a: 1}", "0xFFFFFFFFFFFFFFFFF"),
        *("1e400", ".inf", ".nan", "9223372036854775808", "1e19", "!!int abc", "!!int 1.5", "!!int true", "!!str 5"),
        *("!foo 5", "! '5'", "!!timestamp 5", "9" * 5000, "-" + "0" * 5000 + "x"),
    ],
)
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(InvalidFileError, match=r"^slo\.yaml:2:"):
        decoded("weight", text)


@pytest.mark.parametrize(
    "text", ["true", "True", "TRUE", "yes", "On", "y", "'yes'", '"ON"', "!!bool true", "!!str yes", "!foo on"]
)
def test_true(text: str) -> None:
    assert decoded("key_sli", text) is True


@pytest.mark.parametrize("text", ["false", "FALSE", "no", "Off", "n", "N", "~", "", "'off'", "!!bool false"])
def test_false(text: str) -> None:
    assert decoded("key_sli", text) is False


@pytest.mark.parametrize("text", ["'true'", "tRue", "yEs", "1", "0", "!!bool yes", "!!str true", "[]", "on off"])
def test_neither_true_nor_false(text: str) -> None:
    with pytest.raises(InvalidFileError, match=r"^slo\.yaml:2:"):
        decoded("key_sli", text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("75.50", "75.50"),
        ("yes", "yes"),
        ("0x10", "0x10"),
        ("2022-01-01", "2022-01-01"),
        ("~", ""),
        ("null", ""),
        ("'~'", "~"),
        ("!!str ~", "~"),
        ("!foo x", "x"),
    ],
)
def test_text_is_what_stands_there(text: str, name: str) -> None:
    assert decoded("sli", text) == name


@pytest.mark.parametrize("text", ["[a]", "{a: b}", "!!null x", "!!float x", "*nowhere"])
def test_what_is_no_text(text: str) -> None:
    with pytest.raises(InvalidFileError, match=r"^slo\.yaml:2:"):
        decoded("sli", text)


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("{<<: {sli: a, weight: 2}, weight: 3}", [3]),
        ("{weight: 3, <<: {sli: a, weight: 2}}", [3]),
        ("{<<: [{weight: 4}, {weight: 5, sli: a}]}", [4]),
        ("{<<: {<<: {weight: 6}, sli: a}}", [6]),
        ("{!!merge <<: {weight: 7}}", [7]),
        ("{'<<': {weight: 7}}", [1]),
    ],
)
def test_merged_members_never_replace_own_or_earlier_ones(text: str, weights: list[int]) -> None:
    assert [one.weight for one in decode_slo(f"objectives: [{text}]").objectives] == weights


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{<<: 5}", "slo.yaml:1:19: `<<` wants a mapping or a list of mappings"),
        ("{<<: [5]}", "slo.yaml:1:20: `<<` wants a mapping or a list of mappings"),
        ("{<<: null}", "slo.yaml:1:19: `<<` wants a mapping or a list of mappings"),
        ("{sli: a, 'sli': b}", "slo.yaml:1:23: 'sli' is already there, in line 1"),
        ("{[a]: b}", "slo.yaml:1:15: a name must be text"),
        ("{!!null x: b}", "slo.yaml:1:15: 'x' is no !!null"),
        ("5", "slo.yaml:1:14: an objective wants a mapping, not the text '5'"),
        ("[]", "slo.yaml:1:14: an objective wants a mapping, not a list"),
    ],
)
def test_mappings_that_are_none(text: str, problem: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        decode_slo(f"objectives: [{text}]")
    assert str(caught.value) == problem


def test_a_null_name_is_no_name() -> None:
    assert [one.sli for one in decode_slo("objectives: [{~: b, sli: a}]").objectives] == ["a"]


def test_filters_become_text() -> None:
    assert decode_slo("filter: {a: 5, b: null, c: on, 7: x}").filter == {"a": "5", "b": "", "c": "on", "7": "x"}
