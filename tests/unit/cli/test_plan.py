"""`prodeval plan` on real upstreams: what it shows is what `git apply` makes of it."""

import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.gitserver import GitServer, git
from demo.upstream import create_upstream
from prodeval.cli import main
from prodeval.cli.plan_outputs import file_diff
from prodeval.service.previewing import FilePreview

RESOURCE = """\
apiVersion: prodeval.dev/v1alpha1
kind: ProductionEvaluation
metadata: {name: helloservice, namespace: team-a}
spec:
  project: fulltour
  service: helloservice
"""
PUSHED = {
    "production": {
        "helloservice/locust/basic.py",
        "helloservice/locust/locust.conf",
        "helloservice/prometheus/sli.yaml",
        "helloservice/slo.yaml",
    },
    "main": {"shipyard.yaml"},
}


@pytest.fixture
def server(gitserver: Callable[..., GitServer]) -> GitServer:
    return gitserver()


@pytest.fixture
def upstream(server: GitServer) -> Path:
    return create_upstream(server)


@pytest.fixture
def resource(tmp_path: Path) -> Path:
    path = tmp_path / "resource.yaml"
    path.write_text(RESOURCE)
    return path


def plan(capfdbinary: pytest.CaptureFixture[bytes], *arguments: object) -> tuple[int, bytes, str]:
    code = main(["plan", *map(str, arguments)])
    out, err = capfdbinary.readouterr()
    return code, out, err.decode()


def checkout(upstream: Path, branch: str, folder: Path) -> Path:
    git("clone", "--quiet", "--branch", branch, str(upstream), str(folder))
    return folder


def sections(diff: bytes) -> dict[str, bytes]:
    """The diff of each branch."""
    parts = diff.split(b"# branch ")[1:]
    return {part.split(b"\n", 1)[0].decode(): part.split(b"\n", 1)[1] for part in parts}


def test_the_tutorials_case_is_four_copied_files_and_the_gate(upstream, resource, capfdbinary):
    code, out, _ = plan(capfdbinary, "-f", resource, "--upstream", upstream)

    assert code == 0
    changed = {branch: set(part.decode().split("+++ b/")[1:]) for branch, part in sections(out).items()}
    assert {branch: {text.split("\n")[0] for text in texts} for branch, texts in changed.items()} == PUSHED
    added = [line for line in sections(out)["main"].decode().splitlines() if line[:1] in "+-"][2:]
    assert [line.replace(" ", "").replace('"', "") for line in added] == [
        "+-name:je-test",
        "+-name:evaluation",
        "+properties:",
        "+timeframe:1m",
    ]


