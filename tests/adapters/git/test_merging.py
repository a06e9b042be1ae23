"""Calls that meet on one upstream share a push, and nothing else."""

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from prodeval.adapters.git import Repositories
from prodeval.adapters.git.repositories import GitRepository
from prodeval.domain.errors import InvalidSpecError, PushRejectedError
from prodeval.domain.upstream import Pushed, Snapshot, Write
from tests.adapters.git.conftest import https
from tests.adapters.git.httpserver import GitServer, Handler, Seen
from tests.adapters.git.plans import BOTH, MAIN, PRODUCTION, gate, nothing, slo, wanting
from tests.adapters.git.upstreams import Upstream, hook, tutorial


@contextmanager
def met(repository: GitRepository, server: GitServer, calls: int) -> Iterator[Callable[..., Future[Pushed]]]:
    """Hold a first call at the server until the others wait behind it."""
    at_server, go_on = threading.Event(), threading.Event()

    def hold(handler: Handler, seen: Seen) -> bool:
        at_server.set()
        go_on.wait(20)
        return False

    server.misbehave = hold
    with ThreadPoolExecutor(calls + 1) as pool:
        first = pool.submit(repository.write, frozenset(), nothing)
        assert at_server.wait(20)
        yield lambda *arguments: pool.submit(repository.write, *arguments)
        while len(repository._waiting) < calls:
            threading.Event().wait(0.005)
        server.misbehave = lambda handler, seen: False
        go_on.set()
        first.result(20)


def test_writes_that_meet_share_one_push_with_a_commit_each(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    start = upstream.tip("production")
    with met(repository, server, 10) as write:
        futures = [write(BOTH, slo(b"%d" % number, f"service-{number}")) for number in range(10)]
    results = [future.result(0) for future in futures]
    assert [one.written[0].path for one in results] == [f"service-{number}/slo.yaml" for number in range(10)]
    assert {one.tips["production"] for one in results} == {upstream.tip("production")}
    assert upstream.git("rev-list", "--count", f"{start}..production") == "10"
    assert [one for one in server.requests() if "receive" in one] == ["POST git-receive-pack"]
    assert upstream.fsck() == ""


def test_a_later_write_sees_an_earlier_one_of_the_same_push(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    before = upstream.tip("main")
    with met(repository, server, 2) as write:
        futures = [write(BOTH, gate(b"same")), write(BOTH, gate(b"same"))]
    written = sorted(len(future.result(0).written) for future in futures)
    assert written == [0, 2]
    assert upstream.git("rev-list", "--count", f"{before}..main") == "1"


def test_one_that_gives_up_does_not_sink_the_others(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    def invalid(snapshot: Snapshot) -> Write:
        assert snapshot.default_branch == "main"
        raise InvalidSpecError("spec.timeframe: is not a duration")

    def broken(_: Snapshot) -> Write:
        raise ZeroDivisionError

    with met(repository, server, 4) as write:
        futures = [write(BOTH, plan) for plan in (slo(b"a", "a"), invalid, broken, slo(b"b", "b"))]
    assert [type(future.exception(0)) for future in futures] == [
        type(None),
        InvalidSpecError,
        ZeroDivisionError,
        type(None),
    ]
    assert upstream.show("production", "a/slo.yaml") == b"a"
    assert upstream.show("production", "b/slo.yaml") == b"b"


def test_a_rule_that_stops_one_branch_does_not_stop_other_resources(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    hook(upstream, "update", 'if [ "$1" = refs/heads/main ]; then echo main is protected >&2; exit 1; fi')
    with met(repository, server, 3) as write:
        futures = [
            write(BOTH, slo(b"a", "a")),
            write(BOTH, wanting({(MAIN, "shipyard.yaml"): b"x"})),
            write(BOTH, slo(b"b", "b")),
        ]
    assert isinstance(futures[1].exception(0), PushRejectedError)
    assert "main is protected" in str(futures[1].exception(0))
    assert [futures[number].result(0).written[0].path for number in (0, 2)] == ["a/slo.yaml", "b/slo.yaml"]
    assert upstream.show("production", "b/slo.yaml") == b"b"


def test_looks_and_writes_take_turns(repository: GitRepository, upstream: Upstream) -> None:
    def seen(number: int) -> bool:
        if number % 2:
            repository.write(BOTH, slo(b"%d" % number, f"service-{number}"))
        return repository.look(BOTH, lambda snapshot: snapshot.holds(PRODUCTION, "helloservice/slo.yaml", b"x"))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(seen, range(16))) == [False] * 16
    assert upstream.fsck() == ""


def test_fifty_resources_on_ten_projects_in_one_go(repositories: Repositories, server: GitServer) -> None:
    upstreams = [tutorial(server.root / f"project-{number}.git") for number in range(3)]
    upstreams += [copied(upstreams[0], number) for number in range(3, 10)]

    def write(number: int) -> Pushed:
        project = f"project-{number % 10}"
        repository = repositories.open(project, https(server.url(f"{project}.git")))
        return repository.write(BOTH, slo(b"%d" % number, f"service-{number}"))

    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(write, range(50)))
    assert [one.written[0].path for one in results] == [f"service-{number}/slo.yaml" for number in range(50)]
    for number in range(50):
        assert upstreams[number % 10].show("production", f"service-{number}/slo.yaml") == b"%d" % number
    pushes = sum(one.method == "POST" and one.path.endswith("git-receive-pack") for one in server.log)
    assert pushes < 50


def copied(upstream: Upstream, number: int) -> Upstream:
    return Upstream(shutil.copytree(upstream.path, upstream.path.parent / f"project-{number}.git"))


def test_the_same_project_stays_open_until_its_credentials_change(repositories: Repositories) -> None:
    first = repositories.open("fulltour", https("https://git.example.com/a.git"))
    assert repositories.open("fulltour", https("https://git.example.com/a.git")) is first
    assert repositories.open("fulltour", https("https://git.example.com/a.git", token="new")) is not first
    assert (
        repositories.open("fulltour", https("https://git.example.com/a.git", token="new"), branch="main") is not first
    )
    assert repositories.open("other", https("https://git.example.com/a.git")) is not first
