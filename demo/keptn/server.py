"""The demo Keptn in threads of this process, for the length of a block."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from demo.keptn.api import application
from demo.keptn.engine import Engine, Settings
from demo.keptn.projects import Project, read_project
from demo.keptn.upstream import Upstream
from demo.keptn.web import Gateway, KeptnServer


@dataclass(frozen=True, slots=True)
class DemoKeptn:
    """A running demo Keptn; `url` is that of its API."""

    url: str
    token: str
    engine: Engine


@contextmanager
def demo_keptn(
    upstream_of: Callable[[str], str], settings: Settings, *, token: str, port: int = 0
) -> Iterator[DemoKeptn]:
    """Run it; its projects are those of the services that can be deployed, and their upstreams must be there.

    Args:
        upstream_of: the address of a project's repository, with user and password.
        settings: see there.
        token: what clients send as `x-token`.
        port: on loopback; 0 takes any.

    Raises:
        NotThereError, UpstreamError, ShipyardError: a project's upstream has no usable shipyard.
    """
    with tempfile.TemporaryDirectory(prefix="keptn-") as folder:
        engine = Engine(list(_projects(upstream_of, settings, Path(folder))), settings)
        with KeptnServer(port, Gateway(token, application(engine))) as server:
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="keptn-api", daemon=True)
            thread.start()
            try:
                yield DemoKeptn(f"http://127.0.0.1:{server.server_port}/api", token, engine)
            finally:
                server.shutdown()
                thread.join()
                engine.close()


def _projects(upstream_of: Callable[[str], str], settings: Settings, folder: Path) -> Iterator[Project]:
    services: dict[str, set[str]] = defaultdict(set)
    for project, _, service in settings.services.targets():
        services[project].add(service)
    for project, names in services.items():
        yield read_project(project, names, Upstream(upstream_of(project), folder / f"{project}.git"))
