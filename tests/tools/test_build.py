from pathlib import Path

import pytest

from demo.tools import build

ASSETS = {"etcd", "kube-apiserver", "kubectl"}


@pytest.fixture(autouse=True)
def _empty_cache_and_no_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)


def make_programs(folder: Path, names: set[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch(mode=0o755)


def test_in_an_empty_cache_every_program_is_missing():
    assert set(build.missing()) == ASSETS | {"prometheus", "kstatus", "keptn-decode"}


def test_what_is_built_already_is_not_built_again():
    make_programs(build.directory(), set(build.missing()))

    assert build.build() == build.directory()


def test_assets_are_used_instead_of_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_programs(tmp_path / "assets", ASSETS)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    make_programs(build.directory(), set(build.missing()) - ASSETS)

    folder = build.build()

    assert {(folder / name).resolve().parent for name in ASSETS} == {tmp_path / "assets"}


def test_assets_and_own_programs_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    without = build.directory()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    assert build.directory() != without


def test_assets_without_a_program_are_refused_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make_programs(tmp_path / "assets", ASSETS - {"kubectl"})
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))

    with pytest.raises(RuntimeError, match=r"assets/kubectl: add it"):
        build.build()
