"""Numbers as Go reads and prints them; the expected texts are Go's own output."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodeval.domain.go_numbers import format_float, format_positional, parse_float, total

ANY_FLOAT = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".5", 0.5),
        ("5.", 5.0),
        ("+5", 5.0),
        ("1e3", 1000.0),
        ("1E+3", 1000.0),
        ("1_000.5_0", 1000.5),
        ("0x1p4", 16.0),
        ("0X_1.8P-1", 0.75),
        ("0x1.fffffffffffff7p1023", 1.7976931348623157e308),
        ("1e-400", 0.0),
        ("0.1e1_0", 1e9),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("-Inf", -math.inf),
        ("INFINITY", math.inf),
    ],
)
def test_what_go_reads(text: str, value: float) -> None:
    assert parse_float(text) == value


def test_go_reads_nan_without_a_sign_only() -> None:
    assert math.isnan(parse_float("nAn"))
    with pytest.raises(ValueError, match="no number"):
        parse_float("-nan")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "+",
        "0x10",
        "0x",
        "1,5",
        "10ms",
        " 1",
        "1 ",
        "1\n",
        "٣",
        "1__0",
        "_1",
        "1_",
        "1_.5",
        "1e",
        "1e_5",
        "infx",
        "0b1",
    ],
)
def test_what_go_does_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        parse_float(text)


@pytest.mark.parametrize("text", ["1e999", "-1e999", "0x1p1024", "0x1.fffffffffffff8p1023"])
def test_what_is_out_of_range_for_go(text: str) -> None:
    with pytest.raises(ValueError, match="beyond the range"):
        parse_float(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (75.0, "75"),
        (-0.0, "-0"),
        (0.0, "0"),
        (100 * (2 / 3), "66.66666666666666"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (9.999999999999999e-05, "9.999999999999999e-05"),
        (999999.0, "999999"),
        (1000000.0, "1e+06"),
        (-1234567.5, "-1.2345675e+06"),
        (1e21, "1e+21"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_what_go_prints(value: float, text: str) -> None:
    assert format_float(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1649255779.667, "1649255779.667"),
        (1600000000.0, "1600000000"),
        (1e21, "1" + "0" * 21),
        (1e-7, "0.0000001"),
        (math.inf, "+Inf"),
    ],
)
def test_what_go_prints_without_an_exponent(value: float, text: str) -> None:
    assert format_positional(value) == text


@settings(deadline=None)
@given(ANY_FLOAT)
def test_every_number_survives_printing_and_reading(value: float) -> None:
    assert parse_float(format_float(value)) == value
    assert parse_float(format_positional(value)) == value


@settings(deadline=None)
@given(st.text(max_size=30))
def test_reading_raises_nothing_but_value_error(text: str) -> None:
    try:
        parse_float(text)
    except ValueError as error:
        assert str(error).startswith(repr(text))  # noqa: PT017  both outcomes are right


def test_sums_are_not_compensated() -> None:
    """The built-in sum gives 1.0 since Python 3.12; ten times 0.1 is less in Go."""
    assert total([0.1] * 10) == 0.9999999999999999
    assert total([]) == 0.0
