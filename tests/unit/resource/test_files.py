import pytest

from prodeval.domain.errors import DependencyNotReadyError
from prodeval.domain.files import (
    ManagedFile,
    WantedFile,
    config_map_files,
    files_digest,
    merge_sources,
    ownership,
    sha256,
    stage_files,
    well_known_items,
)


def wanted(content=b"new", *, copied=False):
    return WantedFile("slo.yaml", content, "stage/qa" if copied else "inline", copied)


@pytest.mark.parametrize(
    ("file", "found", "written", "owner"),
    [
        (wanted(), None, {}, "Write"),
        (wanted(), b"new", {}, "Hold"),
        (wanted(), b"theirs", {}, "Write"),
        (wanted(copied=True), None, {}, "Write"),
        (wanted(copied=True), b"new", {}, "Hold"),
        (wanted(copied=True), b"ours before", {"slo.yaml": sha256(b"ours before")}, "Write"),
        (wanted(copied=True), b"theirs", {"slo.yaml": sha256(b"ours before")}, "Keep"),
        (wanted(copied=True), b"theirs", {}, "Keep"),
    ],
)
def test_a_copy_never_overwrites_what_somebody_else_wrote(file, found, written, owner):
    assert ownership(file, found, written) == owner


def test_later_sources_win_for_each_path():
    first, second = WantedFile("a", b"1", "stage/qa"), WantedFile("a", b"2", "inline")
    assert merge_sources([[first, WantedFile("b", b"3", "stage/qa")], [second]]) == (
        second,
        WantedFile("b", b"3", "stage/qa"),
    )


def test_well_known_keys_of_a_config_map_find_their_place():
    data = {"slo.yaml": b"1", "sli.yaml": b"2", "basic.py": b"3", "locust.conf": b"4", "notes.txt": b"5"}
    files = config_map_files("gate", well_known_items(data), data)
    assert {file.path: file.content for file in files} == {
        "slo.yaml": b"1",
        "prometheus/sli.yaml": b"2",
        "locust/basic.py": b"3",
        "locust/locust.conf": b"4",
    }
    assert {file.origin for file in files} == {"configMap/gate"}


def test_a_named_key_that_is_not_there_yet_is_waited_for():
    with pytest.raises(DependencyNotReadyError, match="ConfigMap 'gate' has no key 'slo'"):
        config_map_files("gate", [("slo", "slo.yaml")], {})


def test_a_named_file_of_a_stage_is_waited_for_and_an_unnamed_one_is_not():
    with pytest.raises(DependencyNotReadyError, match=r"stage 'qa' has no file 'slo\.yaml'"):
        stage_files("qa", ["slo.yaml"], {}.get, named=True)
    assert stage_files("qa", ["slo.yaml"], {}.get, named=False) == ()


def test_the_digest_depends_on_paths_and_bytes_not_on_order():
    one, two = ManagedFile("a", "1", "inline"), ManagedFile("b", "2", "inline")
    assert files_digest([one, two]) == files_digest([two, one])
    assert files_digest([one]) != files_digest([ManagedFile("a", "2", "inline")])
