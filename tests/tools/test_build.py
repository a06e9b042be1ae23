from pathlib import Path

import pytest

from demo.tools import build, installed

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


@pytest.fixture
def in_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a program that tells a version into PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def put(name: str, says: str) -> Path:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{says}\n")
        program.chmod(0o755)
        return program

    return put


SAYS = {
    "etcd": "test $1 = --version && echo 'etcd Version: 3.6.4'; echo 'Git SHA: 1.2.3'",
    "kube-apiserver": "test $1 = --version && echo 'Kubernetes v1.36.0'",
    "kubectl": "test \"$*\" = 'version --client' && echo 'Client Version: v1.35.4-dispatcher'",
    "prometheus": "test $1 = --version && echo 'prometheus, version 3.5.0 (branch: HEAD, revision: 8be3a)'",
}


def test_what_is_in_path_and_fit_is_used_instead_of_built(in_path):
    programs = {name: in_path(name, says) for name, says in SAYS.items()}
    make_programs(build.directory(), {"kstatus", "keptn-decode"})

    folder = build.build()

    assert {name: (folder / name).readlink() for name in SAYS} == programs


@pytest.mark.parametrize(
    ("name", "says", "why"),
    [
        ("kubectl", "echo 'Client Version: v1.32.4-dispatcher'", "is 1.32, needed is 1.35 or later, before 1.38"),
        ("kubectl", "echo 'Client Version: v1.38.0'", "is 1.38, needed is 1.35 or later, before 1.38"),
        ("etcd", "echo 'etcd Version: 3.4.23'", "is 3.4, needed is 3.6 or later, before 4.0"),
        ("kube-apiserver", "echo 'Kubernetes v1.35.9'", "is 1.35, needed is 1.36 or later, before 1.37"),
        ("prometheus", "echo 'prometheus, version 2.53.3+ds1'", "is 2.53, needed is 3.0 or later, before 4.0"),
        ("prometheus", "echo 'prometheus, version unknown'", "does not tell its version"),
        ("etcd", "echo 'etcd Version: 3.6.4'; exit 1", "does not tell its version"),
        ("etcd", "printf 'etcd \\377Version: 3.6.4'", "does not tell its version"),
    ],
)
def test_what_is_in_path_and_unfit_is_built_and_one_line_says_why(in_path, monkeypatch, capsys, name, says, why):
    unfit, built = in_path(name, says), []
    make_programs(build.directory(), set(build.missing()) - {name})
    monkeypatch.setattr(build, "_go", lambda: "go")
    monkeypatch.setattr(build, "_compile", lambda go, program, target: built.append(program.name))

    build.build()

    assert built == [name]
    assert f"{name}: {unfit} {why}; it is not used\n" in capsys.readouterr().err


def test_what_is_in_path_and_cannot_be_run_is_unfit(in_path):
    in_path("etcd", "").write_bytes(b"\x7fELF for another machine")

    assert build._in_path()["etcd"].unfit == "does not tell its version"


def test_a_program_in_path_and_an_unfit_one_have_folders_of_their_own(in_path):
    without = build.directory()
    in_path("etcd", "echo 'etcd Version: 3.4.23'")
    assert build.directory() == without
    in_path("prometheus", SAYS["prometheus"])
    assert build.directory() != without


def test_another_version_of_the_same_program_has_another_folder(in_path):
    in_path("etcd", "echo 'etcd Version: 3.6.4'")
    older = build.directory()
    installed._version.cache_clear()
    in_path("etcd", "echo 'etcd Version: 3.7.0'")
    assert build.directory() != older


def test_a_program_that_was_removed_from_path_is_missing_again(in_path):
    programs = [in_path(name, says) for name, says in SAYS.items()]
    make_programs(build.directory(), {"kstatus", "keptn-decode"})
    folder = build.build()
    assert build.missing() == ()

    for program in programs:
        program.unlink()

    assert build.directory() != folder
    assert set(build.missing()) >= set(SAYS)


def test_a_link_to_a_program_that_is_gone_counts_as_missing(tmp_path: Path):
    make_programs(build.directory(), set(build.missing()) - {"etcd"})
    (build.directory() / "etcd").symlink_to(tmp_path / "gone")

    assert build.missing() == ("etcd",)


def test_assets_go_before_what_is_in_path(in_path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    in_path("etcd", SAYS["etcd"])
    make_programs(tmp_path / "assets", ASSETS)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    make_programs(build.directory(), set(build.missing()) - ASSETS)

    assert (build.build() / "etcd").resolve() == tmp_path / "assets" / "etcd"
