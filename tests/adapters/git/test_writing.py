"""What lands upstream, behind every kind of server."""

import stat
from pathlib import Path

import pytest

from prodeval.adapters.git import Repositories
from prodeval.adapters.git.repositories import GitRepository
from prodeval.domain.errors import DependencyNotReadyError, InvalidFileError
from prodeval.domain.upstream import Change, Snapshot, Write
from tests.adapters.git.conftest import https
from tests.adapters.git.httpserver import GitServer
from tests.adapters.git.plans import BOTH, MAIN, MESSAGE, PRODUCTION, SHIPYARD_PATH, SLO_PATH, gate, nothing, wanting
from tests.adapters.git.upstreams import SHIPYARD, SLO, Upstream


def test_both_branches_get_one_commit_each_and_nothing_else_changes(
    any_repository: GitRepository, upstream: Upstream
) -> None:
    before = {name: upstream.tip(name) for name in ("main", "qa", "production")}
    pushed = any_repository.write(BOTH, gate(b"one\r\n\xff\x00"))
    assert pushed.tips == {"main": upstream.tip("main"), "production": upstream.tip("production")}
    assert pushed.default_branch == "main"
    assert {(one.branch, one.path) for one in pushed.written} == {(PRODUCTION, SLO_PATH), (MAIN, SHIPYARD_PATH)}
    assert upstream.changed(before["main"], "main") == [f"M\t{SHIPYARD_PATH}"]
    assert upstream.changed(before["production"], "production") == [f"A\t{SLO_PATH}"]
    assert upstream.tip("qa") == before["qa"]
    assert upstream.git("rev-parse", "main^", "production^").split() == [before["main"], before["production"]]
    assert upstream.show("main", SHIPYARD_PATH) == upstream.show("production", SLO_PATH) == b"one\r\n\xff\x00"
    assert upstream.fsck() == ""


def test_what_is_there_already_makes_no_commit(any_repository: GitRepository, upstream: Upstream) -> None:
    first = any_repository.write(BOTH, gate(b"one"))
    again = any_repository.write(BOTH, gate(b"one"))
    assert again.written == ()
    assert again.tips == first.tips == {"main": upstream.tip("main"), "production": upstream.tip("production")}


def test_several_writes_in_a_row_chain_up(any_repository: GitRepository, upstream: Upstream) -> None:
    start = upstream.tip("production")
    for number in range(3):
        any_repository.write(BOTH, gate(b"%d" % number))
    assert upstream.git("rev-list", "--count", f"{start}..production") == "3"
    assert upstream.show("production", SLO_PATH) == b"2"
    assert upstream.fsck() == ""


def test_somebody_elses_commits_are_read_and_kept(any_repository: GitRepository, upstream: Upstream) -> None:
    any_repository.write(BOTH, gate(b"one"))
    theirs = upstream.commit("production", {"helloservice/locust/basic.py": b"# theirs\n", SLO_PATH: b"theirs"})
    seen = any_repository.look(BOTH, lambda snapshot: snapshot.read(PRODUCTION, SLO_PATH))
    any_repository.write(BOTH, gate(b"two"))
    assert seen == b"theirs"
    assert upstream.git("rev-parse", "production^") == theirs
    assert upstream.show("production", "helloservice/locust/basic.py") == b"# theirs\n"


