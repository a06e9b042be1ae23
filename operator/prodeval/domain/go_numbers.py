"""Numbers as Go reads and prints them; verdicts depend on both.

Source: Go's strconv.ParseFloat, fmt's %v, and the order in which Go adds.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import reduce
from math import isfinite, isinf, isnan
from operator import add

_DIGITS = r"[0-9](?:_?[0-9])*"
_DECIMAL = re.compile(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?")
_HEX_DIGITS = r"[0-9a-fA-F](?:_?[0-9a-fA-F])*"
_HEX = re.compile(
    rf"[+-]?0[xX](?:_?{_HEX_DIGITS}\.?(?:{_HEX_DIGITS})?|\.{_HEX_DIGITS})[pP][+-]?{_DIGITS}",
)
_FIRST_PLAIN, _FIRST_LARGE = -4, 6
"""The exponents of ten between which `%v` prints no exponent."""

_SPECIAL = re.compile(r"[+-]?(?:inf|infinity)|nan", re.IGNORECASE | re.ASCII)


def parse_float(text: str) -> float:
    """Read a number as Go does: no spaces, no other digits than 0 to 9, hexadecimal with `p`, `inf` and `nan`.

    Raises:
        ValueError: the text is no number for Go, or beyond its range.
    """
    if _SPECIAL.fullmatch(text):
        return float(text)
    if _DECIMAL.fullmatch(text):
        value = float(text)
    elif _HEX.fullmatch(text):
        value = _parse_hex(text)
    else:
        raise ValueError(f"{text!r} is no number")
    if isinf(value):
        raise ValueError(f"{text!r} is beyond the range of numbers")
    return value


def _parse_hex(text: str) -> float:
    try:
        return float.fromhex(text.replace("_", ""))
    except OverflowError as error:
        raise ValueError(f"{text!r} is beyond the range of numbers") from error


def format_float(value: float) -> str:
    """Print a number as Go's `%v` does: the shortest digits, with an exponent below 1e-4 and from 1e6 up."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    shortest = Decimal(repr(value)).normalize()
    exponent = shortest.adjusted() if value else 0
    if _FIRST_PLAIN <= exponent < _FIRST_LARGE:
        return f"{shortest:f}"
    digits = "".join(str(digit) for digit in shortest.as_tuple().digits)
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{'-' if value < 0 else ''}{digits[0]}{fraction}e{exponent:+03d}"


def format_positional(value: float) -> str:
    """Print a number with its shortest digits and never an exponent, as Go's FormatFloat(value, 'f', -1, 64)."""
    return f"{Decimal(repr(value)).normalize():f}" if isfinite(value) else format_float(value)


def total(values: Iterable[float]) -> float:
    """The sum from left to right; the built-in one compensates rounding since Python 3.12, Go does not."""
    return reduce(add, values, 0.0)
