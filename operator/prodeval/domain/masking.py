"""Secrets in text from outside, hidden in each form in which a server or a library could send them back."""

import base64
import string
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from prodeval.domain.printable import printable

MASKED = "***"
_SHORTEST = 6
"""Characters of a text that is hidden: a shorter one would hide half of all words."""
_MOST = 1000
_ARMOUR = "-----"
_HEX_DIGITS = frozenset(string.hexdigits.encode())
_BASE64 = frozenset((string.ascii_letters + string.digits + "+/-_=").encode())

Form: TypeAlias = tuple[bytes, bool]
"""What a secret can look like, and whether that is base64."""

Index: TypeAlias = Mapping[bytes, tuple[Form, ...]]
"""The forms of all secrets by their first bytes, so that the cost of a text does not grow with the secrets."""


class Mask:
    """Learns secrets, and hides them: in clear, percent-encoded, and in base64 at any place of what was encoded.

    Keeps the newest 1,000. Safe to use from many threads: a deque takes each addition as a whole, and everything else
    is made from what it holds at that moment.
    """

    def __init__(self) -> None:
        self._secrets: deque[str] = deque(maxlen=_MOST)
        self._indexed: tuple[Sequence[str], Index] = ((), {})

    def learn(self, *texts: str) -> None:
        """Hide these from now on; of a text of many lines, such as a private key, each line.

        Texts of less than 6 characters are passed over.
        """
        for text in texts:
            for line in text.splitlines():
                self._learn(line.strip())
                self._learn(printable(line).strip())  # as it stands in a text that was made printable

    def _learn(self, secret: str) -> None:
        if len(secret) >= _SHORTEST and not secret.startswith(_ARMOUR) and secret not in self._secrets:
            self._secrets.append(secret)

    def mask(self, text: str) -> str:
        """The text with `***` for each secret in it."""
        index = self._index()
        if not index or len(text) < _SHORTEST:
            return text
        data = text.encode("utf-8", "surrogatepass")
        spans = [span for reading in _readings(data) for span in _found(*reading, index)]
        return _without(data, sorted(spans)) if spans else text

    def _index(self) -> Index:
        known = tuple(self._secrets)
        secrets, index = self._indexed
        if secrets != known:
            index = _indexed(known)
            self._indexed = (known, index)
        return index


def _indexed(secrets: Sequence[str]) -> Index:
    index: dict[bytes, set[Form]] = {}
    for secret in secrets:
        for form in _forms(secret.encode("utf-8", "surrogatepass")):
            index.setdefault(form[0][:_SHORTEST], set()).add(form)
    return {start: tuple(sorted(forms, key=_length, reverse=True)) for start, forms in index.items()}


def _length(form: Form) -> int:
    return len(form[0])


def _forms(secret: bytes) -> Iterator[Form]:
    """The secret itself, and what of its base64 does not depend on its neighbours.

    Three bytes make four characters, so that there are three ways to lie in them, as `token` in `user:token`.
    """
    yield secret, False
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + secret)
        first, end = -(-before * 8 // 6), (before + len(secret)) * 8 // 6
        inner = encoded[first:end]
        yield inner, True
        yield inner.replace(b"+", b"-").replace(b"/", b"_"), True


def _readings(data: bytes) -> Iterator[tuple[bytes, Sequence[int]]]:
    """The text as it is, and percent-decoded in both ways to read a `+`; with where each byte begins, and the end.

    Decoding the text rather than encoding the secrets hides any mix: encoders disagree about what they leave.
    """
    yield data, range(len(data) + 1)
    if b"%" in data:
        yield _unquoted(data)
    if b"+" in data:
        yield _unquoted(data, plus=b" "[0])


def _unquoted(data: bytes, plus: int = b"+"[0]) -> tuple[bytes, Sequence[int]]:
    read, begins, at = bytearray(), [], 0
    while at < len(data):
        begins.append(at)
        digits = data[at + 1 : at + 3]
        if data[at] == b"%"[0] and len(digits) == 2 and _HEX_DIGITS.issuperset(digits):  # noqa: PLR2004 - %XX
            read.append(int(digits, 16))
            at += 3
        else:
            read.append(plus if data[at] == b"+"[0] else data[at])
            at += 1
    return bytes(read), [*begins, len(data)]


def _found(data: bytes, begins: Sequence[int], index: Index) -> Iterator[tuple[int, int]]:
    """Where secrets stand in the text as it came, as (begin, end)."""
    for at in range(len(data) - _SHORTEST + 1):
        for form, is_base64 in index.get(data[at : at + _SHORTEST], ()):
            if data.startswith(form, at):
                first, end = at, at + len(form)
                # The characters around it hold bits of the secret too.
                while is_base64 and first and data[first - 1] in _BASE64:
                    first -= 1
                while is_base64 and end < len(data) and data[end] in _BASE64:
                    end += 1
                yield begins[first], begins[end]
                break


def _without(data: bytes, spans: Sequence[tuple[int, int]]) -> str:
    """The text with `***` for each run of spans that touch each other."""
    parts: list[bytes] = []
    done = 0
    for first, end in spans:
        if first > done or not parts:
            parts += [data[done:first], MASKED.encode()]
        done = max(done, end)
    return b"".join((*parts, data[done:])).decode("utf-8", "surrogatepass")
