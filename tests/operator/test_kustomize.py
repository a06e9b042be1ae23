"""A ConfigMap that kustomize generates, as a source: examples/kustomize, built by kubectl."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from prodeval.domain.resource import ConfigMapFiles, read_resource

EXAMPLE = Path("examples/kustomize")
PRODEVAL = Path(sys.executable).with_name("prodeval")


@pytest.fixture
def overlay(tmp_path):
    """A copy of the example."""
    return shutil.copytree(EXAMPLE, tmp_path / "overlay")


@pytest.fixture(scope="module")
def build(tools):
    """What kubectl makes of a folder."""

    def of(folder):
        command = [tools / "kubectl", "kustomize", folder]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    return of


def names(built):
    """The name of the generated ConfigMap, and the one that the resource asks for."""
    bodies = {body["kind"]: body for body in yaml.safe_load_all(built)}
    (wanted,) = [
        source.name
        for source in read_resource(bodies["ProductionEvaluation"]).files
        if isinstance(source, ConfigMapFiles)
    ]
    return bodies["ConfigMap"]["metadata"]["name"], wanted


def test_the_resource_names_the_config_map_with_its_hash(build):
    generated, wanted = names(build(EXAMPLE))
    assert wanted == generated
    assert wanted.startswith("helloservice-gate-")


def test_a_changed_file_changes_the_spec(build, overlay):
    (overlay / "slo.yaml").write_text((overlay / "slo.yaml").read_text().replace("<=0.2", "<=0.3"))
    generated, wanted = names(build(overlay))
    assert wanted == generated
    assert wanted != names(build(EXAMPLE))[1]


def test_a_prefix_is_followed_too(build, overlay):
    kustomization = overlay / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text() + "namePrefix: eu-\n")
    generated, wanted = names(build(overlay))
    assert wanted == generated
    assert wanted.startswith("eu-helloservice-gate-")


def test_kustomize_does_not_know_the_reference_by_itself(build, overlay):
    kustomization = overlay / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("configurations: [name-reference.yaml]\n", ""))
    generated, wanted = names(build(overlay))
    assert generated.startswith("helloservice-gate-")
    assert wanted == "helloservice-gate"


def test_the_api_server_accepts_it(cluster):
    said = cluster.kubectl("apply", "--dry-run=server", "-k", str(EXAMPLE)).splitlines()
    assert {line.partition(" ")[2] for line in said} == {"created (server dry run)"}


def test_lint_finds_nothing(build, tmp_path):
    built = tmp_path / "built.yaml"
    built.write_text(build(EXAMPLE))
    ran = subprocess.run([PRODEVAL, "lint", built], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")
