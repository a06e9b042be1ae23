"""Recorded runs of a real Keptn, told by the scripted one as if they had just happened in a project of a test."""

from dataclasses import dataclass
from datetime import timedelta

from demo.gitserver import git
from demo.upstream import create_upstream
from prodeval.domain.events import format_time
from tests.operator.harness import commit, resource
from tests.operator.scripted_keptn import replay
from tests.unit.verdict.recordings import recording

SERVICE = "helloservice"


@dataclass(frozen=True)
class Part:
    """A recorded run up to the second `t`.

    Attributes:
        end: the second at which it is told to have ended; `t` if None.
        pace: how many times as fast as recorded it is told to have gone.
    """

    recording: str
    t: float
    end: float | None = None
    pace: float = 1.0


def scored_upstream(team, project, name):
    """A project's upstream and Secret, with the files in it that Keptn scored in a recorded run."""
    team.give_access({project: team.git.url_of(project)})
    upstream, head = create_upstream(team.git, project), recording(name).head
    if head["slo"]:
        commit(upstream, "qa", {f"{SERVICE}/slo.yaml": head["slo"], f"{SERVICE}/prometheus/sli.yaml": head["sli"]})
    return upstream


def set_back(team, names, now, *, minutes=10, overdue=()):
    """Let the first sync of resources have been minutes before `now`: a run that ended by then came after it.

    The operator asks Keptn for the past only when a resource needs more of it than before: what is told of the past
    later on is seen once the first sync is set back further. Of those that are overdue no verdict came in time since.
    """
    long_ago = format_time(now - timedelta(minutes=minutes))
    status = {"sync": {"firstSyncTime": long_ago, "lastPushTime": long_ago}}
    late = status | {"pending": {"deadline": long_ago}}
    bodies = [resource(name, status=late if name in overdue else status) for name in names]
    team.apply_all(bodies, "--server-side", "--force-conflicts", "--subresource=status")


def tell(keptn, project, upstream, part, ended):
    """Let Keptn know a part of a recorded run, which ended at a time."""
    run = recording(part.recording)
    last = run.now(part.t if part.end is None else part.end)
    tip = git("-C", str(upstream), "rev-parse", "production").strip()
    events, executions = replay(run, part.t, project, lambda time: ended - (last - time) / part.pace, tip)
    keptn.events[project], keptn.executions[project] = events, executions
