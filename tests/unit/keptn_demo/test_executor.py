from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from demo.keptn.events import Event, new_event
from demo.keptn.executor import JobExecutor, Surroundings
from demo.keptn.services import CommandServices
from demo.keptn.upstream import Upstream
from tests.unit.keptn_demo.upstreams import create

Perform = Callable[..., list[Event]]


def config(task: str, event: str = "sh.keptn.event.je-test.triggered") -> str:
    return f"apiVersion: v2\nactions: [{{name: a, events: [{{name: {event}}}], tasks: [{task}]}}]\n"


@pytest.fixture
def perform(tmp_path: Path) -> Perform:
    """Let an executor take up a task of a service with these files, and wait for its two answers."""

    def run(files: dict[str, str], task: str = "je-test", **data: object) -> list[Event]:
        url = create(tmp_path / "p.git", {"main": {"x": ""}, "qa": files})
        upstreams = {"p": Upstream(url, tmp_path / "clone")}
        sent: SimpleQueue[Event] = SimpleQueue()
        executor = JobExecutor(Surroundings(upstreams, CommandServices({}, tmp_path), tmp_path / "logs"), sent.put)
        scope = {"project": "p", "stage": "qa", "service": "s", "labels": {"build": "7"}, **data}
        executor.handle(new_event(f"{task}.triggered", "shipyard-controller", "c", scope))
        return [sent.get(timeout=30), sent.get(timeout=30)]

    return run


def test_the_job_finds_its_files_below_keptn_and_its_variables(perform: Perform):
    script = "cat /keptn/f/*; echo $KEPTN_STAGE $(KEPTN_SERVICE) $LABELS_BUILD"
    task = f'{{name: t, files: [f/], cmd: [sh, -c], args: ["{script}"]}}'
    started, finished = perform({"s/job/config.yaml": config(task), "s/f/a": "one ", "s/f/b": "two "})

    assert started.type == "sh.keptn.event.je-test.started"
    assert finished.text("message") == "Task 't' finished successfully!\n\nLogs:\none two qa s 7\n\n"
    assert (finished.text("status"), finished.text("result")) == ("succeeded", "pass")


@pytest.mark.parametrize(
    ("task", "problem"),
    [
        ('{name: t, cmd: [sh, -c, "echo oh; exit 3"]}', "exit code 3\n\nLogs:\noh"),
        ("{name: t, files: [nope], cmd: ['true']}", "could not find file nope"),
        ("{name: t, cmd: [sleep, '60'], maxPollDuration: 0}", "not finished after 0 s"),
        ("{name: t, cmd: [no-such-program]}", "exit code 1"),
    ],
)
def test_a_job_that_does_not_end_well_says_why(perform: Perform, task: str, problem: str):
    _, finished = perform({"s/job/config.yaml": config(task)})

    assert (finished.text("status"), finished.text("result")) == ("errored", "fail")
    assert problem in finished.text("message")


@pytest.mark.parametrize("path", ["job/config.yaml", "s/job/config.yaml"])
def test_the_action_may_stand_at_the_stage(perform: Perform, path: str):
    _, finished = perform({"s/metadata.yaml": "", path: config("{name: t, cmd: ['true']}")})

    assert finished.text("result") == "pass"


@pytest.mark.parametrize("task", ["je-deployment", "rollback"])
def test_what_has_no_instance_cannot_be_deployed(perform: Perform, task: str):
    image = {"values": {"image": "i:v1"}}
    _, finished = perform({"s/job/config.yaml": config("{name: t}", task)}, task, configurationChange=image)

    assert finished.text("status") == "errored"


@pytest.mark.parametrize(
    "files",
    [
        {"s/metadata.yaml": ""},
        {"s/job/config.yaml": config("{name: t, cmd: ['true']}", "sh.keptn.event.test.triggered")},
        {"s/job/config.yaml": config("{name: t, cmd: ['true']}").replace("v2", "v1")},
        {"s/job/config.yaml": config("{name: t, cmd: ['true']}", "'['")},
        {"s/job/config.yaml": "a: ["},
    ],
)
def test_without_an_action_nobody_answers(files: dict[str, str], tmp_path: Path):
    upstreams = {"p": Upstream(create(tmp_path / "p.git", {"main": {"x": ""}, "qa": files}), tmp_path / "clone")}
    sent: list[Event] = []
    executor = JobExecutor(Surroundings(upstreams, CommandServices({}, tmp_path), tmp_path), sent.append)
    event = new_event("je-test.triggered", "x", "c", {"project": "p", "stage": "qa", "service": "s"})
    executor._run(event)

    assert sent == []
