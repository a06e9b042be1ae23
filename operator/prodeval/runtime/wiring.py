"""Puts the operator together: the config, the adapters, the use cases, the engine."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prodeval.adapters.cluster import Cluster
from prodeval.adapters.git import Repositories
from prodeval.adapters.keptn import KeptnClient
from prodeval.config import Config
from prodeval.domain.errors import DependencyNotReadyError
from prodeval.domain.masking import Mask
from prodeval.domain.paths import Layout
from prodeval.domain.tenancy import Tenancy
from prodeval.runtime.engine import Engine
from prodeval.runtime.threads import start_thread
from prodeval.service.clock import SystemClock
from prodeval.service.event_log import EventLog
from prodeval.service.evidence_files import FileReader
from prodeval.service.guarded_cluster import GuardedCluster
from prodeval.service.inquiry import Inquiry
from prodeval.service.judging import Judge
from prodeval.service.observe_turn import ObserveTurns
from prodeval.service.outage import Outage
from prodeval.service.planning import PlanSettings
from prodeval.service.presence import Presence
from prodeval.service.refreshing import Refresher
from prodeval.service.registry import Registry
from prodeval.service.reporting import Reporter
from prodeval.service.sweep import Sweep
from prodeval.service.sync_turn import SyncTurns
from prodeval.service.syncing import Syncer
from prodeval.service.uniform import Uniform
from prodeval.service.upstreams import Upstreams

_TOKEN_SECONDS = 60.0
_TOKEN_KEY = "keptn-api-token"  # noqa: S105 - the key in a Secret, not its content


@dataclass(frozen=True, slots=True)
class Operator:
    """The engine, and how to end all connections under it."""

    engine: Engine
    close: Callable[[], None]

    def start(self) -> None:
        """Begin to run turns."""
        start_thread(self.engine.run, "prodeval-engine")

    def stop(self) -> None:
        """Begin no more turns, and end those under way by closing their connections."""
        self.engine.stop()
        self.close()


def build_operator(config: Config, namespaces: Sequence[str], mask: Mask) -> Operator:
    """Connect everything and learn what resources there are; `namespaces` () means all.

    Raises ProdevalError with the remedy if something is not there.
    """
    clock, api = SystemClock(), Cluster()
    registry, cluster = Registry(clock), GuardedCluster(api, Outage("The Kubernetes API", clock))
    token = _Token(cluster, config.credentials_namespace, config.keptn.token_secret, mask)
    keptn = KeptnClient(config.keptn.url, token)
    refresher = Refresher(keptn)
    repositories = Repositories(
        author_name=config.git.author_name,
        author_email=config.git.author_email,
        timeout=config.git.timeout,
        known_hosts=config.git.known_hosts,
        listener=refresher.pushed,
    )
    uniform, log = Uniform(keptn, clock.now), EventLog(keptn, clock)
    tenancy = Tenancy({name: one.grant for name, one in config.projects.items()}, config.credentials_namespace)
    upstreams = Upstreams(
        cluster,
        lambda project, credentials: repositories.open(project, credentials, branch=_branch(config, project)),
        credentials_namespace=config.credentials_namespace,
        allowed_hosts=config.git.allowed_hosts,
        mask=mask,
    )
    judge = Judge(registry, log, clock)
    reporter = Reporter(cluster, registry, clock, mask.mask, config.keptn.bridge_url)
    presence = Presence(registry, cluster, clock)
    syncer = Syncer(cluster, upstreams, tenancy, lambda project: _plan_settings(config, project, uniform), presence)
    inquiry = Inquiry(log, judge, FileReader(upstreams), uniform, refresher, lambda server: Outage(server, clock))
    sync = SyncTurns(registry, syncer, judge, refresher, reporter, cluster.outage)
    observe = ObserveTurns(registry, tenancy, inquiry, judge, reporter, cluster.outage, clock)
    engine = Engine(registry, sync, observe, Sweep(registry, cluster, namespaces), clock, start_thread)
    for body in api.resources(namespaces):
        registry.put(body)

    def close() -> None:
        repositories.close()
        keptn.close()

    return Operator(engine, close)


class _Token:
    """Keptn's API token, read again each minute: a changed Secret counts soon, and a poll costs nothing here."""

    def __init__(self, cluster: GuardedCluster, namespace: str, secret: str, mask: Mask) -> None:
        self._cluster, self._namespace, self._secret, self._mask = cluster, namespace, secret, mask
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
        token = data[_TOKEN_KEY].decode(errors="replace").strip()
        self._mask.learn(token)
        return token


def _branch(config: Config, project: str) -> str | None:
    overrides = config.projects.get(project)
    return overrides.branch if overrides else None


def _plan_settings(config: Config, project: str, uniform: Uniform) -> PlanSettings:
    overrides = config.projects.get(project)
    layout = Layout(overrides.layout) if overrides and overrides.layout else None
    return PlanSettings(config.git.message, config.writable_paths, layout, uniform.event_types)
