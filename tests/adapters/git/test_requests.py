"""What an operation costs: requests, connections, bytes."""

from prodeval.adapters.git.repositories import GitRepository
from prodeval.domain.upstream import Snapshot
from tests.adapters.git.httpserver import GitServer, Handler, Seen
from tests.adapters.git.plans import BOTH, PRODUCTION, gate, nothing
from tests.adapters.git.upstreams import Upstream

LIST = FETCH = "POST git-upload-pack"
GREET, GREET_TO_WRITE = "GET info/refs", "GET info/refs"
PUSH = "POST git-receive-pack"


def test_a_first_look_learns_what_the_server_can(repository: GitRepository, server: GitServer) -> None:
    repository.write(BOTH, gate(b"one"))
    assert server.requests() == [GREET, LIST, FETCH, GREET_TO_WRITE, PUSH]


def test_no_change_is_one_request(repository: GitRepository, server: GitServer) -> None:
    repository.write(BOTH, gate(b"one"))
    server.requests()
    repository.write(BOTH, gate(b"one"))
    repository.look(BOTH, lambda snapshot: snapshot.tips)
    assert server.requests() == [LIST, LIST]


def test_a_warm_write_of_both_branches_is_two_requests(repository: GitRepository, server: GitServer) -> None:
    repository.write(BOTH, gate(b"one"))
    server.requests()
    repository.write(BOTH, gate(b"two"))
    assert server.requests() == [LIST, PUSH]


def test_after_somebody_elses_commit_the_trees_are_read_once(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    repository.write(BOTH, gate(b"one"))
    upstream.commit("production", {"helloservice/other.txt": b"theirs"})
    server.requests()
    repository.write(BOTH, gate(b"one"))
    repository.write(BOTH, gate(b"one"))
    assert server.requests() == [LIST, FETCH, LIST]


def test_files_of_one_directory_come_together_and_are_remembered(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    files = {f"helloservice/locust/{number}.py": b"# %d" % number for number in range(5)}
    upstream.commit("qa", {**files, "helloservice/locust/large.bin": bytes(70_000)})

    def at(snapshot: Snapshot) -> list[bytes | None]:
        return [snapshot.read("qa", path) for path in files]

    assert repository.look(frozenset({"qa"}), at) == list(files.values())
    assert sum(len(one.answer) for one in server.log) < 70_000
    assert server.requests() == [GREET, LIST, FETCH, FETCH]
    assert repository.look(frozenset({"qa"}), at) == list(files.values())
    assert server.requests() == [LIST]


def test_a_large_file_is_read_when_it_is_wanted(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    upstream.commit("qa", {"helloservice/large.bin": bytes(70_000)})
    assert repository.look(frozenset({"qa"}), lambda snapshot: snapshot.read("qa", "helloservice/large.bin")) == bytes(
        70_000
    )


def test_comparing_brings_no_file_contents(repository: GitRepository, server: GitServer, upstream: Upstream) -> None:
    upstream.commit("production", {"helloservice/slo.yaml": bytes(range(256)) * 400})
    repository.look(BOTH, lambda snapshot: snapshot.holds(PRODUCTION, "helloservice/slo.yaml", b"x"))
    assert sum(len(one.answer) for one in server.log) < 5_000


def test_a_branch_that_a_planner_came_upon_is_listed_with_the_others_later(
    repository: GitRepository, server: GitServer
) -> None:
    def at(snapshot: Snapshot) -> bool:
        return snapshot.holds("qa", "helloservice/slo.yaml", b"x")

    repository.look(BOTH, at)
    assert server.requests() == [GREET, LIST, LIST, FETCH]
    repository.look(BOTH, at)
    assert server.requests() == [LIST]


def test_one_connection_serves_many_operations(repository: GitRepository, server: GitServer) -> None:
    for number in range(4):
        repository.write(BOTH, gate(b"%d" % number))
        repository.write(BOTH, nothing)
    assert server.connections == 1


def test_connections_that_the_server_closes_are_not_held(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    def close_after(handler: Handler, _: Seen) -> bool:
        handler.close_connection = True
        return False

    server.misbehave = close_after
    for _ in range(5):
        repository.write(BOTH, nothing)
    assert server.connections >= 5
    assert len(repository._transport.guard._watched) <= 1


def test_a_repository_with_many_refs_lists_only_what_is_asked_for(
    repository: GitRepository, server: GitServer, upstream: Upstream
) -> None:
    tip = upstream.tip("main")
    packed = "".join(f"{tip} refs/heads/topic-{number:05}\n" for number in range(20_000))
    (upstream.path / "packed-refs").write_text("# pack-refs with: peeled fully-peeled sorted \n" + packed)
    repository.look(BOTH, lambda snapshot: snapshot.tips)
    assert sum(len(one.answer) for one in server.log) < 2_000
