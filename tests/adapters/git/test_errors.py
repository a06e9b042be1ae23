"""What a person reads when the server says no, or nothing."""

import base64
import socket
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from prodeval.adapters.git import Repositories
from prodeval.adapters.git.repositories import GitRepository
from prodeval.domain.errors import (
    AccessDeniedError,
    ConfigError,
    DependencyNotReadyError,
    GitOperationFailedError,
    ProdevalError,
    PushRejectedError,
)
from tests.adapters.git.conftest import TOKEN, https
from tests.adapters.git.httpserver import GitServer, Handler, Seen
from tests.adapters.git.plans import BOTH, gate, nothing
from tests.adapters.git.upstreams import Upstream, empty, git, hook

PLACE = r"^localhost.*fulltour\.git.*'git-credentials-fulltour'$"


def answering(server: GitServer, status: int, path: str = "", **headers: str) -> None:
    """Answer requests for a path with a status, instead of letting Git do it."""

    def misbehave(handler: Handler, seen: Seen) -> bool:
        if path not in seen.path:
            return False
        handler.reply(status, b"<html>no</html>", **headers)
        return True

    server.misbehave = misbehave


def test_refused_credentials_name_host_user_and_secret(
    repositories: Repositories, server: GitServer, upstream: Upstream
) -> None:
    repository = repositories.open("fulltour", https(server.url("fulltour.git"), token="wrong"))
    with pytest.raises(AccessDeniedError, match=r"^localhost refuses user 'bot' \(HTTP 401\); check Secret 'git-cred"):
        repository.write(BOTH, gate(b"one"))


def test_anonymous_access_is_said_to_be_anonymous(
    repositories: Repositories, server: GitServer, upstream: Upstream
) -> None:
    repository = repositories.open("fulltour", https(server.url("fulltour.git"), token=""))
    with pytest.raises(AccessDeniedError, match="refuses anonymous access"):
        repository.write(BOTH, gate(b"one"))


@pytest.mark.parametrize(
    ("status", "path", "problem"),
    [
        (403, "", "does not let user 'bot' read"),
        (404, "", "is not found, or user 'bot' may not see it"),
        (403, "git-receive-pack", "lets user 'bot' read .*, but not write"),
    ],
)
def test_a_denial_says_what_is_denied(
    repository: GitRepository, server: GitServer, status: int, path: str, problem: str
) -> None:
    answering(server, status, path)
    with pytest.raises(AccessDeniedError, match=PLACE) as caught:
        repository.write(BOTH, gate(b"one"))
    caught.match(problem)


def test_a_repository_that_is_not_there_is_denied_too(
    repositories: Repositories, server: GitServer, upstream: Upstream
) -> None:
    repository = repositories.open("fulltour", https(server.url("other.git")))
    with pytest.raises(AccessDeniedError, match=r"other\.git is not found"):
        repository.write(BOTH, gate(b"one"))


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("path", ["info/refs", "git-upload-pack", "git-receive-pack"])
def test_an_overloaded_server_is_tried_again_when_it_says(
    repository: GitRepository, server: GitServer, status: int, path: str
) -> None:
    answering(server, status, path, Retry_After="17")
    with pytest.raises(GitOperationFailedError, match=f"HTTP {status}") as caught:
        repository.write(BOTH, gate(b"one"))
    assert caught.value.retry_after == 17


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("3600", 3600.0),
        ("999999", 86400.0),
        ("9" * 5000, 86400.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 99999999 23:59:59 GMT", None),
        ("soon", None),
        ("-1", None),
    ],
)
def test_what_a_server_asks_for_is_kept_in_full_up_to_a_day(
    repository: GitRepository, server: GitServer, after: str, expected: float | None
) -> None:
    answering(server, 503, Retry_After=after)
    with pytest.raises(GitOperationFailedError) as caught:
        repository.write(BOTH, gate(b"one"))
    assert caught.value.retry_after == expected


@pytest.mark.parametrize("path", ["info/refs", "git-receive-pack"])
@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry_After": "120"}, 120, 120),
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(time.time()) + 900)}, 600, 900),
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "soon"}, None, None),
    ],
)
def test_a_403_for_too_many_requests_is_no_refusal(
    repository: GitRepository,
    server: GitServer,
    path: str,
    headers: dict[str, str],
    least: float | None,
    most: float | None,
) -> None:
    answering(server, 403, path, **headers)
    with pytest.raises(GitOperationFailedError, match=r"^localhost limits requests \(HTTP 403\)") as caught:
        repository.write(BOTH, gate(b"one"))
    assert least is None if caught.value.retry_after is None else least <= caught.value.retry_after <= most


def test_a_403_with_requests_left_is_a_refusal(repository: GitRepository, server: GitServer) -> None:
    answering(server, 403, X_RateLimit_Remaining="4999")
    with pytest.raises(AccessDeniedError):
        repository.write(BOTH, gate(b"one"))


def test_an_echoed_token_is_hidden_in_each_form(repository: GitRepository, upstream: Upstream) -> None:
    encoded = base64.b64encode(f"bot:{TOKEN}".encode()).decode()
    hook(upstream, "pre-receive", f"echo 'refused {TOKEN} {quote(TOKEN)} %74{TOKEN[1:]} {encoded}' >&2; exit 1")
    with pytest.raises(PushRejectedError, match=r"refused \*\*\* \*\*\* \*\*\* \*\*\*") as caught:
        repository.write(BOTH, gate(b"one"))
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("GitLab: You are not allowed to push code to protected branches on this project.", "pre-receive"),
        ("every commit must be signed", "update"),
    ],
)
def test_the_words_of_a_hook_reach_the_person(
    repository: GitRepository, upstream: Upstream, words: str, name: str
) -> None:
    hook(upstream, name, f"echo '{words}' >&2; exit 1")
    with pytest.raises(
        PushRejectedError, match=r"^localhost refuses the push: (main|production): .*hook declined"
    ) as caught:
        repository.write(BOTH, gate(b"one"))
    caught.match(words[-30:])
    assert "\n" not in str(caught.value)


