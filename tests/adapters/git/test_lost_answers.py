"""A push whose answer is lost is neither failed nor done: the next listing tells."""

import os
import random
import signal
import subprocess
import threading
import time

import pytest

from prodeval.adapters.git.repositories import GitRepository
from prodeval.domain.errors import GitOperationFailedError
from tests.adapters.git.httpserver import GitServer, Handler, Seen
from tests.adapters.git.plans import BOTH, MESSAGE, gate
from tests.adapters.git.upstreams import Upstream


def is_push(seen: Seen) -> bool:
    return seen.method == "POST" and seen.path.endswith("git-receive-pack")


def test_a_push_that_landed_without_an_answer_is_not_repeated(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    def cut_once(handler: Handler, seen: Seen) -> bool:
        if is_push(seen):
            handler.git(seen)
            server.misbehave = lambda *_: False
            handler.cut()
            return True
        return False

    before = upstream.tip("main")
    server.misbehave = cut_once
    pushed = repository.write(BOTH, gate(b"one"))
    assert {one.branch for one in pushed.written} == {"main", "production"}
    assert pushed.tips["main"] == upstream.tip("main")
    assert upstream.git("rev-list", "--count", f"{before}..main") == "1"


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_error_of_a_proxy_after_the_push_is_looked_into(
    repository: GitRepository, server: GitServer, upstream: Upstream, status: int
) -> None:
    def fail_once(handler: Handler, seen: Seen) -> bool:
        if is_push(seen):
            handler.git(seen)
            server.misbehave = lambda *_: False
            handler.reply(status)
            return True
        return False

    before = upstream.tip("main")
    server.misbehave = fail_once
    assert len(repository.write(BOTH, gate(b"one")).written) == 2
    assert upstream.git("rev-list", "--count", f"{before}..main") == "1"


def test_a_report_that_leaves_out_a_branch_is_no_answer(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    def forget_main(handler: Handler, seen: Seen) -> bool:
        if is_push(seen):
            _, headers, body = handler.git(seen)
            server.misbehave = lambda *_: False
            line = b"0017ok refs/heads/main\n"
            shorter = f"{int(body[:4], 16) - len(line):04x}".encode() + body[4:].replace(line, b"")
            handler.reply(200, shorter, **{name.replace("-", "_"): value for name, value in headers.items()})
            return True
        return False

    before = upstream.tip("main")
    server.misbehave = forget_main
    assert len(repository.write(BOTH, gate(b"one")).written) == 2
    assert upstream.git("rev-list", "--count", f"{before}..main") == "1"


def test_a_server_that_always_cuts_is_given_up_after_the_second_time(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    before = upstream.tip("main")
    server.misbehave = lambda handler, seen: is_push(seen) and handler.cut()
    with pytest.raises(GitOperationFailedError, match="localhost: could not push"):
        repository.write(BOTH, gate(b"one"))
    assert sum(is_push(seen) for seen in server.log) == 2
    assert upstream.tip("main") == before


def test_a_server_killed_at_fifty_points_of_a_push_ends_with_one_commit_each(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    chance = random.Random(5)
    duration = how_long_a_push_takes(repository, server)
    killed = number = 0

    def kill(handler: Handler, seen: Seen) -> bool:
        nonlocal killed, duration
        if not is_push(seen):
            return False
        server.misbehave = lambda *_: False
        in_time = kill_while_it_works(handler, seen, chance.uniform(0, duration))
        duration *= 1.05 if in_time else 0.9  # the machine may be faster or slower by now
        killed += in_time
        for lock in upstream.path.rglob("*.lock"):  # as whoever restarts the server does
            lock.unlink()
        return handler.cut()

    while killed < 50 and number < 200:
        number += 1
        tips = [upstream.tip(branch) for branch in ("main", "production")]
        digest = f"Prodeval-Digest: sha256:{number:064}"
        server.misbehave = kill
        reconcile(repository, b"content %d" % number, f"{MESSAGE}{digest}\n")
        for branch, tip in zip(("main", "production"), tips, strict=True):
            commits = upstream.git("log", "--format=%H", f"--grep={digest}", branch).splitlines()
            assert commits == [upstream.tip(branch)]
            assert upstream.git("rev-parse", f"{branch}^") == tip
    assert (
        upstream.show("main", "shipyard.yaml")
        == upstream.show("production", "helloservice/slo.yaml")
        == b"content %d" % number
    )
    assert killed == 50
    assert upstream.fsck() == ""


def how_long_a_push_takes(repository: GitRepository, server: GitServer) -> float:
    """Seconds from the request to Git's last word."""
    times: list[float] = []

    def measure(handler: Handler, seen: Seen) -> bool:
        if is_push(seen):
            start = time.monotonic()
            handler.git(seen)
            times.append(time.monotonic() - start)
            return handler.cut()
        return False

    server.misbehave = measure
    repository.write(BOTH, gate(b"first"))
    return times[0]


def reconcile(repository: GitRepository, content: bytes, message: str) -> None:
    """Try again after a failure, as the operator does."""
    for _ in range(5):
        try:
            repository.write(BOTH, gate(content, message))
        except GitOperationFailedError:
            continue
        break
    assert repository.write(BOTH, gate(content, message)).written == ()


def kill_while_it_works(handler: Handler, seen: Seen, after: float) -> bool:
    """Run Git for a while, then kill all of it; whether it was still running."""
    child = subprocess.Popen(
        ["git", "http-backend"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=handler.environment(seen),
        start_new_session=True,
    )
    timer = threading.Timer(after, os.killpg, (child.pid, signal.SIGKILL))
    timer.start()
    try:
        child.communicate(seen.body)
    except BrokenPipeError:
        child.wait()
    timer.cancel()
    timer.join()
    return child.returncode != 0
