"""Checks of sli.yaml files."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.preflight import findings
from prodeval.domain.preflight.findings import Finding, Place, from_error
from prodeval.domain.preflight.inputs import Files
from prodeval.domain.preflight.text import decode
from prodeval.domain.sli import DEFAULT_INDICATORS, decode_sli

_UNTIL_THEN = "until then the provider answers each evaluation with an error"


def is_sli(path: str) -> bool:
    """Whether a path is that of a provider's sli.yaml."""
    return fnmatchcase(path, "?*/sli.yaml") and path.count("/") == 1


def check_sli(content: bytes, path: str) -> Iterator[Finding]:
    """Find what is wrong with an sli.yaml by itself."""
    try:
        queries = decode_sli(decode(content, path), path=path)
    except InvalidFileError as error:
        yield from_error(findings.SLI_UNDECODABLE, error, f"correct it there; {_UNTIL_THEN}")
        return
    if not queries:
        message = "it names no indicator below `indicators`"
        yield findings.SLI_UNDECODABLE.at(Place(path, 1, 1), message, f"name one, or delete the file; {_UNTIL_THEN}")


def check_sli_files(files: Files) -> Iterator[Finding]:
    """Check the sli.yaml files of all levels; one without indicators is fine below a level that has some."""
    named = False
    for level in reversed(files.levels):
        for path, content in level.files.items():
            if is_sli(path):
                queries = _queries(content)
                named = named or bool(queries)
                if not named or queries is None:
                    yield from check_sli(content, level.prefix + path)


def sli_contents(files: Files) -> list[bytes]:
    """The sli.yaml files of all levels."""
    return [content for level in files.levels for path, content in level.files.items() if is_sli(path)]


def known_indicators(contents: Iterable[bytes]) -> frozenset[str] | None:
    """The indicators that some sli.yaml defines, or that need no definition; None if one cannot be read."""
    queries = [_queries(content) for content in contents]
    if None in queries:
        return None
    defined = {name for each in queries if each for name, query in each.items() if query}
    return DEFAULT_INDICATORS | defined


def _queries(content: bytes) -> Mapping[str, str] | None:
    try:
        return decode_sli(decode(content, ""))
    except InvalidFileError:
        return None