def test_an_empty_upstream_waits_for_keptn(repositories: Repositories, server: GitServer, tmp_path: Path) -> None:
    empty(tmp_path / "new.git")
    repository = repositories.open("fulltour", https(server.url("new.git")))
    with pytest.raises(
        DependencyNotReadyError, match=r"upstream of project 'fulltour' is empty; `keptn create project`"
    ):
        repository.write(BOTH, nothing)
    server.version_2 = False
    fresh = repositories.open("again", https(server.url("new.git")))
    with pytest.raises(DependencyNotReadyError, match="upstream of project 'again' is empty"):
        fresh.write(BOTH, nothing)


@pytest.mark.parametrize("version_2", [True, False])
def test_a_head_that_names_nothing_asks_for_the_config(
    repositories: Repositories, server: GitServer, upstream: Upstream, version_2: bool
) -> None:
    server.version_2 = version_2
    upstream.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    repository = repositories.open("fulltour", https(server.url("fulltour.git")))
    with pytest.raises(ConfigError, match=r"set projects\.fulltour\.branch in the operator's config"):
        repository.write(BOTH, nothing)
    settled = repositories.open("fulltour", https(server.url("fulltour.git")), branch="main")
    assert settled.write(BOTH, nothing).default_branch == "main"


def test_a_detached_head_asks_for_the_config(repository: GitRepository, upstream: Upstream) -> None:
    upstream.git("update-ref", "--no-deref", "HEAD", upstream.tip("main"))
    (upstream.path / "HEAD").write_text(upstream.tip("main") + "\n")
    with pytest.raises(ConfigError, match="its HEAD names no branch"):
        repository.write(BOTH, nothing)


def test_a_branch_of_the_config_that_is_not_there_is_named(
    repositories: Repositories, server: GitServer, upstream: Upstream
) -> None:
    repository = repositories.open("fulltour", https(server.url("fulltour.git")), branch="trunk")
    with pytest.raises(ConfigError, match="branch 'trunk' does not exist there"):
        repository.write(BOTH, nothing)


def test_a_default_branch_of_any_name_is_found(
    repositories: Repositories, server: GitServer, upstream: Upstream
) -> None:
    upstream.git("branch", "-m", "main", "über/trunk")
    repository = repositories.open("fulltour", https(server.url("fulltour.git")))
    assert repository.write(BOTH, nothing).default_branch == "über/trunk"
    server.requests()
    repository.write(BOTH, nothing)
    assert server.requests() == ["POST git-upload-pack"]


def failure(repositories: Repositories, url: str) -> ProdevalError:
    with pytest.raises(ProdevalError) as caught:
        repositories.open("fulltour", https(url)).write(BOTH, nothing)
    return caught.value


def test_a_server_that_is_not_there_is_named_with_the_cause(repositories: Repositories) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refused = failure(repositories, f"http://localhost:{unused.getsockname()[1]}/a.git")
    unknown = failure(repositories, "http://no-such-host.invalid/a.git")
    assert isinstance(refused, GitOperationFailedError)
    assert "localhost: could not list the branches" in str(refused)
    assert "refused" in str(refused)
    assert isinstance(unknown, GitOperationFailedError)
    assert str(unknown).startswith("no-such-host.invalid: could not list the branches")


def test_an_answer_that_breaks_off_is_put_the_same_way_wherever_it_does(
    repositories: Repositories, server: GitServer
) -> None:
    lengths = iter(range(7, 100, 7))

    def misbehave(handler: Handler, _: Seen) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"001e# service=git-upload-pack\n000000ff" + b"x" * next(lengths))
        return handler.cut()

    server.misbehave = misbehave
    texts = {str(failure(repositories, server.url("fulltour.git"))) for _ in range(2)}
    assert len(texts) == 1
    assert "the answer broke off" in texts.pop()


def test_a_web_page_is_not_taken_for_a_repository(repository: GitRepository, server: GitServer) -> None:
    answering(server, 200, Content_Type="text/html")
    with pytest.raises(GitOperationFailedError, match="remoteURL does not lead to a Git repository"):
        repository.write(BOTH, nothing)


def test_a_repository_that_moved_within_its_host_is_followed(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    repository.write(BOTH, gate(b"one"))
    moved = upstream.path.rename(upstream.path.parent / "moved.git")

    def redirect(handler: Handler, seen: Seen) -> bool:
        if "/fulltour.git/" in seen.path:
            handler.reply(301, Location=seen.path.replace("fulltour", "moved"))
            return True
        return False

    server.misbehave = redirect
    with pytest.raises(GitOperationFailedError, match="HTTP 301"):
        repository.write(BOTH, gate(b"two"))
    assert len(repository.write(BOTH, gate(b"two")).written) == 2
    assert Upstream(moved).show("main", "shipyard.yaml") == b"two"


def test_a_dead_kept_alive_connection_is_replaced_once_for_a_read(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    repository.write(BOTH, gate(b"one"))
    cut = iter([True, False, False])
    server.misbehave = lambda handler, seen: next(cut) and handler.cut()
    server.requests()
    assert repository.write(BOTH, nothing).written == ()
    assert server.requests() == ["POST git-upload-pack"] * 2


def test_a_sha256_repository_is_refused_with_its_reason(
    repositories: Repositories, server: GitServer, tmp_path: Path
) -> None:
    git("init", "-q", "--bare", "--object-format=sha256", str(tmp_path / "new.git"))
    assert "SHA-256" in str(failure(repositories, server.url("new.git")))
