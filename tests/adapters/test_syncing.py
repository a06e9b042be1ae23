"""The sync of one resource against a real Git server, in both layouts of Keptn."""

import json
from dataclasses import replace

import pytest

from demo.gitserver import git
from demo.upstream import create_upstream
from prodeval.adapters.git import Repositories
from prodeval.domain.masking import Mask
from prodeval.domain.resource import InlineFile, Resource, ResourceKey, Target
from prodeval.domain.tenancy import Grant, Tenancy
from prodeval.service.planning import PlanSettings
from prodeval.service.syncing import Syncer
from prodeval.service.upstreams import Upstreams

RESOURCE = Resource(ResourceKey("team-a", "hello"), Target("fulltour", "production", "helloservice"), uid="u")


class Secrets:
    """The one Secret that a sync reads; the API server itself is in tests/operator."""

    def __init__(self, server):
        self._server = server

    def secret(self, namespace, name):
        assert (namespace, name) == ("keptn", "git-credentials-fulltour")
        url, token = self._server.url_of("fulltour"), self._server.password
        text = json.dumps({"remoteURL": url, "user": self._server.user, "https": {"token": token}})
        return {"git-credentials": text.encode()}


class Present:
    """Nobody changes or deletes the resource."""

    def is_current(self, resource):
        return True


def sync(syncer, resource=RESOURCE):
    """The outcome of one resource's sync."""
    outcome = syncer.sync("fulltour", [resource], [resource])[resource.uid]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def to_directory_layout(repository):
    """What Keptn's migration does: each stage's files below .keptn-stages/, the stage branches left behind."""
    stream = [b"commit refs/heads/main\ncommitter keptn <keptn@keptn.sh> 1700000000 +0000\ndata 8\nmigrated\n"]
    stream.append(b"from refs/heads/main^0\n")
    for stage in ("qa", "production"):
        for path in git("-C", str(repository), "ls-tree", "-r", "--name-only", stage).split():
            content = git("-C", str(repository), "show", f"{stage}:{path}").encode()
            place = f".keptn-stages/{stage}/{path}"
            stream.append(f"M 100644 inline {place}\ndata {len(content)}\n".encode() + content + b"\n")
    git("-C", str(repository), "fast-import", "--quiet", stdin=b"".join(stream))


@pytest.fixture(params=["Branch", "Directory"])
def upstream(request, gitserver):
    server = gitserver()
    repository = create_upstream(server)
    if request.param == "Directory":
        to_directory_layout(repository)
    return request.param, server, repository


@pytest.fixture
def syncer(upstream):
    _, server, _ = upstream
    repositories = Repositories(author_name="prodeval", author_email="prodeval@localhost")
    tenancy = Tenancy({"fulltour": Grant(("team-a",))}, "keptn")
    secrets = Secrets(server)
    upstreams = Upstreams(secrets, repositories.open, credentials_namespace="keptn", allowed_hosts=(), mask=Mask())
    yield Syncer(secrets, upstreams, tenancy, lambda _: PlanSettings("gate: sync"), Present())
    repositories.close()


def changed(repository, since):
    """The paths that all branches changed since their tips were listed."""
    return {
        path
        for branch, tip in since.items()
        for path in git("-C", str(repository), "diff", "--name-only", tip, branch).split()
    }


def tips(repository):
    lines = git("-C", str(repository), "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
    return dict(line.split() for line in lines.splitlines())


def test_files_and_shipyard_go_where_the_layout_has_them(upstream, syncer):
    layout, _, repository = upstream
    before = tips(repository)
    synced = sync(syncer)
    root = "helloservice" if layout == "Branch" else ".keptn-stages/production/helloservice"
    files = ("slo.yaml", "prometheus/sli.yaml", "locust/basic.py", "locust/locust.conf")
    assert changed(repository, before) == {"shipyard.yaml", *(f"{root}/{path}" for path in files)}
    assert synced.plan.layout.value == layout
    assert synced.pushed.tips[synced.plan.where.branch] == tips(repository)[synced.plan.where.branch]


def test_a_second_sync_asks_once_and_pushes_nothing(upstream, syncer):
    _, server, repository = upstream
    sync(syncer)
    before, asked = tips(repository), len(server.requests)
    assert sync(syncer).pushed.written == ()
    assert (tips(repository), len(server.requests) - asked) == (before, 1)


def test_what_somebody_else_commits_stays(upstream, syncer):
    layout, _, repository = upstream
    sync(syncer)
    branch = "production" if layout == "Branch" else "main"
    head = f"commit refs/heads/{branch}\ncommitter x <x@localhost> 1700000001 +0000\ndata 2\nhi\n"
    note = f"from refs/heads/{branch}^0\nM 100644 inline notes.txt\ndata 3\nabc\n"
    git("-C", str(repository), "fast-import", "--quiet", stdin=(head + note).encode())
    theirs = tips(repository)[branch]
    sync(syncer, replace(RESOURCE, files=(InlineFile("locust/locust.conf", "users = 1\n"),)))
    assert git("-C", str(repository), "merge-base", "--is-ancestor", theirs, branch) == ""
    assert git("-C", str(repository), "show", f"{branch}:notes.txt") == "abc"
