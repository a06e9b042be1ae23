"""A service that passes the preflight without a word, to be spoiled file by file."""

from collections.abc import Mapping

from prodeval.domain.preflight import Files, Finding, Level, Wish, check
from prodeval.domain.resource import Target
from prodeval.domain.shipyard import Gate

TARGET = Target("fulltour", "production", "helloservice")
SUBSCRIPTIONS = frozenset({"sh.keptn.event.je-test.triggered"})
SHIPYARD = """\
apiVersion: spec.keptn.sh/0.2.3
kind: Shipyard
spec:
  stages:
    - name: production
      sequences:
        - name: delivery
          tasks:
            - name: je-deployment
"""
SLO = """\
objectives:
  - sli: throughput
    pass:
      - criteria: [">5"]
total_score: {pass: "90%"}
"""
JOB_CONFIG = """\
apiVersion: v2
actions:
  - name: Load test
    events:
      - name: sh.keptn.event.je-test.triggered
    tasks: [{name: locust, image: locustio/locust}]
"""
GOOD: Mapping[str, str] = {
    "slo.yaml": SLO,
    "prometheus/sli.yaml": "indicators: {throughput: up}\n",
    "locust/basic.py": "from locust import HttpUser\n",
    "locust/locust.conf": "run-time = 2m\n",
    "job/config.yaml": JOB_CONFIG,
}


def level(files: Mapping[str, str], prefix: str = "") -> Level:
    return Level(prefix, {path: text.encode() for path, text in files.items()})


def checked(
    changed: Mapping[str, str | None] | None = None,
    *,
    shipyard: str = SHIPYARD,
    gate: Gate | None = None,
    stage: Level | None = None,
    project: Level | None = None,
    subscriptions: frozenset[str] | None = SUBSCRIPTIONS,
) -> tuple[Finding, ...]:
    """The findings about the good service with some files changed (None: absent)."""
    service = {path: text for path, text in (GOOD | dict(changed or {})).items() if text is not None}
    files = Files(level(service), stage or Level(), project or Level())
    return check(files, Wish(gate or Gate("production"), shipyard), TARGET, subscriptions=subscriptions)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in findings]
