"""SSH: keys with and without a passphrase, and hosts that are known before anything is sent."""

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from prodeval.adapters.git import Repositories
from prodeval.domain.errors import AccessDeniedError, GitOperationFailedError
from tests.adapters.git.conftest import ssh
from tests.adapters.git.plans import BOTH, gate, nothing
from tests.adapters.git.sshserver import SSHServer, serving_ssh
from tests.adapters.git.upstreams import Upstream, hook


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[SSHServer]:
    with serving_ssh(tmp_path) as running:
        yield running


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[SSHServer]:
    """A server whose user has a passphrase on the key."""
    with serving_ssh(tmp_path, passphrase="open sesame") as running:
        yield running


def test_a_key_with_a_passphrase_opens_the_upstream(
    repositories: Repositories, locked: SSHServer, upstream: Upstream
) -> None:
    repository = repositories.open("fulltour", ssh(locked, "fulltour.git", passphrase="open sesame"))
    assert len(repository.write(BOTH, gate(b"one")).written) == 2
    path = f"{locked.root}/fulltour.git"
    assert locked.commands == [f"git-upload-pack '{path}'", f"git-receive-pack '{path}'"]
    assert locked.logins == 1


@pytest.mark.parametrize("passphrase", ["", "wrong"])
def test_a_wrong_passphrase_is_said_before_any_connection(
    repositories: Repositories, locked: SSHServer, passphrase: str
) -> None:
    with pytest.raises(AccessDeniedError, match=r"privateKey is no .* or privateKeyPass does not open it"):
        repositories.open("fulltour", ssh(locked, "fulltour.git", passphrase=passphrase))
    assert locked.logins == 0


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("ssh-rsa", "openssh"),
        ("ssh-rsa", "pkcs1-pem"),
        ("ecdsa-sha2-nistp256", "pkcs1-pem"),
        ("ssh-ed25519", "openssh"),
    ],
)
def test_each_kind_of_key_opens_the_upstream(
    repositories: Repositories, shell: SSHServer, upstream: Upstream, kind: str, form: str
) -> None:
    shell.client_key = asyncssh.generate_private_key(kind, **({"key_size": 2048} if kind == "ssh-rsa" else {}))
    shell.private_key = shell.client_key.export_private_key(form).decode()
    assert repositories.open("fulltour", ssh(shell, "fulltour.git")).write(BOTH, nothing).default_branch == "main"


def test_an_unknown_host_is_refused_with_its_fingerprint(
    repositories: Repositories, shell: SSHServer, upstream: Upstream
) -> None:
    fingerprint = shell.host_key.get_fingerprint()
    repository = repositories.open("fulltour", ssh(shell, "fulltour.git", known_hosts=""))
    with pytest.raises(AccessDeniedError, match="unknown host key ssh-ed25519") as caught:
        repository.write(BOTH, nothing)
    assert fingerprint in str(caught.value)
    assert f"ssh-keyscan -p {shell.port} localhost" in str(caught.value)
    assert (shell.logins, shell.commands) == (0, [])


def test_another_host_key_than_the_known_one_is_refused(
    repositories: Repositories, shell: SSHServer, upstream: Upstream
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    known = f"[localhost]:{shell.port} {other}"
    repository = repositories.open("fulltour", ssh(shell, "fulltour.git", known_hosts=known))
    with pytest.raises(AccessDeniedError, match="has another host key") as caught:
        repository.write(BOTH, nothing)
    assert shell.host_key.get_fingerprint() in str(caught.value)
    assert shell.logins == 0


def test_the_operators_own_known_hosts_serve_a_secret_without(shell: SSHServer, upstream: Upstream) -> None:
    opened = Repositories(author_name="p", author_email="p@x", known_hosts=f"# ours\n\n{shell.known_hosts}")
    credentials = ssh(shell, "fulltour.git", known_hosts="")
    assert opened.open("fulltour", credentials).write(BOTH, nothing).default_branch == "main"


def test_known_hosts_that_are_none_are_refused(repositories: Repositories, shell: SSHServer) -> None:
    credentials = ssh(shell, "fulltour.git", known_hosts="localhost ssh-rsa %%%")
    with pytest.raises(AccessDeniedError, match="'git-credentials-fulltour', key known_hosts, holds a line that is no"):
        repositories.open("fulltour", credentials)


def test_known_hosts_of_the_config_that_are_none_are_named_as_such(shell: SSHServer) -> None:
    opened = Repositories(author_name="p", author_email="p@x", known_hosts="localhost ssh-rsa AAAA")
    with pytest.raises(AccessDeniedError, match=r"^git\.knownHosts holds a line that is no host key"):
        opened.open("fulltour", ssh(shell, "fulltour.git", known_hosts=""))


def test_a_key_that_the_server_does_not_know_is_denied(
    repositories: Repositories, shell: SSHServer, upstream: Upstream
) -> None:
    shell.private_key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    repository = repositories.open("fulltour", ssh(shell, "fulltour.git"))
    with pytest.raises(
        AccessDeniedError, match="localhost refuses user 'git' with the key in Secret 'git-credentials-f"
    ):
        repository.write(BOTH, nothing)


def test_a_repository_that_is_not_there_is_denied_with_the_servers_words(
    repositories: Repositories, shell: SSHServer
) -> None:
    repository = repositories.open("fulltour", ssh(shell, "absent.git"))
    with pytest.raises(AccessDeniedError, match=r"may not read it .*does not appear to be a git repository"):
        repository.write(BOTH, nothing)


def test_reading_without_writing_is_denied_as_such(
    repositories: Repositories, shell: SSHServer, upstream: Upstream
) -> None:
    shell.may_write = False
    repository = repositories.open("fulltour", ssh(shell, "fulltour.git"))
    with pytest.raises(AccessDeniedError, match=r"may not write to it \(ERROR: Permission to write denied\.\)"):
        repository.write(BOTH, gate(b"one"))


def test_a_path_is_quoted_for_the_servers_shell(
    repositories: Repositories, shell: SSHServer, upstream: Upstream
) -> None:
    upstream.path.rename(upstream.path.parent / "a'b; touch pwned.git")
    repository = repositories.open("fulltour", ssh(shell, "a'b; touch pwned.git".replace(" ", "%20")))
    assert repository.write(BOTH, nothing).default_branch == "main"
    assert shell.commands == [f"git-upload-pack '{shell.root}/a'\\''b; touch pwned.git'"]


def test_a_hook_and_a_lost_connection_are_told_apart(
    repositories: Repositories, shell: SSHServer, upstream: Upstream
) -> None:
    repository = repositories.open("fulltour", ssh(shell, "fulltour.git"))
    hook(upstream, "pre-receive", "echo not today >&2; exit 1")
    with pytest.raises(Exception, match="not today") as caught:
        repository.write(BOTH, gate(b"one"))
    assert caught.value.reason == "PushRejected"
    hook(upstream, "pre-receive", "kill -9 $PPID")
    with pytest.raises(GitOperationFailedError, match="could not push"):
        repository.write(BOTH, gate(b"one"))
