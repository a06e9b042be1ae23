"""The image, built by a real builder, and what runs from it; the operator itself runs in tests/operator/install."""

import subprocess
from pathlib import Path

import pytest

# The image is built from a package index.
pytestmark = pytest.mark.timeout(600)

EXAMPLES = {Path("examples").resolve(): "/files"}


def ran(command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_runs_prodeval(image):
    done = ran(image.command("--help"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: prodeval ")


def test_it_runs_the_operator_unless_told_otherwise(image):
    done = ran(image.command(*image.arguments, "--help"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: prodeval run")


def test_it_lints_a_good_file(image):
    done = ran(image.command("lint", "/files/helloservice.yaml", mounts=EXAMPLES))
    assert (done.returncode, done.stderr) == (0, "")


def test_it_lints_a_bad_file_by_the_schema_inside(image, tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "resource.yaml").write_text(f"{Path('examples/helloservice.yaml').read_text()}  nobody: knows\n")
    done = ran(image.command("lint", "/files/resource.yaml", mounts={tmp_path: "/files"}))
    assert (done.returncode, done.stderr) == (1, "")
    assert "spec.nobody" in done.stdout


def test_it_holds_all_that_prodeval_requires(image):
    done = ran(image.command("-m", "pip", "check", program=["python"]))
    assert done.stdout == "No broken requirements found.\n"


@pytest.mark.parametrize("place", ["/tmp", "/opt/prodeval", "/etc", "/run"])
def test_nothing_can_be_written_in_it(image, place):
    done = ran(image.command("-c", f"open('{place}/file', 'w')", program=["python"]))
    assert done.stderr.splitlines()[-1].startswith("OSError: [Errno 30] Read-only file system")


def test_its_user_is_nobody_in_particular_and_can_do_nothing_more(image):
    program = "import os; print(os.getuid(), os.getgid(), os.getgroups())"
    assert ran(image.command("-c", program, program=["python"])).stdout == "65532 65532 []\n"
    status = ran(image.command("/proc/self/status", program=["cat"])).stdout
    words = dict(line.split(":\t", 1) for line in status.splitlines())
    assert {words[name] for name in ("CapPrm", "CapEff", "CapBnd")} == {"0000000000000000"}
    assert words["NoNewPrivs"] == "1"
