"""What is shipped: the wheel, the requirements, the image's recipe, and a folder called operator that harms nobody."""

import itertools
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ("deploy/requirements.txt", "deploy/build-requirements.txt", "tests/requirements.txt")
PINNED = re.compile(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^ ;]+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n")


def built(target, source, folder):
    """The one file that hatchling makes of a source tree."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    ran = subprocess.run(build, cwd=source, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    (file,) = folder.iterdir()
    return file


def content(file):
    """All of a wheel, by path."""
    with zipfile.ZipFile(file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture(scope="module")
def wheel_file(tmp_path_factory):
    return built("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def wheel(wheel_file):
    """The paths in the wheel, and its metadata."""
    files = content(wheel_file)
    (metadata,) = (name for name in files if name.endswith("/METADATA"))
    return list(files), files[metadata].decode()


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The folder of the sdist."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(built("sdist", ROOT, tmp_path_factory.mktemp("sdist"))) as opened:
        opened.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


def test_no_symlink_is_tracked():
    """A link that leaves the context of the image is none that its builder can follow."""
    listed = ["git", "ls-files", "--stage"]
    tracked = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "Dockerfile" in {line.partition("\t")[2] for line in tracked}
    assert [line for line in tracked if line.startswith("120000 ")] == []


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names, _ = wheel
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"prodeval"}
    assert "prodeval/py.typed" in names


def test_the_wheel_holds_every_module(wheel):
    names, _ = wheel
    source = ROOT / "operator"
    assert {str(path.relative_to(source)) for path in source.rglob("*.py")} == {n for n in names if n.endswith(".py")}


def test_the_wheel_holds_the_licence(wheel):
    names, metadata = wheel
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    assert "License-Expression: Apache-2.0" in metadata


def test_the_wheel_holds_the_definition_of_the_resource_and_lint_reads_it(wheel_file, tmp_path):
    files = content(wheel_file)
    assert files["prodeval/crd.yaml"] == (ROOT / "crds/productionevaluations.yaml").read_bytes()
    with zipfile.ZipFile(wheel_file) as opened:
        opened.extractall(tmp_path)
    resource = tmp_path / "resource.yaml"
    resource.write_text(f"{(ROOT / 'examples/helloservice.yaml').read_text()}  nobody: knows\n")
    ran = subprocess.run(
        [sys.executable, "-c", "import sys; from prodeval.cli import main; sys.exit(main())", "lint", resource],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, "nobody" in ran.stdout) == (1, True), ran.stderr


def test_the_source_distribution_makes_the_same_wheel(unpacked, wheel_file, tmp_path):
    assert content(built("wheel", unpacked, tmp_path)) == content(wheel_file)


def test_the_source_distribution_holds_what_the_image_is_built_from(unpacked):
    copied = [source for stage in stages() for word, rest in stage if word == "COPY" for source in sources(rest)]
    assert "crds" in copied
    for path in ["Dockerfile", ".dockerignore", *copied]:
        assert (unpacked / path).exists(), path


@pytest.mark.parametrize("path", REQUIREMENTS)
def test_every_requirement_is_exact_and_hashed_and_no_host_is_named(path):
    text = (ROOT / path).read_text()
    assert "://" not in text
    assert PINNED.sub("", text) == ""


def test_the_folder_operator_does_not_hide_the_module():
    assert not (ROOT / "operator/__init__.py").exists()
    program = "import operator; print(operator.add(1, 1))"
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "2\n"


def stages():
    """The instructions of each stage, as word and rest."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    steps = [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]
    starts = [number for number, (word, _) in enumerate(steps) if word == "FROM"]
    return [steps[start:end] for start, end in itertools.pairwise([*starts, None])]


def sources(rest):
    """What a COPY takes from the context."""
    *paths, _ = rest.split()
    return [] if paths[0].startswith("--from=") else paths


def test_the_base_of_the_image_is_given_by_digest_and_the_same_in_both_stages():
    text = (ROOT / "Dockerfile").read_text()
    (base,) = re.findall(r"^ARG BASE=(.+)$", text, re.MULTILINE)
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+-slim@sha256:[0-9a-f]{64}", base)
    assert [stage[0][1].split()[0] for stage in stages()] == ["${BASE}", "${BASE}"]


def test_the_image_runs_what_the_deployment_runs():
    deployment = yaml.safe_load((ROOT / "deploy/deployment.yaml").read_text())["spec"]["template"]["spec"]
    (container,) = deployment["containers"]
    steps = dict(stages()[-1])
    assert json.loads(steps["CMD"]) == container["args"]
    user = f"{deployment['securityContext']['runAsUser']}:{deployment['securityContext']['runAsGroup']}"
    assert steps["USER"] == user
    assert "command" not in container


def test_the_image_names_its_user_since_the_system_has_no_name_for_it():
    settings = dict(pair.split("=", 1) for pair in dict(stages()[-1])["ENV"].split())
    assert settings["USER"] == "prodeval"


def test_the_last_stage_holds_nothing_but_the_venv():
    assert [rest for word, rest in stages()[-1] if word in {"RUN", "COPY", "ADD"}] == [
        "--from=build /opt/prodeval /opt/prodeval"
    ]
