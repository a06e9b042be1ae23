"""An upstream in memory, for tests of decisions; transport is tested against real servers elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

SHIPYARD = """apiVersion: "spec.keptn.sh/0.2.2"
kind: "Shipyard"
metadata:
  name: "shipyard-delivery"
spec:
  stages:
    - name: "qa"
      sequences:
        - name: "delivery"
          tasks:
            - name: "je-deployment"
            - name: "je-test"
            - name: "evaluation"
              properties:
                timeframe: "2m"
    - name: "production"
      sequences:
        - name: "delivery"
          triggeredOn:
            - event: "qa.delivery.finished"
          tasks:
            - name: "approval"
            - name: "je-deployment"  # the deployment
"""
SLO = "objectives:\n  - sli: p95\n    pass:\n      - criteria: ['<=0.3']\ntotal_score:\n  pass: '90%'\n"
SLI = "indicators:\n  p95: histogram_quantile(0.95, x[$DURATION_SECONDS])\n"
JOBS = """apiVersion: v2
actions:
  - name: deploy
    events: [{name: sh.keptn.event.je-deployment.triggered}]
    tasks: [{name: deploy, image: helm}]
  - name: load
    events: [{name: sh.keptn.event.je-test.triggered}]
    tasks: [{name: load, image: locust}]
"""


@dataclass(frozen=True)
class MemorySnapshot:
    branches: Mapping[str, Mapping[str, bytes]]
    default_branch: str = "main"

    @property
    def tips(self):
        return {name: f"{number:040x}" for number, name in enumerate(self.branches)}

    def exists(self, branch):
        return branch in self.branches

    def read(self, branch, path):
        return self.branches[branch].get(path)

    def holds(self, branch, path, content):
        return self.read(branch, path) == content

    def list(self, branch, directory):
        prefix = f"{directory}/" if directory else ""
        return tuple(sorted(path[len(prefix) :] for path in self.branches[branch] if path.startswith(prefix)))

    def after(self, changes):
        """The upstream once changes are pushed."""
        branches = {name: dict(files) for name, files in self.branches.items()}
        for change in changes:
            branches[change.branch][change.path] = change.content
        return MemorySnapshot(branches, self.default_branch)


def tutorial(**overrides):
    """The upstream as Keptn leaves it before production is judged; overrides are `branch={path: text or None}`."""
    qa = {
        "slo.yaml": SLO,
        "prometheus/sli.yaml": SLI,
        "locust/basic.py": "x = 1\n",
        "locust/locust.conf": "users = 5\n",
    }
    branches = {
        "main": {"shipyard.yaml": SHIPYARD, "metadata.yaml": ""},
        "qa": {f"hello/{path}": text for path, text in qa.items()}
        | {"hello/metadata.yaml": "", "hello/job/config.yaml": JOBS},
        "production": {"hello/metadata.yaml": "", "hello/job/config.yaml": JOBS},
    }
    for branch, files in overrides.items():
        branches[branch] = {path: text for path, text in (branches[branch] | files).items() if text is not None}
    return MemorySnapshot(
        {name: {path: text.encode() for path, text in files.items()} for name, files in branches.items()}
    )
