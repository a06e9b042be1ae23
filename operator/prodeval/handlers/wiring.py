"""Puts the operator together: the config, the adapters, the use cases."""

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from prodeval.adapters.cluster import Cluster
from prodeval.adapters.git import Repositories
from prodeval.adapters.keptn import KeptnClient
from prodeval.config import Config
from prodeval.domain.errors import DependencyNotReadyError
from prodeval.domain.paths import Layout
from prodeval.handlers.posting import EventPoster
from prodeval.handlers.runner import Runner
from prodeval.service.event_log import EventLog
from prodeval.service.evidence_files import FileReader
from prodeval.service.observe import Observer
from prodeval.service.planning import PlanSettings
from prodeval.service.reconcile import Reconciler
from prodeval.service.refreshing import Refresher
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter
from prodeval.service.status import StatusWriter
from prodeval.service.syncing import Syncer, Tenancy
from prodeval.service.uniform import Uniform

_TOKEN_SECONDS = 60.0
_TOKEN_KEY = "keptn-api-token"  # noqa: S105 - the key in a Secret, not its content


def build_runner(config: Config, namespaces: Sequence[str]) -> Runner:
    """Connect everything and learn what resources there are; `namespaces` () means all.

    Raises ProdevalError with the remedy if something is not there.
    """
    cluster, registry = Cluster(), Registry()
    for body in cluster.resources(namespaces):
        registry.put(body)
    keptn = KeptnClient(config.keptn.url, _Token(cluster, config.credentials_namespace, config.keptn.token_secret))
    refresher = Refresher(keptn)
    repositories = Repositories(
        author_name=config.git.author_name,
        author_email=config.git.author_email,
        timeout=config.git.timeout,
        known_hosts=config.git.known_hosts,
        listener=refresher.pushed,
    )
    uniform = Uniform(keptn, _now)
    poster = EventPoster()
    reporter = Reporter(registry, StatusWriter(cluster, registry), poster, _now, config.keptn.bridge_url)
    tenancy = Tenancy(
        {name: project.grant for name, project in config.projects.items()},
        config.credentials_namespace,
        config.git.allowed_hosts,
    )
    syncer = Syncer(
        cluster,
        lambda project, credentials: repositories.open(project, credentials, branch=_branch(config, project)),
        tenancy,
        lambda project: _plan_settings(config, project, uniform),
    )
    observer = Observer(registry, reporter, EventLog(keptn, _now), uniform, FileReader(syncer), _now)

    def close() -> None:
        repositories.close()
        keptn.close()

    return Runner(registry, Reconciler(registry, syncer, observer, reporter), observer, refresher, poster, close)


def _now() -> datetime:
    return datetime.now(UTC)


class _Token:
    """Keptn's API token, read again each minute: a changed Secret counts soon, and a poll costs nothing here."""

    def __init__(self, cluster: Cluster, namespace: str, secret: str) -> None:
        self._cluster, self._namespace, self._secret = cluster, namespace, secret
        self._token, self._read_at = "", -math.inf

    def __call__(self) -> str:
        if time.monotonic() - self._read_at > _TOKEN_SECONDS:
            self._token, self._read_at = self._read(), time.monotonic()
        return self._token

    def _read(self) -> str:
        data = self._cluster.secret(self._namespace, self._secret)
        if _TOKEN_KEY not in data:
            place = f"Secret {self._secret!r} in namespace {self._namespace!r}"
            raise DependencyNotReadyError(f"{place} has no key {_TOKEN_KEY!r}; Keptn's own Secret has")
        return data[_TOKEN_KEY].decode(errors="replace").strip()


def _branch(config: Config, project: str) -> str | None:
    overrides = config.projects.get(project)
    return overrides.branch if overrides else None


def _plan_settings(config: Config, project: str, uniform: Uniform) -> PlanSettings:
    overrides = config.projects.get(project)
    layout = Layout(overrides.layout) if overrides and overrides.layout else None
    return PlanSettings(config.git.message, config.writable_paths, layout, uniform.event_types)
