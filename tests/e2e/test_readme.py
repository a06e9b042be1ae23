"""Each command of the README, in its order, in one shell: what a newcomer does."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from demo.apiserver import api_server
from demo.gitserver import git
from demo.installation import KEPTN_NAMESPACE, put_git_credentials, put_secret
from demo.processes import running
from demo.upstream import create_upstream
from prodeval.cli import COMMANDS

# The CLI is installed from a package index.
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

ELSEWHERE = {
    "make demo": "tests/e2e/test_story.py::test_the_good_build_passes_and_the_one_that_is_slow_in_production_fails",
    # The Dockerfile is built there, and what it makes is run with the rights that deploy/ gives.
    "docker build -t $IMAGE:0.1.0 .": "tests/image/test_image.py::test_it_runs_prodeval",
    # Nothing of ours takes part in it but the name; the one that is applied is compared below.
    "docker push $IMAGE:0.1.0": "tests/e2e/test_readme.py::test_the_cluster_pulls_the_image_that_was_pushed",
    # It runs all tests, this one among them.
    "make test": "tests/e2e/test_readme.py::test_the_operator_of_the_readme_syncs_the_resource_of_the_readme",
}
"""Commands that another test runs for real, and which."""


def commands():
    """All commands of the README; one with a here-document is one with its lines."""
    lines = iter("".join(text for language, text in BLOCKS if language == "sh").splitlines())
    for line in lines:
        command = [line]
        if document := re.search(r"<<(\w+)$", line):
            while command[-1] != document[1]:
                command.append(next(lines))
        if line:
            yield "\n".join(command)


@dataclass
class Newcomer:
    """A person with one shell, whose folder and variables stay."""

    folder: Path
    environment: dict
    assignments: list = field(default_factory=list)
    said: dict = field(default_factory=dict)

    def run(self, command):
        """Type a command; AssertionError with its output if it fails."""
        script = "\n".join(["set -eu", *self.assignments, command, 'pwd > "$LEFT_IN"'])
        left_in = self.folder.parent / "left-in"
        ran = subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=self.folder,
            env=self.environment | {"LEFT_IN": str(left_in)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
        self.folder = Path(left_in.read_text().strip())
        self.assignments += re.findall(r"^[A-Z]+=\S+$", command)
        self.said[command] = ran.stdout


@dataclass
class World:
    """A cluster with Keptn's namespace and Secrets, as the README asks for, and what else it takes to go on."""

    api: object
    stack: ExitStack
    logs: Path

    def clone(self, newcomer, command):
        """Clone with what is not committed yet: the files as Git lists them."""
        listed = git("-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        origin = newcomer.folder.parent / "origin"
        for name in filter(None, listed):
            if (ROOT / name).exists():
                (origin / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, origin / name, follow_symlinks=False)
        git("init", "--quiet", str(origin))
        git("-C", str(origin), "add", "--all")
        identity = ("-c", "user.name=a person", "-c", "user.email=person@localhost")
        git("-C", str(origin), *identity, "commit", "--quiet", "--message=all")
        newcomer.run(command.replace("<this repository>", str(origin)))

    def roll_out(self, newcomer, command):
        """Do what the controllers and the kubelet of a cluster do, then the command itself."""
        kubeconfig = self.api.service_account_kubeconfig(self.logs / "operator.kubeconfig", "prodeval", "prodeval")
        config = newcomer.folder / "overlay" / "config.yaml"
        environment = {"KUBECONFIG": str(kubeconfig), "PRODEVAL_CONFIG": str(config)}
        program = Path(sys.executable).with_name("prodeval")
        self.stack.enter_context(running([program, "run"], name="operator", logs=self.logs, environment=environment))
        status = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
        patch = f"--patch={json.dumps({'status': status | {'observedGeneration': 1}})}"
        self.api.kubectl("patch", "deployment/prodeval", "-nprodeval", "--subresource=status", patch)
        newcomer.run(command)


INSTEAD = {
    "git clone <this repository> prodeval && cd prodeval": World.clone,
    "kubectl -n prodeval rollout status deployment/prodeval": World.roll_out,
}
"""Commands that need something done before, which no test cluster does by itself."""


@pytest.fixture(scope="module")
def api(tools, gitserver, tmp_path_factory):
    """What the README says one needs: a cluster with Keptn's namespace and a project with an upstream."""
    folder = tmp_path_factory.mktemp("readme-cluster")
    with api_server(tools, folder / "kubernetes", folder / "logs") as server:
        server.kubectl("create", "namespace", KEPTN_NAMESPACE)
        put_secret(server, "keptn-api-token", {"keptn-api-token": "a token"})
        upstreams = gitserver()
        create_upstream(upstreams, "fulltour")
        put_git_credentials(server, upstreams, "fulltour")
        yield server


@pytest.fixture(scope="module")
def walked(api, tools, tmp_path_factory):
    """The newcomer at the end of the README."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "start").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{tools}:{Path(sys.executable).parent}:{environment['PATH']}"
    environment |= {"KUBECONFIG": str(api.kubeconfig), "KUBECACHEDIR": str(folder / "discovery")}
    newcomer = Newcomer(folder / "start", environment)
    with ExitStack() as stack:
        world = World(api, stack, folder)
        for command in commands():
            if command in INSTEAD:
                INSTEAD[command](world, newcomer, command)
            elif command not in ELSEWHERE:
                newcomer.run(command)
        yield newcomer


def test_every_block_says_what_it_is():
    assert {language for language, _ in BLOCKS} == {"sh", "yaml", "text"}


@pytest.mark.parametrize(("command", "test"), ELSEWHERE.items())
def test_what_is_run_elsewhere_stands_in_the_readme_and_is_run_there(command, test):
    file, _, name = test.partition("::")
    assert command in commands()
    assert f"\ndef {name}(" in (ROOT / file).read_text()


def test_what_is_prepared_stands_in_the_readme():
    assert INSTEAD.keys() <= set(commands())


def test_commands_in_the_text_exist():
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z-]+)", README)) <= set(targets)
    assert set(re.findall(r"`prodeval ([a-z]+)", README)) <= COMMANDS.keys()


def test_the_cluster_pulls_the_image_that_was_pushed(api, walked):
    image = api.kubectl("get", "deployment", "-nprodeval", "-o=jsonpath={..image}")
    (pushed,) = (command.split()[-1] for command in commands() if command.startswith("docker push "))
    (name,) = walked.assignments
    assert image == pushed.replace("$IMAGE", name.removeprefix("IMAGE="))


def test_the_operator_of_the_readme_syncs_the_resource_of_the_readme(api, walked):
    (shown,) = (said for command, said in walked.said.items() if command.startswith("kubectl get"))
    assert shown.splitlines()[1].startswith("helloservice ")
    api.kubectl("wait", "-nteam-a", "prodeval/helloservice", "--for=condition=Synced", "--timeout=60s")


def test_the_first_resource_is_the_example(walked):
    shown = next(text for language, text in BLOCKS if language == "yaml")
    assert yaml.safe_load(shown) == yaml.safe_load((walked.folder / "examples/helloservice.yaml").read_text())
