"""What kustomize makes of deploy/ and of the examples that build on it."""

from pathlib import Path

import yaml

OVERLAYS = sorted(path.parent for path in Path("examples/install").glob("*/kustomization.yaml"))
OPERATOR_ROLES = ("prodeval", "prodeval-credentials")
TEAMS = ("team-a", "team-eu")


def rendered(api, folder):
    """All objects of a folder."""
    return list(yaml.safe_load_all(api.kubectl("kustomize", str(folder))))


def of_kind(objects, *kinds):
    """The objects of some kinds."""
    return [one for one in objects if one["kind"] in kinds]


def granted(objects):
    """(group, resource, verb) of all that the operator may do."""
    roles = [role for role in of_kind(objects, "Role", "ClusterRole") if role["metadata"]["name"] in OPERATOR_ROLES]
    return {
        (group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def deployment(objects):
    """The only Deployment."""
    (one,) = of_kind(objects, "Deployment")
    return one


def config(objects):
    """The text of the config that the Deployment mounts."""
    (volume,) = deployment(objects)["spec"]["template"]["spec"]["volumes"]
    (found,) = (one for one in objects if one["metadata"]["name"] == volume["configMap"]["name"])
    return found["data"]["config.yaml"]
