"""What may happen on a walk: each action is a name and its arguments, as Hypothesis chooses them."""

import itertools

from hypothesis import strategies as st

from tests.unit.verdict.keptn_events import SLO

PROJECTS = ("p", "q")
SERVICES = ("hello", "other", "late")
SLOS = {f"slo{number}": SLO.replace("<=1", f"<={number}") for number in (1, 2, 3)}
LOCUST = [{"stage": {"name": "qa"}}, {"inline": {"path": "locust/locust.conf", "content": "users = 9\n"}}]
FILES = {name: [{"inline": {"path": "slo.yaml", "content": text}}] for name, text in SLOS.items()} | {"locust": LOCUST}
FIELDS = {
    "version": (None, "v1", "v2"),
    "historyLimit": (None, 0, 2),
    "files": (None, "slo1", "slo2", "locust"),
    "suspend": (None, None, True),
    "interval": ("1m", "90s", "banana"),
    "resultTimeout": ("1m", "90s"),
    "shipyard": ({"timeframe": "2m"}, {"timeframe": "2m"}, {"timeframe": "3m"}),
}


def action(kind, /, **arguments):
    return st.tuples(st.just(kind), st.fixed_dictionaries(arguments))


NAMES = st.sampled_from(["a", "b", "c"])
PROJECT = st.sampled_from(PROJECTS)
FIELD = st.sampled_from(sorted(FIELDS)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(FIELDS[name])))
ENDS = ("pass", "pass", "pass", "fail", "abort early", "abort late", "hang early", "hang late")
VERSIONS = st.sampled_from(("v1", "v1", "v2"))
TARGETS = st.sampled_from(
    (*itertools.product(PROJECTS, SERVICES[:2]), ("p", "hello"), ("p", "late"), ("closed", "hello"))
)
SPECS = st.tuples(TARGETS, st.sampled_from(FIELDS["version"]), st.sampled_from(FIELDS["files"]))
EDITS = action("edit", name=NAMES, field=FIELD)
OBJECTS = st.one_of(
    EDITS,
    EDITS,
    action("create", name=NAMES, spec=SPECS),
    action("request", name=NAMES),
    action("delete", name=NAMES),
    action("recreate", name=NAMES, project=PROJECT),
)
DELIVERIES = action(
    "deliver", name=NAMES, version=VERSIONS, end=st.sampled_from(ENDS), late=st.sampled_from((0, 0, 25, 45))
)
KEPTN = st.one_of(
    DELIVERIES,
    DELIVERIES,
    action("evaluate", name=NAMES, passed=st.booleans(), back=st.sampled_from((10, 60, 200))),
    action("invalidate", name=NAMES),
    action("abort_run", name=NAMES),
)
GIT = st.one_of(
    action("swap", name=NAMES, slo=st.sampled_from(sorted(SLOS))),
    action("commit", project=PROJECT, path=st.sampled_from(("hello/notes.txt", "hello/locust/locust.conf", "x/y"))),
    action("make_late", project=PROJECT),
)
RETRY = st.sampled_from((None, 60.0))
FAULTS = st.one_of(
    action("git_away", project=PROJECT, retry=RETRY),
    action("keptn_away", project=st.sampled_from((*PROJECTS, "")), retry=RETRY),
    action("api_away"),
    action("refused", name=NAMES),
    action("slow", project=PROJECT, kind=st.sampled_from(("sync", "look")), seconds=st.sampled_from((4.0, 12.0, 35.0))),
    action("busy_neighbour", project=PROJECT),
    action("deaf"),
)
ACTIONS = st.one_of(OBJECTS, OBJECTS, KEPTN, KEPTN, GIT, FAULTS)
HAPPENS = st.one_of(ACTIONS, action("kill"), action("kill"))
PLACES = st.sampled_from(("git", "keptn", "patch"))
HOW = st.sampled_from(("late", "twice", "swapped", "listed"))
RECOVERIES = st.one_of(action("heal"), action("restart"), action("hear", how=HOW))
