"""HTTPS: own authorities, and no verification only where the Secret says so."""

import base64
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from prodeval.adapters.git import Repositories
from prodeval.domain.credentials import GitCredentials, parse_git_credentials
from prodeval.domain.errors import AccessDeniedError, GitOperationFailedError
from tests.adapters.git.conftest import TOKEN, https
from tests.adapters.git.httpserver import GitServer, serving
from tests.adapters.git.plans import BOTH, gate, nothing
from tests.adapters.git.upstreams import Upstream


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(tmp_path: Path, authority: trustme.CA) -> Iterator[GitServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with serving(tmp_path, user="bot", token=TOKEN, tls=context) as server:
        yield server


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


def test_the_certificate_of_the_secret_is_trusted(
    repositories: Repositories, secure: GitServer, upstream: Upstream, authority: trustme.CA
) -> None:
    url = secure.url("fulltour.git")
    for number, certificate in enumerate((pem(authority), base64.b64encode(pem(authority).encode()).decode())):
        credentials = https(url, certificate=certificate)
        assert len(repositories.open("fulltour", credentials).write(BOTH, gate(b"%d" % number)).written) == 2


def test_the_ca_crt_of_the_secret_is_trusted_too(
    repositories: Repositories, secure: GitServer, upstream: Upstream, authority: trustme.CA
) -> None:
    document = b'{"remoteURL": "%b", "user": "bot", "https": {"token": "%b"}}'
    data = {
        "git-credentials": document % (secure.url("fulltour.git").encode(), TOKEN.encode()),
        "ca.crt": pem(authority).encode(),
    }
    credentials = parse_git_credentials(data, secret="git-credentials-fulltour")
    assert repositories.open("fulltour", credentials).write(BOTH, nothing).default_branch == "main"


@pytest.mark.parametrize("url", ["https://localhost:{port}/fulltour.git", "https://127.0.0.1:{port}/fulltour.git"])
def test_an_unknown_authority_or_a_wrong_name_gets_no_credentials(
    repositories: Repositories, secure: GitServer, upstream: Upstream, authority: trustme.CA, url: str
) -> None:
    certificate = pem(authority) if "127" in url else ""
    credentials = https(url.format(port=secure.port), certificate=certificate)
    with pytest.raises(GitOperationFailedError, match="certificate verify failed"):
        repositories.open("fulltour", credentials).write(BOTH, nothing)
    assert secure.log == []


def test_verification_is_skipped_where_the_secret_says_so(
    repositories: Repositories, secure: GitServer, upstream: Upstream
) -> None:
    credentials = https(secure.url("fulltour.git"), insecureSkipTLS=True)
    assert repositories.open("fulltour", credentials).write(BOTH, nothing).default_branch == "main"


def test_a_certificate_that_is_none_is_refused_without_a_request(repositories: Repositories) -> None:
    no_certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    credentials: GitCredentials = https("https://git.example.com/a.git", certificate=no_certificate)
    with pytest.raises(
        AccessDeniedError, match=r"https\.certificate in key 'git-credentials', or key 'ca\.crt', is not"
    ):
        repositories.open("fulltour", credentials)
