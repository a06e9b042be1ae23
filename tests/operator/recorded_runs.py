"""Recorded runs of a real Keptn, told by the scripted one as if they had just happened in a project of a test."""

from datetime import timedelta

from demo.gitserver import git
from demo.upstream import create_upstream
from prodeval.domain.events import format_time
from tests.operator.harness import commit, resource
from tests.operator.scripted_keptn import replay
from tests.unit.verdict.recordings import recording

SERVICE = "helloservice"


def scored_upstream(team, project, name):
    """A project's upstream and Secret, with the files in it that Keptn scored in a recorded run."""
    team.give_access({project: team.git.url_of(project)})
    upstream, head = create_upstream(team.git, project), recording(name).head
    if head["slo"]:
        commit(upstream, "qa", {f"{SERVICE}/slo.yaml": head["slo"], f"{SERVICE}/prometheus/sli.yaml": head["sli"]})
    return upstream


def set_back(team, names, now, overdue=()):
    """Let the first sync of resources have been ten minutes before `now`: a run of minutes that just ended came after.

    Of those that are overdue no verdict came in time since.
    """
    long_ago = format_time(now - timedelta(minutes=10))
    status = {"sync": {"firstSyncTime": long_ago, "lastPushTime": long_ago}}
    late = status | {"pending": {"deadline": long_ago}}
    bodies = [resource(name, status=late if name in overdue else status) for name in names]
    team.apply_all(bodies, "--server-side", "--force-conflicts", "--subresource=status")


def tell(keptn, project, upstream, name, t, *, ended, end=None):
    """Let Keptn know a run up to `t`, as if its moment `end`, which is `t` if absent, was at the time `ended`."""
    run = recording(name)
    tip = git("-C", str(upstream), "rev-parse", "production").strip()
    events, executions = replay(run, t, project, ended - run.now(t if end is None else end), tip)
    keptn.events[project], keptn.executions[project] = events, executions
