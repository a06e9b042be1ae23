import os
import subprocess
import sys

import pytest


def run(script="import sys; from prodeval.cli import main; sys.exit(main(['run']))", **environment):
    command = [sys.executable, "-c", script]
    base = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
    return subprocess.run(command, env=base | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("keptn: {uri: x}", "keptn.uri: unknown key; known are bridgeURL, tokenSecret, url"),
        ("projects: [", "line 1, column 12"),
        ("{}", "no cluster: Invalid kube-config file. No configuration found. Run in a pod, or set KUBECONFIG"),
    ],
)
def test_what_keeps_it_from_starting_is_told_without_a_traceback(tmp_path, text, told):
    config = tmp_path / "config.yaml"
    config.write_text(text)
    ran = run(PRODEVAL_CONFIG=str(config), KUBECONFIG=str(tmp_path / "absent"))
    assert ran.returncode == 1
    assert told in ran.stderr
    assert "prodeval cannot start: " in ran.stderr
    assert "Traceback" not in ran.stderr


SCRIPT = """
import logging, resource
from prodeval.cli import main
resource.setrlimit(resource.RLIMIT_CORE, (1, resource.getrlimit(resource.RLIMIT_CORE)[1]))
main(['run'])
print(resource.getrlimit(resource.RLIMIT_CORE))
logging.getLogger("kopf.objects").warning("%s", "\\x1b[31mred\\u202e")
"""


def test_a_crash_leaves_no_core_and_a_log_line_no_terminal_code(tmp_path):
    ran = run(SCRIPT, PRODEVAL_CONFIG=str(tmp_path / "absent"))
    assert ran.stdout == "(0, 0)\n"
    last = ran.stderr.splitlines()[-1]
    assert "red" in last
    assert "\u202e" not in last
    assert "[31m" not in last