def test_a_snapshot_reads_lists_and_compares(any_repository: GitRepository) -> None:
    def at(snapshot: Snapshot) -> tuple[object, ...]:
        return (
            snapshot.read("qa", SLO_PATH),
            snapshot.read("qa", "helloservice/absent.yaml"),
            snapshot.read("main", "shipyard.yaml"),
            snapshot.holds("qa", SLO_PATH, SLO),
            snapshot.holds("qa", SLO_PATH, SLO + b"\n"),
            snapshot.list("qa", "helloservice"),
            snapshot.list("qa", "helloservice/locust/"),
            snapshot.list("qa", "absent"),
            snapshot.list("qa", ""),
            snapshot.read("no-such-branch", SLO_PATH),
            snapshot.list("no-such-branch", ""),
        )

    service = ("locust/basic.py", "metadata.yaml", "slo.yaml")
    everything = (
        "helloservice/locust/basic.py",
        "helloservice/metadata.yaml",
        "helloservice/slo.yaml",
        "metadata.yaml",
    )
    expected = (SLO, None, SHIPYARD, True, False, service, ("basic.py",), (), everything, None, ())
    assert any_repository.look(frozenset({"qa"}), at) == expected
    assert any_repository.look(frozenset(), at) == expected  # a branch that nobody asked for is looked up


def test_tips_name_the_branches_that_exist(any_repository: GitRepository, upstream: Upstream) -> None:
    pushed = any_repository.write(frozenset({"production", "staging"}), nothing)
    assert pushed.tips == {"main": upstream.tip("main"), "production": upstream.tip("production")}


def test_a_missing_branch_is_never_made(any_repository: GitRepository, upstream: Upstream) -> None:
    with pytest.raises(DependencyNotReadyError, match="no branch 'staging'"):
        any_repository.write(
            frozenset({"staging"}), wanting({("staging", SLO_PATH): b"x", (MAIN, SHIPYARD_PATH): b"x"})
        )
    assert upstream.tip("staging") == ""
    assert upstream.show("main", SHIPYARD_PATH) == SHIPYARD


def test_modes_links_submodules_and_pointers_stay(
    repository: GitRepository, upstream: Upstream, tmp_path: Path
) -> None:
    index = {"GIT_INDEX_FILE": str(tmp_path / "odd-index")}
    blob = upstream.git("hash-object", "-w", "--stdin", stdin=b"old")
    lines = (
        f"100755 {blob}\t{SLO_PATH}\n120000 {blob}\thelloservice/link\n"
        f"160000 {upstream.tip('main')}\thelloservice/module\n100644 {blob}\thelloservice/slo.yaml.d/x\n"
        f"100644 {blob}\thelloservice/ümläut \udcff\n"
    )
    upstream.git("read-tree", "production", env=index)
    upstream.git("update-index", "--index-info", stdin=lines.encode("utf-8", "surrogateescape"), env=index)
    tree = upstream.git("write-tree", env=index)
    upstream.git(
        "update-ref", "refs/heads/production", upstream.git("commit-tree", tree, "-m", "odd", "-p", "production")
    )
    before = upstream.git("ls-tree", "-r", "production")
    repository.write(BOTH, gate(b"new"))
    after = upstream.git("ls-tree", "-r", "production")
    new = upstream.git("hash-object", "--stdin", stdin=b"new")
    assert after == before.replace(f"100755 blob {blob}\t{SLO_PATH}", f"100755 blob {new}\t{SLO_PATH}")
    assert stat.S_IMODE(int(upstream.git("ls-tree", "production", SLO_PATH).split()[0], 8)) == 0o755
    assert upstream.fsck() == ""


@pytest.mark.parametrize(
    ("mode", "kind", "what"),
    [("120000", "blob", "a symbolic link"), ("160000", "commit", "a submodule"), ("040000", "tree", "a directory")],
)
def test_what_is_no_file_is_neither_read_nor_replaced(
    repository: GitRepository, upstream: Upstream, mode: str, kind: str, what: str
) -> None:
    ids = {"blob": upstream.git("rev-parse", "main:shipyard.yaml"), "commit": upstream.tip("main")}
    ids["tree"] = upstream.git("mktree", stdin=f"100644 blob {ids['blob']}\tinner\n".encode())
    service = upstream.git("mktree", stdin=f"{mode} {kind} {ids[kind]}\tslo.yaml\n".encode())
    root = upstream.git("mktree", stdin=f"040000 tree {service}\thelloservice\n".encode())
    upstream.git(
        "update-ref", "refs/heads/production", upstream.git("commit-tree", root, "-m", "odd", "-p", "production")
    )
    with pytest.raises(InvalidFileError, match=f"production:helloservice/slo.yaml: is {what}"):
        repository.look(BOTH, lambda snapshot: snapshot.read(PRODUCTION, SLO_PATH))
    plan = Write((Change(PRODUCTION, SLO_PATH, b"x"),), MESSAGE)
    with pytest.raises(InvalidFileError, match=f"production:helloservice/slo.yaml: is {what}"):
        repository.write(BOTH, lambda _: plan)
    if kind != "tree":
        with pytest.raises(InvalidFileError, match=f"production:helloservice/slo.yaml: is {what}"):
            repository.look(BOTH, lambda snapshot: snapshot.read(PRODUCTION, SLO_PATH + "/deeper"))


