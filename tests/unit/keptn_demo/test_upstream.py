from pathlib import Path

import pytest

from demo.gitserver import git
from demo.keptn.upstream import AlreadyThereError, NotThereError, PushRefusedError, Upstream, UpstreamError
from tests.unit.keptn_demo.upstreams import commit, create


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "p.git"


@pytest.fixture
def upstream(folder: Path, tmp_path: Path) -> Upstream:
    url = create(folder, {"trunk": {"shipyard.yaml": "one"}, "qa": {"s/slo.yaml": "one", "s/a/b": "x", "t/c": "y"}})
    return Upstream(url, tmp_path / "clone")


def test_a_push_is_seen_at_once_and_a_commit_stays_readable(upstream: Upstream, folder: Path):
    before = upstream.tip("qa")
    after = commit(folder, "qa", {"s/slo.yaml": "two"}, on_top=True)

    assert (upstream.read("slo.yaml", stage="qa", service="s").content, upstream.tip("qa")) == (b"two", after)
    assert upstream.read("slo.yaml", stage="qa", service="s", commit=before).content == b"one"


def test_the_project_stands_on_the_default_branch(upstream: Upstream):
    assert upstream.default_branch == "trunk"
    assert upstream.read("shipyard.yaml").content == b"one"


def test_paths_are_those_of_the_service(upstream: Upstream):
    assert upstream.paths(stage="qa", service="s")[0] == ["a/b", "slo.yaml"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"stage": "nope"}, "Stage not found"),
        ({"stage": "qa", "service": "nope"}, "Service not found"),
        ({"stage": "qa", "service": "s"}, "Resource not found"),
    ],
)
def test_what_is_missing_is_named_as_keptn_names_it(upstream: Upstream, place: dict[str, str], message: str):
    with pytest.raises(NotThereError, match=message):
        upstream.read("nope.yaml", **place)


def test_a_commit_that_is_not_known_is_an_error(upstream: Upstream):
    with pytest.raises(UpstreamError):
        upstream.read("slo.yaml", stage="qa", service="s", commit="0123456789" * 4)


def test_a_rewritten_branch_cannot_be_read_any_more(upstream: Upstream, folder: Path):
    commit(folder, "qa", {"s/slo.yaml": "three"})

    with pytest.raises(UpstreamError, match="fetch"):
        upstream.tip("qa")


def test_credentials_stand_in_no_message(tmp_path: Path):
    with pytest.raises(UpstreamError) as refused:
        Upstream("http://keptn:secret@127.0.0.1:9/p.git", tmp_path / "clone")

    assert "secret" not in str(refused.value)


def test_a_write_is_pushed_below_its_service_also_if_it_changes_nothing(upstream: Upstream, folder: Path):
    first = upstream.write({"./a/new.txt": b"new"}, stage="qa", service="s")
    second = upstream.write({"a/new.txt": b"new"}, stage="qa", service="s")

    assert first != second == git("-C", str(folder), "rev-parse", "qa").strip()
    assert git("-C", str(folder), "show", "qa:s/a/new.txt") == "new"
    assert git("-C", str(folder), "log", "--format=%an %s", "-2", "qa").splitlines() == ["keptn Updated resource"] * 2


def test_a_service_is_made_once(upstream: Upstream):
    upstream.create_service("qa", "new", b"servicename: new\n")

    assert upstream.paths(stage="qa", service="new")[0] == ["metadata.yaml"]
    with pytest.raises(AlreadyThereError):
        upstream.create_service("qa", "new", b"")


def test_files_of_an_unknown_service_are_refused(upstream: Upstream):
    with pytest.raises(NotThereError, match="Service not found"):
        upstream.write({"x": b""}, stage="qa", service="nope")


def test_a_write_is_refused_until_every_branch_that_others_moved_was_read(upstream: Upstream, folder: Path):
    def write(stage: str) -> str:
        return upstream.write({"x": b"x"}, stage=stage)

    for branch in ("trunk", "qa"):
        commit(folder, branch, {"theirs": branch}, on_top=True)
    before = git("-C", str(folder), "for-each-ref")

    # A write reads its own branch first, so that the other one is named.
    with pytest.raises(PushRefusedError, match=r"^non-fast-forward update: refs/heads/qa$"):
        write("")
    commit(folder, "trunk", {"theirs": "again"}, on_top=True)
    with pytest.raises(PushRefusedError, match=r"^non-fast-forward update: refs/heads/trunk$"):
        write("qa")
    assert git("-C", str(folder), "rev-parse", "qa").strip() in before, "nothing of a refused write arrives"
    upstream.tip("")
    assert write("qa")
    assert git("-C", str(folder), "log", "--format=%s", "qa").splitlines() == ["Updated resource", "x", "x"]


def test_a_branch_that_was_made_upstream_is_not_seen_and_hinders_nothing(upstream: Upstream, folder: Path):
    commit(folder, "new", {"a": "b"})

    with pytest.raises(NotThereError, match="Stage not found"):
        upstream.tip("new")
    assert upstream.write({"x": b"x"}, stage="qa")
