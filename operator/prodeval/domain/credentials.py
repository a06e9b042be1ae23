"""What Keptn's Secret `git-credentials-<project>` says: where a project's upstream is, and how to get in."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from prodeval.domain.errors import AccessDeniedError

KEY = "git-credentials"
_PEM = "-----BEGIN"
_CERTIFICATE_BEGIN = r"-----BEGIN (?P<kind>(?:X509 |TRUSTED )?CERTIFICATE)-----"
_CERTIFICATE = re.compile(rf"{_CERTIFICATE_BEGIN}[A-Za-z0-9+/=\s]+-----END (?P=kind)-----")
_PROXY = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_LONGEST_HOST = 253
_PORTS = range(1, 1 << 16)
_DEFAULT_HTTPS_USER = "keptnuser"
_DEFAULT_SSH_USER = "git"
_SCHEMES = ("https", "http", "ssh")
_DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22}


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP(S) forward proxy.

    Attributes:
        url: `http://host:port` or `https://host:port`.
        user: empty if the proxy asks for none.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class GitCredentials:
    """One project's upstream and the account that writes to it; equal if nothing of it changed.

    Attributes:
        url: without user and password, safe to print.
        scheme: `https`, `http` or `ssh`.
        host: lower case; an IPv6 address without brackets.
        path: with its leading slash, decoded.
        user: empty for anonymous HTTP.
        token: HTTP only; empty for anonymous.
        ca: PEM certificates to trust beside the system's.
        private_key: SSH only, PEM.
        known_hosts: lines in OpenSSH's format; empty means the operator's own file.
        secret: the name of the Secret, for messages.
    """

    url: str
    scheme: str
    host: str
    port: int
    path: str
    user: str
    secret: str
    token: str = field(default="", repr=False)
    ca: str = field(default="", repr=False)
    insecure_skip_tls: bool = False
    proxy: Proxy | None = None
    private_key: str = field(default="", repr=False)
    private_key_passphrase: str = field(default="", repr=False)
    known_hosts: str = field(default="", repr=False)


def parse_git_credentials(data: Mapping[str, bytes], *, secret: str) -> GitCredentials:
    """Read the decoded data of a Secret, in the shape of Keptn up to 0.16 (`remoteURI`, flat) or later (`remoteURL`).

    Optional keys beside Keptn's own: `ca.crt` (PEM) and `known_hosts`.
    Raises AccessDeniedError, naming the Secret and the key, never a value of it.
    """
    source = _Source(secret, _document(data, secret))
    new = bool(source.values.get("remoteURL"))
    shape = {**source.at("https"), **source.at("ssh")} if new else _nested(source.values)
    extra = {name: _text(data, name, secret) for name in ("ca.crt", "known_hosts")}
    return _credentials(source, _Source(secret, shape), extra)


def secret_texts(credentials: GitCredentials) -> tuple[str, ...]:
    """What of it must never be shown."""
    password = credentials.proxy.password if credentials.proxy else ""
    texts = (credentials.token, password, credentials.private_key_passphrase, credentials.private_key)
    return tuple(filter(None, texts))


@dataclass(frozen=True, slots=True)
class _Source:
    """A JSON object of the Secret; knows the Secret's name for its errors."""

    secret: str
    values: Mapping[str, object] = field(repr=False)

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or not _is_text(value):
            raise self.error(name, "must be text")
        return value.strip()

    def flag(self, name: str) -> bool:
        value = self.values.get(name)
        if value not in (None, True, False):
            raise self.error(name, "must be true or false")
        return value is True

    def at(self, name: str) -> Mapping[str, object]:
        value = self.values.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.error(name, "must be an object")
        return value

    def pem(self, name: str) -> str:
        """PEM text, which Keptn's API takes as base64 and its Secret holds as it is."""
        value = self.text(name)
        if value and not value.startswith(_PEM):
            value = _from_base64(value)
            if not value.startswith(_PEM):
                raise self.error(name, "must be PEM, or PEM in base64")
        return value

    def error(self, name: str, problem: str) -> AccessDeniedError:
        return AccessDeniedError(f"Secret {self.secret!r}, key {KEY!r}: {name} {problem}")


def _is_text(value: str) -> bool:
    """Whether it can be sent as UTF-8 and holds no controls: JSON lets through both, and half of a surrogate pair."""
    return not any((char < " " and char not in "\r\n\t") or "\ud800" <= char <= "\udfff" for char in value)


def _from_base64(value: str) -> str:
    """The decoded text; empty if it is none, without an error that would hold a piece of it."""
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode("ascii").strip()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _document(data: Mapping[str, bytes], secret: str) -> Mapping[str, object]:
    if KEY not in data:
        raise AccessDeniedError(
            f"Secret {secret!r} has no key {KEY!r}; Keptn keeps the upstream's address and token there"
        )
    try:
        value = json.loads(data[KEY])
    except (ValueError, RecursionError):
        value = None  # the error's text could hold a piece of the token
    if not isinstance(value, dict):
        raise AccessDeniedError(f"Secret {secret!r}, key {KEY!r}: must be a JSON object as Keptn writes it")
    return value


