"""A tenant with many resources whose Git server and whose project in Keptn hang."""

import threading
from contextlib import contextmanager

from tests.operator.harness import KEPTN_TOKEN, resource
from tests.operator.scripted_keptn import scripted_keptn
from tests.operator.silent import silent_server

MANY = 200
LONG_AGO = "2026-01-01T00:00:00Z"


class Mute(dict):
    """Events by project; who asks about a project whose name begins with `mute` waits for ever."""

    def __init__(self):
        super().__init__()
        self.released, self.waiting = threading.Event(), set()

    def get(self, project, otherwise=None):
        if project.startswith("mute"):
            self.waiting.add(project)
            self.released.wait()
        return super().get(project, otherwise)


@contextmanager
def hanging_servers():
    """(a scripted Keptn that hangs for some projects, a Git server that hangs) for the length of a block."""
    with scripted_keptn(KEPTN_TOKEN) as keptn, silent_server() as git:
        keptn.events = Mute()
        yield keptn, git
        keptn.events.released.set()


def mute_projects(count):
    """The names of projects that hang."""
    return [f"mute-{number}" for number in range(count)]


def add_mute_tenant(team, git, projects):
    """Give a team many resources in some projects that hang; all were synced once, long ago, so that Keptn is asked."""
    team.give_access({name: f"http://{git.address}/{name}.git" for name in projects})
    names = [f"mute-{number}" for number in range(MANY)]
    team.apply_all(
        resource(name, spec={"project": projects[number % len(projects)], "service": name})
        for number, name in enumerate(names)
    )
    status = {"verdict": "Pending", "sync": {"firstSyncTime": LONG_AGO, "lastPushTime": LONG_AGO}}
    options = ("--server-side", "--force-conflicts", "--subresource=status")
    team.apply_all((resource(name, status=status) for name in names), *options)
