import os
import subprocess
import sys

import pytest


def run(**environment):
    command = [sys.executable, "-c", "import sys; from prodeval.cli import main; sys.exit(main(['run']))"]
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
