"""Text from outside, made fit to be shown: nothing in it moves a cursor, turns text around or breaks a line unasked."""

import re
import unicodedata

_TERMINAL_CODE = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # a title or a link, if it ends
    r"|[\x1b\x9b]\[?[0-9;?]*[ -/]*[@-~]"
)
_ROOM = 8
"""How much longer than its bound a text may be before it is looked at: blanks and control characters go."""
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def printable(text: str, *, lines: bool = False) -> str:
    """The text without terminal codes and invisible characters; blanks of any kind become spaces.

    `lines` keeps line breaks, as a line feed. What is no character at all, such as half of a surrogate pair,
    becomes U+FFFD: UTF-8 cannot hold it, and the API server would refuse the whole object.
    """
    if text.isprintable():
        return text
    if lines:
        return "\n".join(_printable(line) for line in text.replace("\r\n", "\n").split("\n"))
    return _printable(text)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(map(_shown, _TERMINAL_CODE.sub("", text)))


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    if char.isspace():
        return " "
    # Cc and Cf are controls: ESC, NUL, U+202E. The others stand for nothing that we know of.
    return "" if unicodedata.category(char) in ("Cc", "Cf") else _REPLACEMENT


def bounded_line(text: str, most: int) -> str:
    """Words of another system on one line of at most so many characters."""
    line = " ".join(printable(text[: _ROOM * most]).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
