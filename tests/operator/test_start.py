"""What keeps the operator from starting, for real, and that docs/install.md quotes it as it is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from demo.apiserver import api_server
from demo.loopback import ADDRESS, free_ports

PAGE = Path("docs/install.md").read_text().partition("## If it does not start")[2]
QUOTED = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
PRODEVAL = Path(sys.executable).with_name("prodeval")


@pytest.fixture(scope="module")
def bare(tools, tmp_path_factory):
    """A new API server without the CRD, and with a ServiceAccount that may do nothing."""
    folder = tmp_path_factory.mktemp("bare")
    with api_server(tools, folder / "kubernetes", folder / "logs") as server:
        server.kubectl("create", "serviceaccount", "nobody", "-n", "default")
        yield server


def start(folder, kubeconfig, config="{}"):
    """Start the operator; what it says it cannot start for, with the addresses of the page."""
    file = folder / "config.yaml"
    if config is not None:
        file.write_text(config)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
    environment |= {"KUBECONFIG": str(kubeconfig), "PRODEVAL_CONFIG": str(file)}
    ran = subprocess.run([PRODEVAL, "run"], env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)
    told = ran.stderr.splitlines()[-1].partition("prodeval cannot start: ")[2]
    return re.sub(r"https://127\.0\.0\.1:\d+", "https://10.96.0.1:443", told).replace(str(folder), "/etc/prodeval")


def absent_server(api, folder):
    """The administrator's kubeconfig, with an address where nobody listens."""
    file = folder / "kubeconfig"
    file.write_text(api.kubeconfig.read_text().replace(api.url, f"https://{ADDRESS}:{free_ports(1)[0]}"))
    return file


FAILURES = {
    "unknown key": lambda api, folder: start(folder, api.kubeconfig, "projects: {fulltour: {namespace: team-a}}"),
    "no config": lambda api, folder: start(folder, api.kubeconfig, None),
    "no CRD": lambda api, folder: start(folder, api.kubeconfig),
    "no right": lambda api, folder: start(
        folder, api.service_account_kubeconfig(folder / "kubeconfig", "default", "nobody")
    ),
    "no valid token": lambda api, folder: start(folder, api.write_kubeconfig(folder / "kubeconfig", "an old token")),
    "no answer": lambda api, folder: start(folder, absent_server(api, folder)),
    "no cluster": lambda api, folder: start(folder, folder / "absent"),
}


@pytest.mark.parametrize(("quoted", "fail"), [*zip(QUOTED, FAILURES.values(), strict=True)], ids=FAILURES)
def test_it_says_what_the_page_says(bare, tmp_path, quoted, fail):
    assert fail(bare, tmp_path) == quoted