def _text(data: Mapping[str, bytes], key: str, secret: str) -> str:
    try:
        return data.get(key, b"").decode("utf-8").strip()
    except UnicodeDecodeError:
        raise AccessDeniedError(f"Secret {secret!r}, key {key!r}: must be text in UTF-8") from None


def _nested(flat: Mapping[str, object]) -> dict[str, object]:
    """The fields of Keptn's old shape under the names of the new one."""
    proxy = {
        "url": flat.get("gitProxyUrl"),
        "scheme": flat.get("gitProxyScheme"),
        "user": flat.get("gitProxyUser"),
        "password": flat.get("gitProxyPassword"),
    }
    return {
        "token": flat.get("token"),
        "certificate": flat.get("gitPemCertificate"),
        "insecureSkipTLS": flat.get("insecureSkipTLS"),
        "privateKey": flat.get("privateKey"),
        "privateKeyPass": flat.get("privateKeyPass"),
        "proxy": proxy if flat.get("gitProxyUrl") else None,
    }


def _credentials(source: _Source, shape: _Source, extra: Mapping[str, str]) -> GitCredentials:
    name = "remoteURL" if source.values.get("remoteURL") else "remoteURI"
    url = _split(source, name)
    ssh = url.scheme == "ssh"
    key = shape.pem("privateKey") if ssh else ""
    if ssh and not key:
        raise source.error("privateKey", "is missing, and remoteURL is ssh://")
    token = "" if ssh else shape.text("token")
    return GitCredentials(
        url=_printable(url),
        scheme=url.scheme,
        host=(url.hostname or "").lower(),
        port=url.port or _DEFAULT_PORTS[url.scheme],
        path=unquote(url.path),
        user=_user(source, url, token),
        secret=source.secret,
        token=token,
        ca="\n".join(_certificates(source, shape.pem("certificate"), extra["ca.crt"])),
        insecure_skip_tls=shape.flag("insecureSkipTLS"),
        proxy=None if ssh else _proxy(_Source(source.secret, shape.at("proxy"))),
        private_key=key,
        private_key_passphrase=shape.text("privateKeyPass") if ssh else "",
        known_hosts=extra["known_hosts"],
    )


def _user(source: _Source, url: SplitResult, token: str) -> str:
    """SSH: the URL's; HTTP: the Secret's, else the one that Keptn itself uses with a token alone."""
    if url.scheme == "ssh":
        return unquote(url.username or "") or _DEFAULT_SSH_USER
    return (source.text("user") or unquote(url.username or "") or _DEFAULT_HTTPS_USER) if token else ""


def _split(source: _Source, name: str) -> SplitResult:
    """The upstream's URL, if it is one that prodeval opens."""
    text = source.text(name)
    if not text.startswith(tuple(f"{scheme}://" for scheme in _SCHEMES)):
        raise source.error(name, "must begin with https://, http:// or ssh://")
    try:
        url = urlsplit(text)
        plausible = _is_host(url.hostname or "") and url.port != 0
    except ValueError:
        plausible, url = False, urlsplit("")
    unsafe = any(char.isspace() or not char.isprintable() for char in text) or url.query or url.fragment
    path = unquote(url.path)
    if (
        not plausible
        or unsafe
        or not _is_text(path + unquote(url.username or ""))
        or (url.hostname or "").startswith("-")
        or not path.strip("/")
        or ".." in path.split("/")
    ):
        raise source.error(name, "is not the URL of a repository")
    if (url.username or "").startswith("-") or path.startswith("/-"):
        raise source.error(name, "must not hold a part that begins with '-'")
    if url.password:
        raise source.error(name, "must not hold a password; put it into https.token")
    return url


def _certificates(source: _Source, own: str, extra: str) -> Iterator[str]:
    """The PEM blocks alone: beside them a file may hold comments in any language, and TLS takes ASCII."""
    for text, place in ((own, f"key {KEY!r}: certificate"), (extra, "key 'ca.crt':")):
        blocks = [block.group() for block in _CERTIFICATE.finditer(text)]
        if text and len(blocks) != max(len(re.findall(_CERTIFICATE_BEGIN, text)), 1):
            raise AccessDeniedError(
                f"Secret {source.secret!r}, {place} holds no PEM certificate, or a damaged one; put the file of the "
                "authority there as it is"
            )
        yield from blocks


def _is_host(name: str) -> bool:
    """Whether a name can be looked up: no part of it is empty or longer than 63 characters as DNS has it."""
    if ":" in name:
        return True  # an IPv6 address, which was checked when it was split
    try:
        return 0 < len(name.encode("idna")) <= _LONGEST_HOST
    except UnicodeError:
        return False


def _printable(url: SplitResult) -> str:
    return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()


def _proxy(shape: _Source) -> Proxy | None:
    """Keptn keeps scheme and `host:port` apart."""
    address = shape.text("url")
    if not address:
        return None
    scheme = shape.text("scheme") or "http"
    parts = _PROXY.fullmatch(address)
    if scheme not in ("http", "https") or not parts or not _is_host(parts[1]) or int(parts[2]) not in _PORTS:
        raise shape.error("proxy", "needs scheme http or https, and url as host:port")
    return Proxy(f"{scheme}://{address}", shape.text("user"), shape.text("password"))
