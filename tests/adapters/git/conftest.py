"""Upstreams and servers for the tests of the Git adapter."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from prodeval.adapters.git import Repositories
from prodeval.adapters.git.repositories import GitRepository
from prodeval.domain.credentials import GitCredentials, parse_git_credentials
from tests.adapters.git.httpserver import GitServer, serving
from tests.adapters.git.sshserver import SSHServer, serving_ssh
from tests.adapters.git.upstreams import Upstream, tutorial

TOKEN = "t0ken-of-the-tests"
Opening = Callable[..., GitRepository]


def quickly() -> Iterator[float]:
    """Ten tries, as in production, but without waiting for long."""
    return iter([0.0] + [0.02] * 9)


def https(url: str, *, user: str = "bot", token: str = TOKEN, **fields: object) -> GitCredentials:
    document = {"remoteURL": url, "user": user, "https": {"token": token, **fields}}
    return parse_git_credentials({"git-credentials": json.dumps(document).encode()}, secret="git-credentials-fulltour")


def ssh(server: SSHServer, name: str, *, passphrase: str = "", known_hosts: str | None = None) -> GitCredentials:
    document = {"remoteURL": server.url(name), "ssh": {"privateKey": server.private_key, "privateKeyPass": passphrase}}
    known = server.known_hosts if known_hosts is None else known_hosts
    data = {"git-credentials": json.dumps(document).encode(), "known_hosts": known.encode()}
    return parse_git_credentials(data, secret="git-credentials-fulltour")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tutorial's upstream, made once."""
    return tutorial(tmp_path_factory.mktemp("template") / "fulltour.git").path


@pytest.fixture
def upstream(tmp_path: Path, template: Path) -> Upstream:
    return Upstream(shutil.copytree(template, tmp_path / "fulltour.git"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serving(tmp_path, user="bot", token=TOKEN) as running:
        yield running


@pytest.fixture
def repositories() -> Iterator[Repositories]:
    opened = Repositories(author_name="prodeval", author_email="prodeval@localhost", timeout=20, delays=quickly)
    yield opened
    opened.close()


@pytest.fixture
def repository(repositories: Repositories, upstream: Upstream, server: GitServer) -> GitRepository:
    return repositories.open("fulltour", https(server.url("fulltour.git")))


KINDS = {
    "http": (),
    "http-without-filter": ("uploadpack.allowFilter=false",),
    "http-without-shallow": ("uploadpack.allowFilter=false", "strip shallow"),
    "http-version-0": ("version 0",),
    "http-version-0-with-single-objects": ("version 0", "uploadpack.allowAnySHA1InWant=true"),
    "http-not-atomic": ("receive.advertiseAtomic=false",),
    "ssh": (),
    "ssh-without-filter": ("uploadpack.allowFilter=false",),
    "ssh-version-0": ("version 0",),
    "ssh-not-atomic": ("receive.advertiseAtomic=false",),
}


@pytest.fixture(params=list(KINDS))
def any_repository(
    request: pytest.FixtureRequest, tmp_path: Path, upstream: Upstream, repositories: Repositories
) -> Iterator[GitRepository]:
    """The tutorial's upstream behind each kind of server."""
    with ExitStack() as stack:
        over_ssh = request.param.startswith("ssh")
        server = stack.enter_context(serving_ssh(tmp_path) if over_ssh else serving(tmp_path, user="bot", token=TOKEN))
        for trait in KINDS[request.param]:
            if trait == "version 0":
                server.version_2 = False
            elif trait.startswith("strip "):
                server.hide(trait.removeprefix("strip ").encode())
            else:
                upstream.config(*trait.split("="))
        credentials = ssh(server, "fulltour.git") if over_ssh else https(server.url("fulltour.git"))
        yield repositories.open("fulltour", credentials)
        repositories.close()