def test_git_apply_takes_the_diff_and_then_there_is_nothing_left_to_do(upstream, resource, tmp_path, capfdbinary):
    _, out, _ = plan(capfdbinary, "-f", resource, "--upstream", upstream)

    for branch, diff in sections(out).items():
        folder = checkout(upstream, branch, tmp_path / branch)
        git("-C", str(folder), "apply", "--index", stdin=diff)
        git("-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "planned")
        git("-C", str(folder), "push", "--quiet")

    assert plan(capfdbinary, "-f", resource, "--upstream", upstream, "--exit-code") == (0, b"", "")


def test_git_apply_skips_the_lines_that_name_branches(upstream, resource, tmp_path, capfdbinary):
    _, out, _ = plan(capfdbinary, "-f", resource, "--upstream", upstream)
    folder = checkout(upstream, "main", tmp_path / "main")

    git("-C", str(folder), "apply", "--include=shipyard.yaml", stdin=out)

    assert "je-test" in (folder / "shipyard.yaml").read_text()


def test_a_clone_is_as_good_as_the_upstream_itself(upstream, resource, tmp_path, capfdbinary):
    clone = checkout(upstream, "production", tmp_path / "clone")

    assert plan(capfdbinary, "-f", resource, "--upstream", clone) == plan(
        capfdbinary, "-f", resource, "--upstream", upstream
    )


def test_an_upstream_over_http_is_as_good_and_its_token_is_never_shown(server, upstream, resource, capfdbinary):
    local = plan(capfdbinary, "-f", resource, "--upstream", upstream)
    remote = plan(capfdbinary, "-f", resource, "--upstream", server.authenticated_url_of("fulltour"))

    assert remote == local
    code, out, err = plan(capfdbinary, "-f", resource, "--upstream", server.authenticated_url_of("absent"))
    assert (code, out) == (2, b"")
    assert err.startswith("prodeval plan: ")
    assert server.password not in err


def test_with_exit_code_changes_are_told_by_it(upstream, resource, capfdbinary):
    assert plan(capfdbinary, "-f", resource, "--upstream", upstream, "--exit-code")[0] == 1


def test_json_has_the_resources_and_the_diff_of_each_file(upstream, resource, capfdbinary):
    _, out, _ = plan(capfdbinary, "-f", resource, "--upstream", upstream, "-o", "json")

    shown = json.loads(out)
    assert [(each["service"], each["load"], each["timeframe"]) for each in shown["resources"]] == [
        ("helloservice", "Generate", "1m")
    ]
    assert {(file["branch"], file["path"]) for file in shown["files"]} == {
        (branch, path) for branch, paths in PUSHED.items() for path in paths
    }
    shipyard = next(file for file in shown["files"] if file["path"] == "shipyard.yaml")
    assert (shipyard["action"], shipyard["withheld"]) == ("Change", False)


def test_policy_verify_shows_the_patch_for_a_pull_request(upstream, resource, capfdbinary):
    resource.write_text(RESOURCE + "  shipyard: {policy: Verify}\n")

    _, out, _ = plan(capfdbinary, "-f", resource, "--upstream", upstream, "-o", "json")

    assert {file["path"] for file in json.loads(out)["files"] if file["withheld"]} == {"shipyard.yaml"}


def test_files_come_from_a_config_map_in_the_manifests_even_if_they_are_no_text(
    upstream, resource, tmp_path, capfdbinary
):
    resource.write_text(
        RESOURCE
        + "  files:\n    - configMap: {name: gate, items: [{key: a, path: locust/data.bin}]}\n    - stage: {name: qa}\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: gate}\nbinaryData: {a: /wABAgM=}\n"
    )

    _, out, _ = plan(capfdbinary, "-f", resource, "--upstream", upstream)
    folder = checkout(upstream, "production", tmp_path / "production")
    git("-C", str(folder), "apply", stdin=sections(out)["production"])

    assert (folder / "helloservice/locust/data.bin").read_bytes() == bytes([255, 0, 1, 2, 3])


def test_manifests_may_be_named_one_by_one_or_together(upstream, resource, tmp_path, capfdbinary):
    gate = tmp_path / "gate.yaml"
    gate.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: gate}\ndata: {slo.yaml: 'objectives: ['}\n")
    resource.write_text(RESOURCE + "  files: [{configMap: {name: gate}}]\n")

    apart = plan(capfdbinary, "-f", resource, "-f", gate, "--upstream", upstream)

    assert apart == plan(capfdbinary, "-f", resource, gate, "--upstream", upstream)
    assert "PE101" in apart[2]


def test_a_config_map_that_is_not_in_the_manifests_is_named(upstream, resource, capfdbinary):
    resource.write_text(RESOURCE + "  files: [{configMap: {name: gate}}]\n")

    code, _, err = plan(capfdbinary, "-f", resource, "--upstream", upstream)

    assert code == 2
    assert "ConfigMap 'gate'" in err


def test_what_stands_in_the_way_is_said_with_its_remedy(upstream, resource, capfdbinary):
    resource.write_text(RESOURCE + "  shipyard: {afterTask: deployment}\n")

    code, out, err = plan(capfdbinary, "-f", resource, "--upstream", upstream)

    assert (code, out) == (2, b"")
    assert "je-deployment" in err


@pytest.mark.parametrize("broken", ["kind: [\n", "kind: Service\n", RESOURCE.replace("project", "prject")])
def test_manifests_without_a_usable_resource_are_an_error(broken: str, upstream, resource, capfdbinary):
    resource.write_text(broken)

    assert plan(capfdbinary, "-f", resource, "--upstream", upstream)[0] == 2


