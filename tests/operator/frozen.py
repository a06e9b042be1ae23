"""A namespace in which a policy of the cluster denies all status writes."""

import contextlib
import json

FROZEN = "this namespace is frozen"
_API = "admissionregistration.k8s.io/v1"
_RULE = {
    "apiGroups": ["prodeval.dev"],
    "apiVersions": ["*"],
    "operations": ["UPDATE"],
    "resources": ["productionevaluations/status"],
}
_POLICY = {
    "apiVersion": _API,
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "frozen"},
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [_RULE]},
        "validations": [{"expression": "false", "message": FROZEN}],
    },
}


@contextlib.contextmanager
def frozen(cluster, namespace):
    """Bind the policy for the length of a block; the API server obeys it, and forgets it, some seconds later."""
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    binding = {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "frozen"},
        "spec": {"policyName": "frozen", "validationActions": ["Deny"], "matchResources": selector},
    }
    for body in (_POLICY, binding):
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    try:
        yield
    finally:
        for body in (binding, _POLICY):
            cluster.kubectl("delete", body["kind"], "frozen")
