"""Whatever a Secret holds: it is used, or refused with a name and a remedy; nothing else is ever raised."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncssh
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodeval.adapters.git import Repositories
from prodeval.adapters.git.guard import Guard
from prodeval.domain.credentials import KEY, GitCredentials, parse_git_credentials
from prodeval.domain.errors import AccessDeniedError
from tests.adapters.git.conftest import https
from tests.adapters.git.httpserver import serving
from tests.adapters.git.plans import BOTH, gate, nothing
from tests.adapters.git.upstreams import Upstream

PRIVATE_KEYS = {
    f"{kind} {form}": asyncssh.generate_private_key(kind).export_private_key(form).decode()
    for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")
    for form in ("openssh", "pkcs8-pem")
}


def over_ssh(private_key: str, passphrase: str = "", known_hosts: str = "") -> GitCredentials:
    document = {"remoteURL": "ssh://git@localhost/a", "ssh": {"privateKey": private_key, "privateKeyPass": passphrase}}
    data = {KEY: json.dumps(document).encode(), "known_hosts": known_hosts.encode("utf-8", "replace")}
    return parse_git_credentials(data, secret="git-credentials-fulltour")


def opened(credentials: GitCredentials) -> None:
    Repositories(author_name="p", author_email="p@x").open("fulltour", credentials)


@contextmanager
def naming_the_key() -> Iterator[None]:
    """Refused with the place, or not at all."""
    refusals: list[str] = []
    try:
        yield
    except AccessDeniedError as error:
        refusals.append(str(error))
    assert all("Secret 'git-credentials-fulltour', key 'git-credentials': privateKey" in text for text in refusals)


def test_a_user_and_a_token_beyond_latin_1_are_sent_as_utf_8(
    repositories: Repositories, tmp_path: Path, upstream: Upstream
) -> None:
    with serving(tmp_path, user="jürgen€", token="geheim€") as server:
        repository = repositories.open("fulltour", https(server.url("fulltour.git"), user="jürgen€", token="geheim€"))
        assert len(repository.write(BOTH, gate(b"one")).written) == 2


def test_a_proxy_user_beyond_latin_1_is_sent_as_utf_8(repositories: Repositories, tmp_path: Path) -> None:
    """The server stands in for a proxy: a plain request to a proxy is a request with a whole URL."""
    with serving(tmp_path) as server:
        through = {"url": f"localhost:{server.port}", "scheme": "http", "user": "jürgen€", "password": "geheim€"}
        repository = repositories.open("fulltour", https("http://git.example/a.git", proxy=through))
        with suppress(AccessDeniedError):
            repository.write(BOTH, nothing)
        expected = base64.b64encode("jürgen€:geheim€".encode()).decode()
        assert server.log[0].headers["Proxy-Authorization"] == f"Basic {expected}"


@pytest.mark.parametrize("host", ["git..example", "a" * 64, ""])
def test_a_host_that_cannot_be_looked_up_is_no_crash(host: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - the words are the system's
        Guard().connect(host, 9, lambda: True)


@pytest.mark.parametrize("private_key", PRIVATE_KEYS.values(), ids=PRIVATE_KEYS)
def test_a_key_of_another_form_is_read_or_refused(private_key: str) -> None:
    for passphrase in ("", "open sesame"):
        with suppress(AccessDeniedError):
            opened(over_ssh(private_key, passphrase))


@settings(deadline=None, max_examples=300)
@given(
    private_key=st.sampled_from(sorted(PRIVATE_KEYS.values())),
    place=st.floats(0, 1),
    gone=st.integers(0, 40),
    put=st.text("AB=+/-\n :,ä", max_size=5),
    passphrase=st.sampled_from(["", "open sesame"]),
)
def test_a_key_with_damaged_text_is_refused_by_its_name(
    private_key: str, place: float, gone: int, put: str, passphrase: str
) -> None:
    at = 36 + int(place * (len(private_key) - 36))
    with naming_the_key():
        opened(over_ssh(private_key[:at] + put + private_key[at + gone :], passphrase))


@settings(deadline=None, max_examples=300)
@given(
    private_key=st.sampled_from(sorted(PRIVATE_KEYS.values())),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    left=st.floats(0.1, 1),
)
def test_a_key_with_damaged_bytes_is_refused_by_its_name(
    private_key: str, changes: list[tuple[float, int]], left: float
) -> None:
    first, *lines, last = private_key.strip().splitlines()
    content = bytearray(base64.b64decode("".join(lines)))
    for place, value in changes:
        content[int(place * len(content))] = value
    body = base64.b64encode(content[: int(left * len(content))]).decode()
    with naming_the_key():
        opened(over_ssh(f"{first}\n{body}\n{last}"))


@settings(deadline=None)
@given(line=st.text(max_size=60), kind=st.sampled_from(["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-dss"]))
def test_any_line_of_known_hosts_is_read_or_refused(line: str, kind: str) -> None:
    with suppress(AccessDeniedError):
        opened(over_ssh(PRIVATE_KEYS["ssh-ed25519 openssh"], known_hosts=f"localhost {kind} {line}"))


GIT_FIELDS = ["remoteURL", "remoteURI", "user", "token", "gitProxyUrl", "gitPemCertificate", "insecureSkipTLS"]
WAY_FIELDS = ["https", "ssh", "certificate", "proxy", "url", "scheme", "password", "privateKey", "privateKeyPass"]
FIELDS = st.sampled_from([*GIT_FIELDS, *WAY_FIELDS])
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=30)
    | st.sampled_from(["https://h/a.git", "ssh://h/a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=20,
)


@settings(deadline=None)
@given(document=st.dictionaries(FIELDS, ANY, max_size=8), ca=st.binary(max_size=40))
def test_any_document_is_read_or_refused(document: dict[str, object], ca: bytes) -> None:
    with suppress(AccessDeniedError):
        opened(parse_git_credentials({KEY: json.dumps(document).encode(), "ca.crt": ca}, secret="s"))
