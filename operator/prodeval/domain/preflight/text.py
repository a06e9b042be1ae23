"""Bytes of a file as the text that Go's decoders see."""

from prodeval.domain.errors import InvalidFileError


def decode(content: bytes, path: str) -> str:
    """Decode UTF-8; raises InvalidFileError with the line of what is none."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise InvalidFileError("this is no UTF-8", path=path, line=line, column=column) from error
