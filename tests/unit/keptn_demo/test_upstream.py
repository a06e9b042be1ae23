from pathlib import Path

import pytest

from demo.keptn.upstream import NotThereError, Upstream, UpstreamError
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
