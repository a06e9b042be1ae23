import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodeval.domain.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is: ü € 日本", "as it is: ü € 日本"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]0;no end", "0;no end"),
        ("a\x00b\x07c", "abc"),
        ("abc\u202edef\u2066", "abcdef"),
        ("two\nlines\r\n", "two lines  "),
        ("no\u00a0break\u2028here", "no break here"),
        ("half \ud83d of a pair", "half \ufffd of a pair"),
    ],
)
def test_only_what_can_be_seen_is_kept(text, shown):
    assert printable(text) == shown


def test_lines_are_kept_where_they_are_wanted():
    assert printable("one\r\ntwo\x1b[2K\nthree\n", lines=True) == "one\ntwo\nthree\n"


@given(st.text())
def test_the_result_is_printable_utf8_and_stays(text):
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    shown.encode()
    assert all(line.isprintable() for line in printable(text, lines=True).split("\n"))
