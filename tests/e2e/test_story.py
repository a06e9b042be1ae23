"""`make demo` itself: the whole story as a newcomer sees it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from demo.tools import build


def demo(folder, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "demo", f"--folder={folder}", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left_behind(folder):
    """The processes that name the demo's folder."""
    found = subprocess.run(["pgrep", "--full", str(folder)], capture_output=True, text=True, check=False)
    return [pid for pid in found.stdout.split() if int(pid) != os.getpid()]


@pytest.mark.timeout(900)
def test_the_good_build_passes_and_the_one_that_is_slow_in_production_fails(tools, tmp_path):
    assert build.directory() == tools
    with demo(tmp_path / "world") as running:
        said, _ = running.communicate()
    assert running.returncode == 0, said
    summary = said.partition("Summary")[2]
    for expected in (
        "project: fulltour",
        "Pass: v0.1.1 passed, score 100",
        "Fail: v0.1.2 failed: response_time_p95 is ",
        "EvaluationFailed",
        "running in qa: v0.1.2",
        "running in production: v0.1.2",
    ):
        assert expected in summary
    removed = [line for line in said.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert removed == []
    assert '+            - name: "je-test"' in said
    assert left_behind(tmp_path / "world") == []


@pytest.mark.parametrize("seconds", [0.5, 3, 8])
def test_ctrl_c_leaves_no_process_behind(tools, tmp_path, seconds):
    with demo(tmp_path / "world") as running:
        time.sleep(seconds)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=60)
    assert running.returncode != 0
    assert "Traceback" not in said
    assert left_behind(tmp_path / "world") == []
