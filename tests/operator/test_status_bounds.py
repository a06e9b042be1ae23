"""A status that was made to fit is taken by a real API server, whatever was in it."""

import json
from datetime import UTC, datetime

import pytest

from demo.apiserver import KubectlError
from prodeval.domain.status_bounds import fit

NOW = datetime(2026, 1, 1, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
LONG = "\x1b[31mü\u202e\n" * 600
CONDITION = {"type": LONG, "status": "Maybe", "reason": "", "message": LONG * 20, "lastTransitionTime": NOW}
OBJECTIVE = {
    "sli": LONG,
    "displayName": LONG,
    "weight": 2**63,
    "pass": ["<=" + "0" * 80] * 40,
    "violated": ["x" * 65] * 40,
}
EVALUATION = {
    "version": LONG,
    "score": LONG,
    "windowStart": "yesterday",
    "windowEnd": NOW,
    "objectives": [OBJECTIVE] * 51,
}
FILE = {"path": LONG, "sha256": LONG, "from": LONG}

STATUSES = {
    "long texts and lists": {
        "verdict": "Perhaps",
        "lastHandledReconcileAt": LONG,
        "resolved": {"upstream": LONG, "layout": LONG},
        "sync": {"files": [FILE] * 300, "plan": [{"path": LONG, "action": LONG, "linesAdded": 1}] * 300},
        "pending": {"version": LONG, "deadline": "2026-02-30T00:00:00Z"},
        "lastEvaluation": EVALUATION | {"evidence": [{"check": LONG, "status": "True"}] * 2},
        "history": [{"version": LONG, "verdict": LONG, "endTime": NOW}] * 60,
        "conditions": [CONDITION] * 20,
    },
    "other kinds": {"observedGeneration": 10**30, "sync": [], "history": {}, "lastEvaluation": {"score": 100}},
    "times": {"sync": {"firstSyncTime": "2026-01-01T00:00:00.123456789+05:30", "lastPushTime": "2026-01-01"}},
}


@pytest.fixture(scope="module")
def write(cluster):
    """Write a whole status."""
    cluster.kubectl("create", "namespace", "bounds")
    body = {
        "apiVersion": "prodeval.dev/v1alpha1",
        "kind": "ProductionEvaluation",
        "metadata": {"name": "bounds", "namespace": "bounds"},
        "spec": {"project": "fulltour", "service": "helloservice"},
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))

    def put(status):
        newest = json.loads(cluster.kubectl("get", "-n", "bounds", "prodeval/bounds", "-o", "json"))
        newest["status"] = status
        path = "/apis/prodeval.dev/v1alpha1/namespaces/bounds/productionevaluations/bounds/status"
        return json.loads(cluster.kubectl("replace", "--raw", path, "-f", "-", stdin=json.dumps(newest)))["status"]

    return put


@pytest.mark.parametrize("status", STATUSES.values(), ids=STATUSES)
def test_what_fit_makes_is_taken_and_stays(write, status):
    with pytest.raises(KubectlError):
        write(status)
    fitted = fit(status, str)
    assert write(fitted) == fitted
