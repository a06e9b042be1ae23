"""Which integrations are registered, and what they listen to."""

import hashlib
from collections.abc import Mapping, Sequence

from demo.keptn.events import APPROVAL, EXECUTOR, LIGHTHOUSE, PREFIX, PROMETHEUS, milliseconds, timestamp
from demo.keptn.executor import SUBSCRIBED
from prodeval.domain.json_values import JSON, JSONObject

_VERSIONS: Mapping[str, tuple[str, str]] = {
    APPROVAL: ("1.4.5", ""),
    LIGHTHOUSE: ("1.4.5", ""),
    PROMETHEUS: ("1.4.5", "0.15.0"),
    EXECUTOR: ("0.3.0", "0.18.0"),
}
"""Of the integration and of its distributor, by name."""

_TOPICS: Mapping[str, Sequence[str]] = {
    APPROVAL: ("approval.triggered",),
    LIGHTHOUSE: ("evaluation.triggered", "get-sli.finished", "monitoring.configure"),
    PROMETHEUS: ("monitoring.configure", "get-sli.triggered"),
    EXECUTOR: tuple(f"{task}.triggered" for task in SUBSCRIBED),
}


def registrations(name: str = "") -> list[JSONObject]:
    """All integrations, or the one of that name."""
    return [_registration(each) for each in _TOPICS if name in ("", each)]


def _registration(name: str) -> JSONObject:
    integration, distributor = _VERSIONS[name]
    namespace = "keptn-jes" if name == EXECUTOR else "keptn"
    # The remote execution plane registers with empty filters, the control plane with none.
    unfiltered: JSON = [] if name == EXECUTOR else None
    return {
        "id": _id(name, namespace, "local"),
        "name": name,
        "metadata": {
            "hostname": "local",
            "integrationversion": integration,
            "distributorversion": distributor,
            "location": "control-plane",
            "kubernetesmetadata": {"namespace": namespace, "podname": f"{name}-0", "deploymentname": name},
            "lastseen": milliseconds(timestamp()),
        },
        "subscriptions": [
            {
                "id": _id(name, topic),
                "event": f"{PREFIX}{topic}",
                "filter": dict.fromkeys(("projects", "stages", "services"), unfiltered),
            }
            for topic in _TOPICS[name]
        ],
    }


def _id(*parts: str) -> str:
    return hashlib.sha1("-".join(parts).encode()).hexdigest()
