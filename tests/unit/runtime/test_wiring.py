"""The whole operator, put together from a config, over a cluster in memory and servers that refuse connections."""

import threading

import pytest

from prodeval.config import Config, KeptnConfig, ProjectConfig
from prodeval.domain.errors import DependencyNotReadyError
from prodeval.domain.masking import Mask
from prodeval.domain.paths import Layout
from prodeval.domain.tenancy import Grant
from prodeval.runtime import wiring
from prodeval.service.uniform import Uniform
from tests.support.world import NAMESPACE, FakeCluster, MovedClock

NOBODY = "127.0.0.1:1"
PROJECT = ProjectConfig(Grant((NAMESPACE,)), branch="trunk", layout="Directory")
CONFIG = Config(keptn=KeptnConfig(url=f"http://{NOBODY}/api"), projects={"fulltour": PROJECT})


class Api(FakeCluster):
    """With what is there when the operator starts, and a signal at each status."""

    def __init__(self):
        super().__init__(MovedClock())
        git = f'{{"remoteURL": "http://{NOBODY}/fulltour.git", "user": "u", "https": {{"token": "t0ken-of-git"}}}}'
        self.secrets["git-credentials-fulltour"] = {"git-credentials": git.encode()}
        self.secrets["keptn-api-token"] = {"keptn-api-token": b"t0ken-of-keptn\n"}
        self.written = threading.Event()

    def resources(self, namespaces):
        return iter(self.objects.values())

    def patch_status(self, *what):
        try:
            return super().patch_status(*what)
        finally:
            self.written.set()


@pytest.fixture
def api(monkeypatch):
    api = Api()
    monkeypatch.setattr(wiring, "Cluster", lambda: api)
    return api


def test_it_syncs_what_is_there_and_ends(api):
    api.apply()
    operator = wiring.build_operator(CONFIG, (), Mask())
    operator.start()
    assert api.written.wait(60)
    operator.stop()
    synced = next(one for one in api.status()["conditions"] if one["type"] == "Synced")
    assert (synced["status"], synced["reason"]) == ("False", "GitOperationFailed")


def token(api, mask):
    return wiring._Token(api, "keptn", "keptn-api-token", mask)


def test_keptn_s_token_is_read_once_a_minute_and_masked(api, monkeypatch):
    now, mask = [0.0], Mask()
    monkeypatch.setattr(wiring.time, "monotonic", lambda: now[0])
    read = token(api, mask)
    assert read() == "t0ken-of-keptn"
    assert "t0ken" not in mask.mask("refused t0ken-of-keptn")
    api.secrets["keptn-api-token"] = {"keptn-api-token": b"renewed-token"}
    now[0] = 59.0
    assert read() == "t0ken-of-keptn"
    now[0] = 61.0
    assert read() == "renewed-token"


def test_a_secret_without_the_token_says_which_key_is_missing(api):
    api.secrets["keptn-api-token"] = {"token": b"x"}
    with pytest.raises(DependencyNotReadyError, match="has no key 'keptn-api-token'"):
        token(api, Mask())()


def test_a_project_s_overrides_count_for_it_alone():
    uniform = Uniform(None, lambda: None)
    assert (wiring._branch(CONFIG, "fulltour"), wiring._branch(CONFIG, "other")) == ("trunk", None)
    assert wiring._plan_settings(CONFIG, "fulltour", uniform).layout is Layout.DIRECTORY
    assert wiring._plan_settings(CONFIG, "other", uniform).layout is None
