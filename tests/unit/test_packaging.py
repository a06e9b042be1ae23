"""What is shipped: the wheel, the requirements, the image's recipe, and a folder called operator that harms nobody."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ("deploy/requirements.txt", "deploy/build-requirements.txt", "tests/requirements.txt")
PINNED = re.compile(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^ ;]+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The paths in the wheel, and its metadata."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (file,) = folder.iterdir()
    with zipfile.ZipFile(file) as opened:
        (metadata,) = (name for name in opened.namelist() if name.endswith("/METADATA"))
        return opened.namelist(), opened.read(metadata).decode()


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


def dockerfile():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]


def test_the_image_runs_what_the_deployment_runs():
    deployment = yaml.safe_load((ROOT / "deploy/deployment.yaml").read_text())["spec"]["template"]["spec"]
    (container,) = deployment["containers"]
    steps = dict(dockerfile())
    assert json.loads(steps["CMD"]) == container["args"]
    user = f"{deployment['securityContext']['runAsUser']}:{deployment['securityContext']['runAsGroup']}"
    assert steps["USER"] == user
    assert "command" not in container


def test_the_image_names_its_user_since_the_system_has_no_name_for_it():
    settings = dict(pair.split("=", 1) for pair in dict(dockerfile())["ENV"].split())
    assert settings["USER"] == "prodeval"


def test_the_last_stage_holds_nothing_but_the_venv():
    steps = dockerfile()
    last = steps[[word for word, _ in steps].index("FROM", 1) + 1 :]
    assert [rest for word, rest in last if word in {"RUN", "COPY", "ADD"}] == [
        "--from=build /opt/prodeval /opt/prodeval"
    ]
