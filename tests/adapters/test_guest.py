"""A push of ours and Keptn's own writes: real Git server, demo Keptn over HTTP, the operator's own sync and reads."""

import logging
from contextlib import closing, contextmanager
from functools import partial

import pytest

from demo.gitserver import git
from demo.keptn.engine import Settings
from demo.keptn.server import demo_keptn
from demo.upstream import create_upstream
from prodeval.adapters.git import Repositories
from prodeval.adapters.keptn import KeptnClient
from prodeval.domain.errors import GitOperationFailedError
from prodeval.domain.masking import Mask
from prodeval.domain.tenancy import Grant, Tenancy
from prodeval.service.planning import PlanSettings
from prodeval.service.refreshing import Refresher
from prodeval.service.syncing import Syncer
from prodeval.service.upstreams import Upstreams
from tests.adapters.keptn_writes import CREATED, REFUSED, WORKS, KeptnUser, NothingToDeploy
from tests.adapters.test_syncing import Present, Secrets, sync, to_directory_layout
from tests.operator.harness import NOWHERE, commit, subjects, until

TOKEN = "a-token"
NON_FAST_FORWARD = "could not push git repo for project fulltour: non-fast-forward update: refs/heads/"


@pytest.fixture
def server(gitserver):
    return gitserver()


@pytest.fixture
def repository(server):
    return create_upstream(server)


@pytest.fixture
def keptn(server, repository, tmp_path):
    settings = Settings(NothingToDeploy(), "", tmp_path)
    serving = demo_keptn(server.authenticated_url_of, settings, token=TOKEN)
    with serving as running, closing(KeptnUser(running.url, TOKEN)) as user:
        yield user


class Switch:
    """Keptn's API as the operator reaches it: another one, or none, while a test wants it."""

    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        return getattr(self.client, name)


@pytest.fixture
def api(keptn):
    with closing(KeptnClient(keptn.url, lambda: TOKEN)) as client:
        yield Switch(client)


@pytest.fixture
def refresher(api):
    return Refresher(api)


@contextmanager
def syncing(server, refresher, **options):
    opened = Repositories(
        author_name="prodeval", author_email="prodeval@localhost", listener=refresher.pushed, **options
    )
    tenancy = Tenancy({"fulltour": Grant(("team-a",))}, "keptn")
    with closing(opened):
        secrets = Secrets(server)
        upstreams = Upstreams(secrets, opened.open, credentials_namespace="keptn", allowed_hosts=(), mask=Mask())
        yield Syncer(secrets, upstreams, tenancy, lambda _: PlanSettings("gate: sync"), Present())


@pytest.fixture
def syncer(server, refresher):
    with syncing(server, refresher) as made:
        yield made


