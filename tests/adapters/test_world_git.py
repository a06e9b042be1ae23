"""The Git server of the local world, and the upstream that stands on it, tried with the git command."""

import gzip
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import yaml

from demo.gitserver import ISOLATION, GitServer, git
from demo.upstream import create_upstream


def run_git(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    identity = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return subprocess.run(
        ["git", *arguments],
        env=os.environ | ISOLATION | identity | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def push_a_file(server: GitServer, work: Path, size: int = 10, **environment: str) -> subprocess.CompletedProcess[str]:
    """Clone `project`, add a file of random bytes, push it to main."""
    assert run_git("clone", server.authenticated_url_of("project"), str(work), **environment).returncode == 0
    (work / "file").write_bytes(os.urandom(size))
    run_git("-C", str(work), "add", "file")
    run_git("-C", str(work), "commit", "--message=file")
    return run_git("-C", str(work), "push", "origin", "HEAD:main", **environment)


class TestGitServer:
    def test_a_push_arrives_and_is_in_the_log(self, gitserver: Callable[..., GitServer], tmp_path: Path):
        server = gitserver()
        folder = server.create("project")

        pushed = push_a_file(server, tmp_path / "work")

        assert pushed.returncode == 0, pushed.stderr
        assert git("-C", str(folder), "show", "--format=", "--name-only", "main") == "file\n"
        last = server.requests[-1]
        assert (last.method, last.path, last.status) == ("POST", "/project.git/git-receive-pack", 200)
        assert min(last.received, last.sent) > 0

    def test_a_chunked_body_arrives_whole(self, gitserver: Callable[..., GitServer], tmp_path: Path):
        server = gitserver()
        folder = server.create("project")

        pushed = push_a_file(server, tmp_path / "work", size=3_000_000)

        assert pushed.returncode == 0, pushed.stderr
        assert git("-C", str(folder), "cat-file", "-s", "main:file") == "3000000\n"

    def test_without_the_password_nothing_is_read(self, gitserver: Callable[..., GitServer]):
        server = gitserver()
        server.create("project")

        assert "could not read Username" in run_git("ls-remote", server.url_of("project")).stderr
        assert [request.status for request in server.requests] == [401]

    def test_a_partial_clone_over_protocol_2_leaves_the_contents_out(
        self, gitserver: Callable[..., GitServer], tmp_path: Path
    ):
        server = gitserver()
        server.create("project")
        push_a_file(server, tmp_path / "work")
        partial = ["clone", "--filter=blob:none", "--no-checkout", server.authenticated_url_of("project")]

        cloned = run_git("-c", "protocol.version=2", *partial, str(tmp_path / "partial"), GIT_TRACE_PACKET="1")

        assert "git< version 2" in cloned.stderr
        missing = git("-C", str(tmp_path / "partial"), "rev-list", "--objects", "--missing=print", "HEAD")
        assert sum(line.startswith("?") for line in missing.splitlines()) == 1

    def test_a_gzipped_body_is_understood(self, gitserver: Callable[..., GitServer]):
        server = gitserver()
        create_upstream(server)

        answer = requests.post(
            f"{server.url_of('fulltour')}/git-upload-pack",
            data=gzip.compress(b"0014command=ls-refs\n0001001cref-prefix refs/heads/qa0000"),
            headers={
                "Content-Type": "application/x-git-upload-pack-request",
                "Content-Encoding": "gzip",
                "Git-Protocol": "version=2",
            },
            auth=(server.user, server.password),
            timeout=10,
        )

        assert answer.text.endswith(" refs/heads/qa\n0000")

    def test_over_tls_the_server_shows_a_certificate_of_its_own_authority(
        self, gitserver: Callable[..., GitServer], tmp_path: Path
    ):
        server = gitserver(tls=True)
        server.create("project")

        assert "certificate" in run_git("ls-remote", server.authenticated_url_of("project")).stderr
        assert push_a_file(server, tmp_path / "work", GIT_SSL_CAINFO=str(server.ca_file)).returncode == 0

    def test_an_accepted_push_is_reported_once_and_a_declined_one_never(
        self, gitserver: Callable[..., GitServer], tmp_path: Path
    ):
        accepted: list[str] = []
        server = gitserver(accepted=lambda: accepted.append("push"))
        folder = server.create("project")
        hook = folder / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\necho declined by the hook\nexit 1\n")
        hook.chmod(0o755)

        declined = push_a_file(server, tmp_path / "declined")
        assert "declined by the hook" in declined.stderr
        assert accepted == []

        hook.unlink()
        assert push_a_file(server, tmp_path / "accepted").returncode == 0
        assert accepted == ["push"]

    def test_the_answer_to_an_accepted_push_can_be_lost(self, gitserver: Callable[..., GitServer], tmp_path: Path):
        def cut() -> None:
            raise ConnectionAbortedError

        server = gitserver(accepted=cut)
        folder = server.create("project")

        assert push_a_file(server, tmp_path / "work").returncode != 0
        assert git("-C", str(folder), "show", "--format=", "--name-only", "main") == "file\n"


@pytest.fixture(scope="module")
def upstream(gitserver: Callable[..., GitServer]) -> str:
    return str(create_upstream(gitserver(), timeframe="2m", run_time="7s"))


class TestUpstream:
    def test_a_branch_for_each_stage_is_cut_from_the_default_branch(self, upstream: str):
        assert git("-C", upstream, "symbolic-ref", "HEAD") == "refs/heads/main\n"
        assert git("-C", upstream, "branch", "--format=%(refname:short)").split() == ["main", "production", "qa"]
        assert git("-C", upstream, "merge-base", "main", "qa") == git(
            "-C", upstream, "merge-base", "main", "production"
        )

    def test_qa_has_a_gate_and_production_has_none(self, upstream: str):
        assert files(upstream, "main") == ["metadata.yaml", "shipyard.yaml"]
        deployed = ["helloservice/job/config.yaml", "helloservice/metadata.yaml", "metadata.yaml"]
        assert files(upstream, "production") == deployed
        gate = {
            f"helloservice/{path}"
            for path in ("slo.yaml", "prometheus/sli.yaml", "locust/basic.py", "locust/locust.conf")
        }
        assert set(files(upstream, "qa")) == gate | set(deployed)
        shipyard = yaml.safe_load(git("-C", upstream, "show", "main:shipyard.yaml"))
        tasks = {
            stage["name"]: [task["name"] for task in stage["sequences"][0]["tasks"]]
            for stage in shipyard["spec"]["stages"]
        }
        assert tasks == {"qa": ["je-deployment", "je-test", "evaluation"], "production": ["approval", "je-deployment"]}

    def test_the_history_is_keptns(self, upstream: str):
        subjects = git("-C", upstream, "log", "--format=%an: %s", "--reverse", "production").splitlines()

        assert subjects == [
            "keptn: init git empty repo",
            "keptn: initialized project",
            "keptn: created stage",
            "keptn: Added service: helloservice",
            "keptn: Updated resource",
        ]

    def test_durations_are_as_asked(self, upstream: str):
        assert 'timeframe: "2m"' in git("-C", upstream, "show", "main:shipyard.yaml")
        assert "run-time = 7s" in git("-C", upstream, "show", "qa:helloservice/locust/locust.conf")


def files(upstream: str, branch: str) -> list[str]:
    return git("-C", upstream, "ls-tree", "-r", "--name-only", branch).splitlines()
