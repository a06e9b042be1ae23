"""Words of another system, made fit for a message."""

_ROOM = 8
"""How much longer than its bound a text may be before it is looked at: blanks and control characters go."""


def printable(text: str, most: int) -> str:
    """The text on one line of at most so many characters, without any that a terminal or a browser would act on."""
    seen = (char if char.isprintable() else " " for char in text[: _ROOM * most])
    line = " ".join("".join(seen).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
