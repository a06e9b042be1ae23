"""Whoever has to know of each push hears of it at once, however the push ends."""

from collections.abc import Iterator

import pytest

from prodeval.adapters.git import Repositories
from prodeval.adapters.git.repositories import GitRepository
from prodeval.domain.errors import GitOperationFailedError, PushRejectedError
from tests.adapters.git.conftest import https, quickly
from tests.adapters.git.httpserver import GitServer, Handler, Seen
from tests.adapters.git.plans import BOTH, gate, slo
from tests.adapters.git.upstreams import Upstream, hook

Heard = list[tuple[str, frozenset[str], str]]


def push(*branches: str) -> tuple[str, frozenset[str], str]:
    return "fulltour", frozenset(branches), "main"


@pytest.fixture
def heard() -> Heard:
    return []


@pytest.fixture
def repository(server: GitServer, upstream: Upstream, heard: Heard) -> Iterator[GitRepository]:
    opened = Repositories(
        author_name="prodeval",
        author_email="prodeval@localhost",
        delays=quickly,
        listener=lambda *push: heard.append(push),
    )
    yield opened.open("fulltour", https(server.url("fulltour.git")))
    opened.close()


def lose_answers(server: GitServer, status: int, times: int) -> None:
    """Let the next pushes land, and answer something else."""
    left = iter(range(times))

    def misbehave(handler: Handler, seen: Seen) -> bool:
        if seen.method == "POST" and seen.path.endswith("git-receive-pack") and next(left, None) is not None:
            handler.git(seen)
            handler.reply(status, Retry_After="1")
            return True
        return False

    server.misbehave = misbehave


def test_the_branches_of_a_push_are_told_and_nothing_else(repository: GitRepository, heard: Heard) -> None:
    repository.write(BOTH, gate(b"one"))
    repository.write(BOTH, gate(b"one"))
    repository.write(BOTH, slo(b"two"))
    assert heard == [push("main", "production"), push("production")]


def test_a_push_whose_answer_is_lost_is_told(repository: GitRepository, server: GitServer, heard: Heard) -> None:
    lose_answers(server, 503, 1)
    with pytest.raises(GitOperationFailedError):
        repository.write(BOTH, gate(b"one"))
    assert heard == [push("main", "production")]
    assert repository.write(BOTH, gate(b"one")).written == (), "it had landed, and nobody else would tell"


def test_a_push_that_turns_out_to_have_landed_is_told_again(
    repository: GitRepository, server: GitServer, heard: Heard
) -> None:
    def cut_once(handler: Handler, seen: Seen) -> bool:
        if seen.method == "POST" and seen.path.endswith("git-receive-pack"):
            handler.git(seen)
            server.misbehave = lambda *_: False
            return handler.cut()
        return False

    server.misbehave = cut_once
    repository.write(BOTH, gate(b"one"))
    assert heard == [push("main", "production")] * 2


def test_the_part_of_a_push_that_landed_before_it_failed_is_told(
    repository: GitRepository, upstream: Upstream, heard: Heard
) -> None:
    upstream.git("config", "receive.advertiseAtomic", "false")
    hook(upstream, "update", 'test "$1" != refs/heads/main')
    with pytest.raises(PushRejectedError):
        repository.write(BOTH, gate(b"one"))
    assert heard == [push("production")]


def test_a_push_that_is_refused_as_a_whole_is_none(repository: GitRepository, upstream: Upstream, heard: Heard) -> None:
    hook(upstream, "pre-receive", "exit 1")
    with pytest.raises(PushRejectedError):
        repository.write(BOTH, gate(b"one"))
    assert heard == []