def test_a_second_resource_sees_the_first_ones_changes_and_must_agree_with_it(upstream, resource, capfdbinary):
    resource.write_text(RESOURCE + "---\n" + RESOURCE)

    code, _, err = plan(capfdbinary, "-f", resource, "--upstream", upstream)

    assert code == 2
    assert "judged by team-a/helloservice already" in err


def test_resources_of_a_stage_must_agree_and_the_first_one_decides(upstream, resource, capfdbinary):
    other = RESOURCE.replace("helloservice", "other") + "  shipyard: {timeframe: 5m}\n"
    resource.write_text(RESOURCE + "---\n" + other)

    code, _, err = plan(capfdbinary, "-f", resource, "--upstream", upstream)

    assert code == 2
    assert "spec.shipyard.timeframe" in err


CONTENTS = [
    b"",
    b"a\nb\n",
    b"a\nb",
    b"a\r\nb\r\nc",
    b"one\x0cline\xe2\x80\xa8only\n",
    b"\n",
    b"-- a\n++ b\n",
    "\U0001f680\n".encode(),
    *(bytes([0xFF, 0, 10] * size)[:size] for size in (1, 26, 27, 52, 53, 300)),
    random.Random(6).randbytes(2000),
]


@pytest.mark.parametrize("before", [None, b"", b"a\nb", b"\xff"])
def test_git_apply_makes_of_each_content_any_other(before: bytes | None, tmp_path: Path):
    git("init", "--quiet", str(tmp_path))
    file = tmp_path / "svc" / "f"
    file.parent.mkdir()
    for after in (content for content in CONTENTS if content != before):
        file.unlink(missing_ok=True)
        if before is not None:
            file.write_bytes(before)
        diff = file_diff(FilePreview("main", "svc/f", before, after, withheld=False))
        subprocess.run(["git", "apply", "-"], input=diff, cwd=tmp_path, check=True)
        assert file.read_bytes() == after


def test_a_plain_folder_in_keptns_directory_layout_is_enough(upstream, resource, tmp_path, capfdbinary):
    folder = tmp_path / "folder"
    for stage in ("qa", "production"):
        checkout(upstream, stage, folder / ".keptn-stages" / stage)
    (folder / "shipyard.yaml").write_text(git("-C", str(upstream), "show", "main:shipyard.yaml"))

    code, out, _ = plan(capfdbinary, "-f", resource, "--upstream", folder)

    assert code == 0
    assert list(sections(out)) == ["main"]
    subprocess.run(["git", "apply", "--unsafe-paths", "-"], input=out, cwd=folder, check=True)
    assert (folder / ".keptn-stages/production/helloservice/slo.yaml").exists()


def test_the_examples_of_the_help_run(server, upstream, resource, tmp_path, capfdbinary):
    checkout(upstream, "main", tmp_path / "clone")
    shutil.copytree(upstream, tmp_path / "clone" / "fulltour.git")
    shutil.copy(resource, tmp_path / "clone")
    with pytest.raises(SystemExit):
        main(["plan", "--help"])
    examples = re.findall(r"^  (prodeval plan .*)$", capfdbinary.readouterr().out.decode(), re.MULTILINE)

    assert len(examples) == 3
    for example in examples:
        here = re.sub(r"https://\S+", server.authenticated_url_of("fulltour"), example)
        environment = {"PATH": f"{Path(sys.executable).parent}:/bin:/usr/bin"}
        subprocess.run(here, shell=True, check=True, cwd=tmp_path / "clone", env=environment)
    assert "je-test" in (tmp_path / "clone" / "shipyard.yaml").read_text().split("production", 1)[1]


def test_a_path_that_is_no_folder_and_a_manifest_that_is_not_there_are_errors(resource, tmp_path, capfdbinary):
    assert plan(capfdbinary, "-f", resource, "--upstream", tmp_path / "absent")[0] == 2
    assert plan(capfdbinary, "-f", tmp_path / "absent", "--upstream", tmp_path)[0] == 2