@pytest.mark.parametrize(
    "path",
    [
        "../slo.yaml",
        "a/../b",
        ".git/config",
        "a/.git/hooks",
        "a//b",
        "/a",
        "a/",
        "",
        "a\\b",
        "a\0b",
        "é",
        "-a",
        "a" * 1100,
    ],
)
def test_a_path_that_no_file_of_ours_has_is_refused(repository: GitRepository, upstream: Upstream, path: str) -> None:
    before = upstream.tip("production")
    with pytest.raises(InvalidFileError, match="is not a path that prodeval writes"):
        repository.write(BOTH, lambda _: Write((Change(PRODUCTION, path, b"x"),), MESSAGE))
    assert upstream.tip("production") == before


def test_files_go_into_new_directories_and_the_directory_layout(repository: GitRepository, upstream: Upstream) -> None:
    paths = [".keptn-stages/production/helloservice/slo.yaml", "new/deep/er/file.yaml"]
    repository.write(frozenset(), wanting({(MAIN, path): b"x" for path in paths}))
    listed = repository.look(frozenset(), lambda snapshot: snapshot.list(MAIN, ".keptn-stages/production"))
    assert [upstream.show("main", path) for path in paths] == [b"x", b"x"]
    assert listed == ("helloservice/slo.yaml",)
    assert upstream.fsck() == ""


def test_the_commit_says_who_and_why(repository: GitRepository, upstream: Upstream) -> None:
    upstream.git("-c", "user.name=x", "tag", "v1", "production")
    repository.write(BOTH, gate(b"one"))
    assert upstream.git("log", "-1", "--format=%an <%ae> %cn <%ce>", "main") == " ".join(
        ["prodeval <prodeval@localhost>"] * 2
    )
    assert upstream.git("log", "-1", "--format=%B", "main") == MESSAGE.strip()
    assert (
        upstream.git("log", "-1", "--format=%(trailers:key=Prodeval-Resource,valueonly)", "main")
        == "team-a/helloservice"
    )


def test_a_commit_is_never_older_than_its_parent(repository: GitRepository, upstream: Upstream) -> None:
    tree = upstream.git("rev-parse", "main^{tree}")
    date = {"GIT_COMMITTER_DATE": "@4000000000 +0200"}
    future = upstream.git("commit-tree", tree, "-m", "clock is wrong", "-p", "main", env=date)
    upstream.git("update-ref", "refs/heads/main", future)
    repository.write(BOTH, gate(b"one"))
    assert upstream.git("log", "-1", "--format=%ct", "main") == "4000000000"
    assert upstream.git("log", "-1", "--format=%cd", "--date=raw", "main").endswith("+0000")


def test_the_branch_of_the_config_wins_over_head(
    repositories: Repositories, server: GitServer, upstream: Upstream
) -> None:
    repository = repositories.open("fulltour", https(server.url("fulltour.git")), branch="qa")
    pushed = repository.write(
        BOTH, lambda snapshot: Write((Change(snapshot.default_branch, "shipyard.yaml", b"x"),), "m")
    )
    assert pushed.default_branch == "qa"
    assert upstream.show("qa", "shipyard.yaml") == b"x"