class TestDemoKeptn:
    """The stand-in refuses what the real one refuses."""

    def test_its_writes_arrive_upstream(self, keptn, repository):
        assert keptn.writes("new") == WORKS
        assert git("-C", str(repository), "show", "production:helloservice/notes.txt") == "notes"
        assert subjects(repository, "qa")[:2] == ["Added service: new", "Updated resource"]
        services = keptn.ask("GET", "/controlPlane/v1/project/fulltour/stage/qa/service")[1]["services"]
        assert [one["serviceName"] for one in services] == ["helloservice", "new"]
        assert keptn.create_service("new") == (409, {"code": 409, "message": "service already exists"})

    def test_a_write_names_its_commit(self, keptn, repository):
        status, body = keptn.add_resource("/stage/qa")
        tip = git("-C", str(repository), "rev-parse", "qa").strip()
        assert (status, body["commitID"], body["metadata"]["version"]) == (201, tip, tip)
        path = "/resource-service/v1/project/fulltour/stage/qa/resource/a%252Fb"
        assert keptn.ask("PUT", path, json={"resourceContent": "eA=="})[0] == 200
        assert git("-C", str(repository), "show", "qa:a/b") == "x"

    @pytest.mark.parametrize("uri", ["../x", "~/x", "a..b"])
    def test_a_path_that_leaves_its_place_is_refused(self, keptn, uri):
        assert keptn.add_resource("/stage/qa", uri) == (400, {"code": 400, "message": "invalid resource uri"})

    @pytest.mark.parametrize("uri", ["", "a/"])
    def test_a_path_without_a_file_name_fails(self, keptn, uri):
        assert keptn.add_resource("/stage/qa", uri) == REFUSED

    @pytest.mark.parametrize("branch", ["main", "qa", "production"])
    def test_a_push_of_others_to_one_branch_breaks_writes_to_the_others(self, keptn, repository, branch, caplog):
        commit(repository, branch, {"theirs": "x"})
        other = "/stage/production" if branch == "qa" else "/stage/qa"
        assert keptn.add_resource(other) == REFUSED
        assert f"{NON_FAST_FORWARD}{branch}" in caplog.messages
        assert keptn.ask("GET", "/controlPlane/v1/project/fulltour")[0] == 200
        assert keptn.add_resource(other) == REFUSED, "only a read of the branch itself helps"

    def test_each_branch_has_to_be_read(self, keptn, repository):
        commit(repository, "main", {"theirs": "x"})
        commit(repository, "production", {"theirs": "x"})
        assert keptn.add_resource("/stage/qa") == REFUSED
        assert keptn.read("/resource/shipyard.yaml") == 200
        assert keptn.add_resource("/stage/qa") == REFUSED
        assert keptn.read("/stage/production/resource?pageSize=1") == 200
        assert keptn.add_resource("/stage/qa")[0] == 201

    def test_the_start_of_a_sequence_reads_its_stage(self, keptn, repository):
        commit(repository, "qa", {"theirs": "x"})
        assert keptn.add_resource("/stage/production") == REFUSED
        keptn.ask("POST", "/controlPlane/v1/project/fulltour/stage/qa/service/helloservice/evaluation", json={})
        until(lambda: keptn.events("sh.keptn.event.qa.evaluation.finished"))
        assert keptn.add_resource("/stage/production")[0] == 201

    def test_a_service_that_could_not_be_made_is_an_event(self, keptn, repository):
        commit(repository, "production", {"theirs": "x"})
        status, body = keptn.create_service("new")
        assert (status, body["message"]) == (
            500,
            "could not create service new in stage qa of project fulltour: Internal server error",
        )
        found = until(lambda: [one for one in keptn.events(CREATED) if one["data"]["service"] == "new"])
        assert [(one["data"]["status"], one["data"]["result"]) for one in found] == [("errored", "fail")]


def test_without_a_read_a_push_of_ours_breaks_keptns_writes(keptn, syncer):
    assert sync(syncer).pushed.written
    assert keptn.add_resource("/stage/qa") == REFUSED


def test_after_a_push_of_ours_keptn_writes_to_every_stage(keptn, syncer, refresher):
    assert sync(syncer).pushed.written
    assert refresher.turn("fulltour")
    assert keptn.writes("new") == WORKS
    assert sync(syncer).pushed.written == ()
    assert refresher.is_settled("fulltour"), "nothing was pushed, so that nothing is read"


def test_in_the_directory_layout_only_the_default_branch_is_read(keptn, repository, syncer, refresher):
    to_directory_layout(repository)
    assert sync(syncer).plan.where.branch == "main"
    assert keptn.add_resource("/stage/qa") == REFUSED
    assert refresher.turn("fulltour")
    assert keptn.add_resource("/stage/qa")[0] == 201


def test_a_push_whose_answer_was_lost_is_read_as_well(keptn, server, repository, refresher):
    hook = repository / "hooks" / "reference-transaction"
    hook.write_text('#!/bin/sh\ntest "$1" != committed || kill -9 $PPID\n')
    hook.chmod(0o755)
    once = partial(iter, [0.0])
    with syncing(server, refresher, delays=once) as syncer:
        with pytest.raises(GitOperationFailedError):
            sync(syncer)
        hook.unlink()
        assert sync(syncer).pushed.written == (), "all of it had landed"
    assert keptn.add_resource("/stage/qa") == REFUSED
    assert refresher.turn("fulltour")
    assert keptn.writes("new") == WORKS


def test_a_keptn_that_is_silent_at_the_push_reads_with_a_later_turn(keptn, api, syncer, refresher, caplog):
    caplog.set_level(logging.WARNING, "prodeval")
    reachable = api.client
    with closing(KeptnClient(NOWHERE, lambda: TOKEN)) as silent:
        api.client = silent
        pushed = sync(syncer).pushed
        assert {change.branch for change in pushed.written} == {"main", "production"}
        assert [refresher.turn("fulltour") for _ in range(3)] == [False] * 3
    assert [record.name for record in caplog.records].count("prodeval.service.refreshing") == 1
    assert keptn.add_resource("/stage/qa") == REFUSED
    api.client = reachable
    assert refresher.turn("fulltour")
    assert keptn.writes("new") == WORKS
