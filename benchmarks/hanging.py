"""How much later tenants are synced and judged while the servers of another tenant hang.

    python -m benchmarks.hanging [ROUNDS] [PROJECTS]

Two operators run side by side on one API server, each with ten resources of five projects. Beside one of them 200 more
resources (in one project, or in so many) have a Git server and a Keptn that take each question and never answer.
Prints for both the mean seconds from `kubectl apply` to Synced, and from Keptn's last event to the verdict.
"""

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE

from demo.apiserver import ApiServer, api_server
from demo.gitserver import git_server
from demo.tools import build
from tests.operator.gated_run import Run, context, watch
from tests.operator.hanging import add_mute_tenant, hanging_servers, mute_projects
from tests.operator.harness import CREDENTIALS_NAMESPACE, KEPTN_TOKEN, Team, namespace, secret, until

SYNCED = '.status.conditions[?(@.type=="Synced")]'
COLUMNS = (
    f"NAME:.metadata.name,SYNCED:{SYNCED}.status,ABOUT:{SYNCED}.observedGeneration,"
    "CONTEXT:.status.lastEvaluation.context"
)
DEFAULTS = ("6", "1")
PATIENCE = 300
PAST = timedelta(seconds=4)
"""How long ago a delivery began: it is over when Keptn tells of it."""


class Watch:
    """When what was first seen in a team's statuses: (name, what) -> seconds."""

    def __init__(self, team: Team) -> None:
        self.seen: dict[tuple[str, str], float] = {}
        self._child = watch(team, COLUMNS, PIPE)
        threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        """End the watch."""
        self._child.kill()
        self._child.wait()

    def _read(self) -> None:
        for line in self._child.stdout:
            now, (name, synced, about, judged) = time.monotonic(), line.decode().split()
            if synced == "True":
                self.seen.setdefault((name, f"synced {about}"), now)
            self.seen.setdefault((name, f"judged {judged}"), now)

    def after(self, began: float, wanted: dict[str, str]) -> list[float]:
        """Seconds until each resource showed what is wanted."""
        keys = list(wanted.items())
        until(lambda: all(key in self.seen for key in keys), PATIENCE)
        return [self.seen[key] - began for key in keys]


def main() -> None:
    """Measure and print."""
    rounds, projects = map(int, [*sys.argv[1:], *DEFAULTS[len(sys.argv) - 1 :]])
    with ExitStack() as open_:
        folder = Path(open_.enter_context(tempfile.TemporaryDirectory()))
        cluster = open_.enter_context(_installed(folder))
        runs = [open_.enter_context(_running(cluster, folder, name, projects)) for name in ("alone", "beside")]
        taken: dict[tuple[str, str], list[float]] = {}
        for turn in range(rounds + 1):
            measured = _measure(runs, turn)
            if turn:  # the first one fills caches
                for key, seconds in measured.items():
                    taken.setdefault(key, []).extend(seconds)
    for what in ("sync", "verdict"):
        alone, beside = (statistics.fmean(taken[name, what]) for name in ("alone", "beside"))
        print(f"{what}: alone {alone:.2f} s, beside servers that hang {beside:.2f} s, ratio {beside / alone:.2f}")


def _measure(runs: list[tuple[Run, Watch]], turn: int) -> dict[tuple[str, str], list[float]]:
    taken = {}
    began = {}
    for run, _ in runs if turn % 2 else reversed(runs):
        began[run.name] = time.monotonic()
        run.edit(turn)
    for run, seen in runs:
        wanted = {gate.name: f"synced {turn + 1}" for gate in run.gates}
        taken[run.name, "sync"] = seen.after(began[run.name], wanted)
    time.sleep(PAST.total_seconds())
    for run, _ in runs:
        run.deliver(turn, 1, datetime.now(UTC) - PAST)
        began[run.name] = time.monotonic()
    for run, seen in runs:
        wanted = {gate.name: f"judged {context(gate, turn)}" for gate in run.gates}
        taken[run.name, "verdict"] = seen.after(began[run.name], wanted)
    return taken


@contextmanager
def _installed(folder: Path) -> Iterator[ApiServer]:
    with api_server(build.directory(), folder / "api", folder / "logs") as cluster:
        cluster.kubectl("apply", "--server-side", "-f", "crds/productionevaluations.yaml")
        token = secret("keptn-api-token", {"keptn-api-token": KEPTN_TOKEN})
        for body in (namespace(CREDENTIALS_NAMESPACE), token):
            cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))
        cluster.kubectl("apply", "-f", "deploy/namespace.yaml")
        cluster.kubectl("apply", "-n", "prodeval", "-f", "deploy/service-account.yaml")
        cluster.kubectl("apply", "-f", "deploy/rbac.yaml", "-f", "deploy/credentials-role.yaml")
        until(lambda: _is_served(cluster))
        yield cluster


def _is_served(cluster: ApiServer) -> bool:
    return "productionevaluations" in cluster.kubectl("api-resources", "--api-group=prodeval.dev", "--cached=false")


@contextmanager
def _running(cluster: ApiServer, folder: Path, name: str, projects: int) -> Iterator[tuple[Run, Watch]]:
    """An operator with its tenants; beside servers that hang if it is called so."""
    with hanging_servers() as (keptn, silent), git_server(folder / name / "git") as upstreams, ExitStack() as open_:
        cluster.kubectl("create", "namespace", name)
        team = Team(cluster, name, upstreams, keptn.url, folder / name)
        run = Run(name, team, keptn)
        mute = mute_projects(projects) if name == "beside" else []
        run.prepare(also=mute)
        open_.callback(run.close)
        seen = Watch(team)
        open_.callback(seen.close)
        if mute:
            add_mute_tenant(team, silent, mute)
        team.start()
        open_.callback(team.stop)
        if mute:
            until(lambda: silent.connections and keptn.events.waiting, PATIENCE)
        yield run, seen


if __name__ == "__main__":
    main()
