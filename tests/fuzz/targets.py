"""What is fuzzed: each parser takes any bytes, and nothing but the project's own errors leaves it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import yaml

from prodeval.domain.errors import ProdevalError
from prodeval.domain.json_values import as_object
from prodeval.domain.preflight import lint
from prodeval.domain.preflight.job_config import answering, matches, read_job_config
from prodeval.domain.preflight.locust import parse_time_span, read_locust_conf
from prodeval.domain.preflight.resource_checks import resource_bodies
from prodeval.domain.preflight.schema import to_json
from prodeval.domain.preflight.text import decode
from prodeval.domain.resource import OnFail, Target, read_resource
from prodeval.domain.shipyard import Gate, patch, undo_edits
from prodeval.domain.sli import decode_sli
from prodeval.domain.slo import decode_slo, notes

TARGET = Target("fulltour", "production", "helloservice")
GATES = (
    Gate("production"),
    Gate(
        "production",
        load="LiveTraffic",
        load_is_explicit=True,
        timeframe="5m",
        on_fail=OnFail("rollback", ("rollback", "notify")),
    ),
)
_CRD = yaml.safe_load((Path(__file__).parents[2] / "crds/productionevaluations.yaml").read_text(encoding="utf-8"))
SCHEMA = _CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def shipyard(data: bytes) -> None:
    """A patch that succeeds can be undone, and a second one has nothing to do."""
    text = decode(data, "shipyard.yaml")
    for gate in GATES:
        patched = patch(text, gate)
        if undo_edits(patched.text, patched.edits) != text:
            raise AssertionError("undoing the edits does not give the input")
        if patch(patched.text, gate).edits:
            raise AssertionError("a second patch has something to do")


def slo(data: bytes) -> None:
    """An slo.yaml."""
    notes(decode_slo(decode(data, "slo.yaml")))


def sli(data: bytes) -> None:
    """An sli.yaml."""
    decode_sli(decode(data, "sli.yaml"))


def locust_conf(data: bytes) -> None:
    """A locust.conf."""
    for text, _ in read_locust_conf(decode(data, "locust.conf"), path="locust.conf").values():
        parse_time_span(text)


def job_config(data: bytes) -> None:
    """A job/config.yaml, with its event patterns."""
    actions = read_job_config(decode(data, "job/config.yaml"))
    answering(actions, "je-test", TARGET)
    for action in actions:
        for event in action.events:
            matches(event.pattern, "sh.keptn.event." + "a" * 80 + ".triggered")


def resource(data: bytes) -> None:
    """A manifest with resources."""
    for _, node in resource_bodies(decode(data, "resource.yaml"), "resource.yaml"):
        read_resource(as_object(to_json(node, "resource.yaml")))


TARGETS: Mapping[str, tuple[Callable[[bytes], None], str]] = {
    "shipyard": (shipyard, "shipyard.yaml"),
    "slo": (slo, "slo.yaml"),
    "sli": (sli, "prometheus/sli.yaml"),
    "locust_conf": (locust_conf, "locust/locust.conf"),
    "job_config": (job_config, "job/config.yaml"),
    "resource": (resource, "resource.yaml"),
}
"""The parsers, and the path that `prodeval lint` knows their files by."""


def run(name: str, data: bytes) -> None:
    """Feed one input to a parser and to the checks around it; the checks turn every error into a finding."""
    parse, path = TARGETS[name]
    with suppress(ProdevalError):
        parse(data)
    lint(path, {path: data}, SCHEMA)
