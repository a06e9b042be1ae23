"""Scalars that are written anew."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from prodeval.domain.shipyard.style import quoted

NAMES = st.from_regex(r"\A[A-Za-z0-9_-]{1,12}\Z") | st.from_regex(r"\A([0-9]{1,3}(h|m|s)){1,3}\Z")


@given(NAMES, st.sampled_from(["", "'", '"']))
def test_whatever_a_resource_may_name_is_read_back_as_that_string(name: str, quote: str):
    scalar = quoted(name, quote)

    assert yaml.safe_load(f"a: {scalar}\nb: {{c: {scalar}, d: [{scalar}]}}") == {
        "a": name,
        "b": {"c": name, "d": [name]},
    }


@pytest.mark.parametrize(
    ("text", "quote", "scalar"),
    [
        ("je-test", "", "je-test"),
        ("2m", "", "2m"),
        ("je-test", "'", "'je-test'"),
        ("je-test", '"', '"je-test"'),
        ("production.delivery.finished", "", "production.delivery.finished"),
        ("on", "", '"on"'),
        ("null", "", '"null"'),
        ("5", "", '"5"'),
        ("1e3", "", '"1e3"'),
        ("0x1f", "", '"0x1f"'),
        ("2026-01-01", "", '"2026-01-01"'),
        ("-", "", '"-"'),
        ("it's", "'", '"it\'s"'),
    ],
)
def test_quotes_are_the_neighbours_unless_the_string_would_be_taken_for_something_else(
    text: str, quote: str, scalar: str
):
    assert quoted(text, quote) == scalar
