"""Somebody else is faster: nothing of theirs is lost, and ours lands."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from prodeval.adapters.git import Repositories
from prodeval.adapters.git.repositories import GitRepository
from prodeval.domain.errors import GitOperationFailedError, PushRejectedError
from prodeval.domain.upstream import Pushed
from tests.adapters.git.conftest import https
from tests.adapters.git.httpserver import GitServer, Handler, Seen
from tests.adapters.git.plans import BOTH, PRODUCTION, SLO_PATH, gate, slo
from tests.adapters.git.upstreams import Upstream, hook


def before_pushes(server: GitServer, act: Callable[[int], object]) -> None:
    """Do something between our listing and the first pushes."""
    count = iter(range(1_000))

    def misbehave(_: Handler, seen: Seen) -> bool:
        if seen.path.endswith("git-receive-pack") and seen.method == "POST":
            act(next(count))
        return False

    server.misbehave = misbehave


def pushes(server: GitServer) -> list[bytes]:
    """The server's answers to our pushes."""
    return [one.answer for one in server.log if one.method == "POST" and one.path.endswith("git-receive-pack")]


def test_a_rejected_push_is_planned_again_on_what_others_wrote(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    theirs: list[str] = []
    before_pushes(
        server, lambda n: theirs.append(upstream.commit("production", {"theirs": b"%d" % n})) if n < 2 else None
    )
    pushed = repository.write(BOTH, gate(b"one"))
    assert len(pushed.written) == 2
    assert [b"ng refs/heads/" in answer for answer in pushes(server)] == [True, True, False]
    assert upstream.git("rev-parse", "production^") == theirs[-1]
    assert upstream.git("rev-list", "--count", f"{theirs[0]}^..production") == "3"
    assert upstream.show("production", SLO_PATH) == b"one"


def test_a_push_that_nobody_lets_through_is_given_up_with_the_last_words(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    before_pushes(server, lambda n: upstream.commit("production", {"theirs": b"%d" % n}))
    with pytest.raises(GitOperationFailedError, match=r"others were always faster.*production: (failed|atomic|.*lock)"):
        repository.write(BOTH, gate(b"one"))
    assert len(pushes(server)) == 10


def test_what_somebody_else_made_already_becomes_nothing_to_do(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    before_pushes(server, lambda n: upstream.commit("production", {SLO_PATH: b"one"}))
    pushed = repository.write(BOTH, slo(b"one"))
    assert pushed.written == ()
    assert upstream.git("log", "-1", "--format=%s", "production") == "by hand"


def test_a_branch_that_goes_away_is_not_made_again(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    before_pushes(server, lambda _: upstream.git("update-ref", "-d", "refs/heads/production"))
    with pytest.raises(Exception, match="no branch 'production'"):
        repository.write(BOTH, slo(b"one"))
    assert upstream.tip("production") == ""


def test_a_rewritten_branch_is_never_forced_back(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    tree = upstream.git("rev-parse", "production^{tree}")
    orphan = upstream.git("commit-tree", tree, "-m", "rewritten")
    before_pushes(server, lambda n: n or upstream.git("update-ref", "refs/heads/production", orphan))
    repository.write(BOTH, slo(b"one"))
    assert upstream.git("rev-parse", "production^") == orphan


def test_a_lock_that_somebody_holds_is_waited_for(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    lock = upstream.path / "refs/heads/production.lock"
    before_pushes(server, lambda n: lock.touch() if n < 2 else lock.unlink(missing_ok=True))
    repository.write(BOTH, slo(b"one"))
    assert upstream.show("production", SLO_PATH) == b"one"


@pytest.mark.parametrize("words", ["no, for a reason of mine", "hook declined"])
def test_a_refusal_without_a_race_is_final(
    repository: GitRepository, server: GitServer, upstream: Upstream, words: str
) -> None:
    def refuse(handler: Handler, seen: Seen) -> bool:
        if not (seen.method == "POST" and seen.path.endswith("git-receive-pack")):
            return False
        report = f"000eunpack ok\n{len(words) + 32:04x}ng refs/heads/production {words}\n0000".encode()
        content_type = {"Content_Type": "application/x-git-receive-pack-result"}
        handler.reply(200, f"{len(report) + 5:04x}".encode() + b"\x01" + report + b"0000", **content_type)
        return True

    server.misbehave = refuse
    with pytest.raises(PushRejectedError, match=words):
        repository.write(BOTH, slo(b"one"))


def test_without_atomic_pushes_the_stage_goes_first_and_the_shipyard_only_after_it(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    upstream.config("receive.advertiseAtomic", "false")
    hook(upstream, "update", 'if [ "$1" = refs/heads/production ]; then exit 1; fi')
    before = upstream.tip("main")
    with pytest.raises(PushRejectedError, match="production"):
        repository.write(BOTH, gate(b"one"))
    assert upstream.tip("main") == before
    hook(upstream, "update", "exit 0")
    server.log.clear()
    repository.write(BOTH, gate(b"one"))
    assert [b"ok refs/heads/production" in answer for answer in pushes(server)] == [True, False]
    assert upstream.show("main", "shipyard.yaml") == b"one"


def test_what_landed_before_a_rejection_is_reported_with_the_rest(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    upstream.config("receive.advertiseAtomic", "false")
    before_pushes(server, lambda n: n == 1 and upstream.commit("main", {"theirs": b"x"}))
    pushed = repository.write(BOTH, gate(b"one"))
    assert {one.branch for one in pushed.written} == {"main", "production"}
    assert upstream.git("log", "--format=%s", "-2", "production").splitlines()[1] == "by hand"


def test_twenty_operators_and_an_outside_writer_on_one_branch_lose_nothing(
    server: GitServer, upstream: Upstream
) -> None:
    start, done = upstream.tip("production"), threading.Event()
    server.token = ""
    with ThreadPoolExecutor(21) as pool:
        outside = pool.submit(write_by_hand, upstream, done)
        results = list(pool.map(lambda number: operate(server, number), range(20)))
        done.set()
        theirs = outside.result(10)
    assert [one.written[0].path for one in results] == [f"service-{number}/slo.yaml" for number in range(20)]
    assert upstream.git("rev-list", "--count", f"{start}..production") == str(20 + theirs)
    assert all(upstream.show("production", f"service-{number}/slo.yaml") == b"%d" % number for number in range(20))
    assert all(upstream.show("production", f"theirs/{number}") == b"x" for number in range(theirs))
    rejected = [one for one in server.log if b"ng refs/heads/production" in one.answer]
    assert len(rejected) >= 20
    assert all(read_again(server, one) for one in rejected)
    assert upstream.fsck() == ""


def operate(server: GitServer, number: int) -> Pushed:
    """One operator of its own, which comes back when it had to give up."""
    opened = Repositories(
        author_name="prodeval", author_email="prodeval@localhost", delays=lambda: iter([0.0] + [0.1] * 9)
    )
    repository = opened.open("fulltour", https(server.url("fulltour.git"), user=f"bot-{number}"))
    try:
        while True:
            try:
                return repository.write(frozenset({PRODUCTION}), slo(b"%d" % number, f"service-{number}"))
            except GitOperationFailedError:
                continue
    finally:
        opened.close()


def write_by_hand(upstream: Upstream, done: threading.Event) -> int:
    """Commit every 200 ms; returns how many landed."""
    landed = 0
    while not done.wait(0.2):
        landed += upstream.commit_if_first("production", {f"theirs/{landed}": b"x"})
    return landed


def read_again(server: GitServer, rejected: Seen) -> bool:
    """Whether the operator of a rejected push listed the refs before it did anything else."""
    who = rejected.headers["Authorization"]
    after = server.log[server.log.index(rejected) + 1 :]
    following = next(one for one in after if one.headers["Authorization"] == who)
    return b"command=ls-refs" in following.body
