"""What kustomize makes of deploy/ and of the examples that build on it."""

from pathlib import Path

import yaml

OVERLAYS = sorted(Path("examples/install").iterdir())
TEAMS = ("team-a", "team-eu")


def rendered(api, folder):
    """All objects of a folder."""
    return list(yaml.safe_load_all(api.kubectl("kustomize", str(folder))))


def of_kind(objects, *kinds):
    """The objects of some kinds."""
    return [one for one in objects if one["kind"] in kinds]


def deployment(objects):
    """The only Deployment."""
    (one,) = of_kind(objects, "Deployment")
    return one


def config(objects):
    """The text of the config that the Deployment mounts."""
    (volume,) = deployment(objects)["spec"]["template"]["spec"]["volumes"]
    (found,) = (one for one in objects if one["metadata"]["name"] == volume["configMap"]["name"])
    return found["data"]["config.yaml"]
