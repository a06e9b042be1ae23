"""A forward proxy between operator and upstream, with and without a password."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import proxy
import pytest
import trustme

from prodeval.adapters.git import Repositories
from prodeval.domain.errors import AccessDeniedError, GitOperationFailedError
from tests.adapters.git.conftest import TOKEN, https
from tests.adapters.git.httpserver import GitServer, serving
from tests.adapters.git.plans import BOTH, gate, nothing
from tests.adapters.git.upstreams import Upstream

LOGIN = {"user": "through", "password": "proxy-pa55"}


@pytest.fixture
def proxy_address() -> Iterator[str]:
    arguments = ["--hostname", "127.0.0.1", "--port", "0", "--num-workers", "1", "--num-acceptors", "1"]
    with proxy.Proxy([*arguments, "--threadless", "--basic-auth", "through:proxy-pa55"]) as running:
        yield f"127.0.0.1:{running.flags.port}"


@pytest.fixture(params=["http", "https"])
def behind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[GitServer, dict[str, object]]]:
    """A server, and what the Secret needs to say to trust it."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with serving(tmp_path, user="bot", token=TOKEN, tls=context if request.param == "https" else None) as server:
        yield server, {"certificate": authority.cert_pem.bytes().decode()}


def test_a_push_goes_through_the_proxy(
    repositories: Repositories, behind: tuple[GitServer, dict[str, object]], upstream: Upstream, proxy_address: str
) -> None:
    server, trust = behind
    credentials = https(server.url("fulltour.git"), **trust, proxy={"url": proxy_address, "scheme": "http", **LOGIN})
    repository = repositories.open("fulltour", credentials)
    assert len(repository.write(BOTH, gate(b"one")).written) == 2
    assert repository.write(BOTH, gate(b"one")).written == ()
    assert upstream.show("main", "shipyard.yaml") == b"one"
    if server.scheme == "http":
        assert "Via" in server.log[0].headers
    else:
        assert not any("Proxy-Authorization" in one.headers for one in server.log)


def test_a_proxy_that_wants_another_password_is_named(
    repositories: Repositories, behind: tuple[GitServer, dict[str, object]], upstream: Upstream, proxy_address: str
) -> None:
    server, trust = behind
    wrong = {"url": proxy_address, "scheme": "http", "user": "through", "password": "wrong"}
    repository = repositories.open("fulltour", https(server.url("fulltour.git"), **trust, proxy=wrong))
    with pytest.raises(AccessDeniedError, match=r"proxy that refuses its user or password \(HTTP 407\)"):
        repository.write(BOTH, nothing)
    assert server.log == []


def test_a_proxy_that_is_not_there_is_named(repositories: Repositories) -> None:
    credentials = https("https://git.example.com/a.git", proxy={"url": "127.0.0.1:9", "scheme": "http"})
    with pytest.raises(GitOperationFailedError, match=r"git\.example\.com: could not list the branches: proxy: "):
        repositories.open("fulltour", credentials).write(BOTH, nothing)
