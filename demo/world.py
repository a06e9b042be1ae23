"""All servers of the local world together, but for Keptn."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.apiserver import ApiServer, api_server
from demo.deployments import BUILDS, Builds, Deployments, deployments
from demo.gitserver import GitServer, git_server
from demo.prometheus import Prometheus, prometheus
from demo.upstream import STAGES, create_upstream


@dataclass(frozen=True, slots=True)
class World:
    """The running servers; the upstream of `fulltour` stands on the Git server, and nothing is deployed yet."""

    api: ApiServer
    git: GitServer
    prometheus: Prometheus
    deployments: Deployments
    logs: Path


@contextmanager
def local_world(
    programs: Path,
    folder: Path,
    *,
    run_time: str = "60s",
    builds: Builds = BUILDS,
    accepted: Callable[[], None] | None = None,
) -> Iterator[World]:
    """Run the servers for the length of a block.

    Args:
        programs: The folder with the built programs.
        folder: Where all data goes, and below `logs` all logs; made if it is absent.
        run_time: How long locust generates load.
        builds: How the versions of helloservice behave.
        accepted: As for `git_server`: called after a push was accepted.

    Raises:
        ServerError: if a server does not start.
    """
    logs = folder / "logs"
    with ExitStack() as servers:
        services = servers.enter_context(deployments(logs, STAGES, builds=builds))
        git = servers.enter_context(git_server(folder / "git", accepted=accepted))
        create_upstream(git, run_time=run_time)
        metrics = servers.enter_context(prometheus(programs, folder / "prometheus", logs, services.targets()))
        api = servers.enter_context(api_server(programs, folder / "kubernetes", logs))
        yield World(api, git, metrics, services, logs)
