"""Locust's files: the configuration, and whether a locust file is Python at all."""

import ast
import re

from prodeval.domain.errors import InvalidFileError

MAX_PYTHON = 128 * 1024
"""Characters of a locust file that are looked at; the parser's memory grows with them."""

_LINE = re.compile(r"(?P<key>[^:=;#\s]+)(?:\s*[:=\s]\s*(?P<value>.*))?")
_COMMENT = re.compile(r"\s[;#].*")
_SPAN = re.compile(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")


def read_locust_conf(text: str, *, path: str) -> dict[str, tuple[str, int]]:
    """The settings of a locust.conf with their lines, from 1; later ones win.

    Source: ConfigArgParse's default format, `key = value`, `key: value` or `key value`, comments behind `#` or `;`.
    Raises InvalidFileError for a line that is none of these.
    """
    settings: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;[" or stripped.startswith("---"):
            continue
        found = _LINE.fullmatch(_COMMENT.sub("", stripped))
        if not found:
            raise InvalidFileError(f"{stripped[:40]!r} is no setting", path=path, line=number, column=1)
        settings[found["key"].removeprefix("--")] = ((found["value"] or "").strip().strip("\"'"), number)
    return settings


def parse_time_span(text: str) -> int | None:
    """Seconds of locust's `120`, `90s`, `2m` or `1h30m`; None if it is none of these."""
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    found = _SPAN.fullmatch(text)
    if not text or not found:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def check_python(text: str, *, path: str) -> None:
    """Raise InvalidFileError if a text is no Python; it is parsed only, never compiled or run."""
    if len(text) > MAX_PYTHON:
        return
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise InvalidFileError(error.msg, path=path, line=error.lineno or 1, column=error.offset or 1) from error
    except (ValueError, MemoryError, RecursionError) as error:
        raise InvalidFileError("Python cannot parse it", path=path, line=1, column=1) from error
