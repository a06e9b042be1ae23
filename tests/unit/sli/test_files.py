"""sli.yaml, as yaml.v2 decodes it."""

import pytest

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.sli import decode_sli, merge_levels


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("", {}),
        ("# nothing\n", {}),
        ("---\n", {}),
        ("indicators: null\n", {}),
        ("spec_version: 1.0\nindicators: {a: x}\nextra: [1]\n", {"a": "x"}),
        (
            "indicators: {a: 5, b: true, c: 1.50, d: null, e: , f: '~'}\n",
            {"a": "5", "b": "true", "c": "1.50", "d": "", "e": "", "f": "~"},
        ),
        ("indicators:\n  a: x\n  a: y\n", {"a": "y"}),
        ("indicators: {a: x}\nindicators: {b: y}\n", {"a": "x", "b": "y"}),
        ("indicators: {a: x}\nindicators: ~\n", {}),
        ("indicators:\n  <<: {a: x, b: x}\n  a: y\n", {"a": "y", "b": "x"}),
        ("indicators:\n  a: y\n  <<: {a: x}\n", {"a": "x"}),
        ("indicators:\n  <<: [{a: x}, {a: y, b: y}]\n", {"a": "x", "b": "y"}),
        ("indicators:\n  '<<': x\n  !!merge <<: {a: x}\n", {"<<": "x", "a": "x"}),
        ("indicators:\n  a: |\n    sum(x)\n    / 2\n", {"a": "sum(x)\n/ 2\n"}),
    ],
)
def test_what_is_decoded(text: str, queries: dict[str, str]) -> None:
    assert decode_sli(text) == queries


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- a\n", "prometheus/sli.yaml:1:1"),
        ("indicators: [a]\n", "prometheus/sli.yaml:1:13"),
        ("indicators:\n  a: {x: 1}\n", "prometheus/sli.yaml:2:6"),
        ("indicators:\n  [a]: x\n", "prometheus/sli.yaml:2:3"),
        ("indicators:\n  <<: x\n", "prometheus/sli.yaml:2:7"),
        ("spec_version: [1]\n", "prometheus/sli.yaml:1:15"),
        ("indicators: [a\n", "prometheus/sli.yaml:2:1"),
    ],
)
def test_what_is_refused_names_its_place(text: str, place: str) -> None:
    with pytest.raises(InvalidFileError, match=f"^{place}: "):
        decode_sli(text)


def test_a_later_level_wins_per_indicator() -> None:
    levels = ("indicators: {a: p, b: p}", None, "indicators: {b: s}")
    assert merge_levels(levels) == {"a": "p", "b": "s"}


def test_no_file_at_all_is_fine() -> None:
    assert merge_levels((None, None, None)) == {}


def test_a_file_without_indicators_is_refused_unless_an_earlier_level_has_some() -> None:
    assert merge_levels(("indicators: {a: p}", "", None)) == {"a": "p"}
    with pytest.raises(
        InvalidFileError, match=r"^prometheus/sli.yaml of the project: missing required field: indicators$"
    ):
        merge_levels(("spec_version: 1", "indicators: {a: p}", None))
