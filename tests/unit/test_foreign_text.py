import pytest

from prodeval.domain.printable import bounded_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("stage not found", "stage not found"),
        ("a\r\n\tb", "a b"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("pass\u202efail", "passfail"),
        ("a\x00b\x7fc\x9bd", "abc"),
        ("a\u2028b\u200bc\ufeffd\ud800e", "a bcd\N{REPLACEMENT CHARACTER}e"),
        ("Grüße 你好 🙂", "Grüße 你好 🙂"),
        (" \n ", ""),
        ("x" * 21, "x" * 19 + "…"),
        ("x" * 10**6, "x" * 19 + "…"),
    ],
)
def test_only_what_can_be_printed_is_left_on_one_bounded_line(text, shown):
    assert bounded_line(text, 20) == shown
