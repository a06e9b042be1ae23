"""An upstream on this machine, as a real git leaves it."""

from pathlib import Path

import pytest

from demo.gitserver import git
from prodeval.adapters.git.local import open_local
from prodeval.domain.errors import DependencyNotReadyError, InvalidFileError


def run(folder: Path, *arguments: str) -> None:
    git("-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    git("init", "--quiet", "--initial-branch=trunk", str(folder))
    (folder / "svc/locust").mkdir(parents=True)
    (folder / "svc/slo.yaml").write_bytes(b"a\r\n")
    (folder / "svc/locust/x.py").write_bytes(b"")
    (folder / "svc/link").symlink_to("slo.yaml")
    run(folder, "add", "--all")
    run(folder, "commit", "--quiet", "--message=first")
    run(folder, "branch", "production")
    (folder / "svc/slo.yaml").write_bytes(b"b")
    run(folder, "commit", "--quiet", "--all", "--message=second")
    return folder


def check_contents(snapshot, branch: str) -> None:
    assert snapshot.list(branch, "svc") == ("locust/x.py", "slo.yaml")
    assert snapshot.list(branch, "absent") == ()
    assert snapshot.list(branch, "svc/slo.yaml") == ()
    assert snapshot.list("absent", "svc") == ()
    assert snapshot.read(branch, "absent") is None
    assert snapshot.read(branch, "svc/slo.yaml/x") is None
    assert snapshot.read("absent", "svc/slo.yaml") is None
    for path in ("svc/link", "svc/locust"):
        with pytest.raises(InvalidFileError, match="no regular file"):
            snapshot.read(branch, path)


def test_the_branches_of_a_repository_are_read_not_its_work_tree(repository: Path):
    (repository / "svc/slo.yaml").write_bytes(b"not committed")
    snapshot = open_local(repository)

    assert snapshot.default_branch == "trunk"
    assert set(snapshot.tips) == {"trunk", "production"}
    assert snapshot.read("trunk", "svc/slo.yaml") == b"b"
    assert snapshot.read("production", "svc/slo.yaml") == b"a\r\n"
    assert snapshot.holds("trunk", "svc/slo.yaml", b"b")
    assert not snapshot.holds("production", "svc/slo.yaml", b"b")
    assert snapshot.list("trunk", "") == ("svc/locust/x.py", "svc/slo.yaml")
    check_contents(snapshot, "trunk")


def test_a_clone_on_another_branch_knows_the_default_branch_of_its_remote(repository: Path, tmp_path: Path):
    git("clone", "--quiet", str(repository), str(tmp_path / "clone"))
    run(tmp_path / "clone", "checkout", "--quiet", "-b", "topic")
    (tmp_path / "clone/svc/slo.yaml").write_bytes(b"c")
    run(tmp_path / "clone", "commit", "--quiet", "--all", "--message=third")
    snapshot = open_local(tmp_path / "clone")

    assert snapshot.default_branch == "trunk"
    assert set(snapshot.tips) == {"trunk", "production", "topic"}
    assert snapshot.read("production", "svc/slo.yaml") == b"a\r\n"
    assert snapshot.read("topic", "svc/slo.yaml") == b"c"


def test_a_bare_repository_is_read_like_any_other(repository: Path, tmp_path: Path):
    git("clone", "--quiet", "--bare", str(repository), str(tmp_path / "bare.git"))

    check_contents(open_local(tmp_path / "bare.git"), "production")


def test_a_folder_is_the_default_branch_alone(repository: Path):
    snapshot = open_local(repository / "svc" / "..")
    assert snapshot.tips.keys() == {"trunk", "production"}

    (repository / ".git").rename(repository.parent / "elsewhere")
    folder = open_local(repository)
    assert list(folder.tips) == [folder.default_branch]
    assert folder.holds(folder.default_branch, "svc/slo.yaml", b"b")
    check_contents(folder, folder.default_branch)


def test_a_detached_head_without_a_remote_and_a_path_that_is_no_folder_are_refused(repository: Path):
    with pytest.raises(DependencyNotReadyError, match="no folder"):
        open_local(repository / "svc/slo.yaml")
    run(repository, "checkout", "--quiet", "--detach")
    with pytest.raises(DependencyNotReadyError, match="HEAD names no branch"):
        open_local(repository)
