"""What a file is, by its content; a name only helps where the content is broken."""

import re
from enum import Enum

import yaml

from prodeval.domain.errors import InvalidFileError
from prodeval.domain.resource import GROUP
from prodeval.domain.yaml_nodes import compose


class Kind(Enum):
    """A kind of file that can be checked."""

    RESOURCE = "resource"
    SHIPYARD = "shipyard"
    SLO = "slo"
    SLI = "sli"
    JOB_CONFIG = "job config"
    LOCUST_FILE = "locust file"
    LOCUST_CONF = "locust.conf"


_LOCUST_IMPORT = re.compile(r"^\s*(?:from|import)\s+locust\b", re.MULTILINE)
_LOCUST_SETTING = re.compile(r"^\s*(?:--)?(?:run-time|headless|locustfile|spawn-rate|users)\b", re.MULTILINE)
_KEY = re.compile(r"^[\"']?([A-Za-z_]+)[\"']?\s*:\s*[\"']?([^\s\"'#]*)", re.MULTILINE)
_RESOURCE = re.compile(rf"\b{re.escape(GROUP)}/")
_NAMES = {
    "slo.yaml": Kind.SLO,
    "sli.yaml": Kind.SLI,
    "shipyard.yaml": Kind.SHIPYARD,
    "locust.conf": Kind.LOCUST_CONF,
}


def kind_of(path: str, text: str) -> Kind | None:
    """What a file is; None if it is nothing that can be checked."""
    name = path.rsplit("/", 1)[-1]
    if name.endswith(".py"):
        return Kind.LOCUST_FILE if _LOCUST_IMPORT.search(text) else None
    if name.endswith(".conf"):
        return Kind.LOCUST_CONF if name in _NAMES or _LOCUST_SETTING.search(text) else None
    if _RESOURCE.search(text) and "ProductionEvaluation" in text:
        return Kind.RESOURCE
    if path.endswith("job/config.yaml"):
        return Kind.JOB_CONFIG
    return _by_keys(_keys(text)) or _NAMES.get(name)


def _keys(text: str) -> dict[str, str]:
    """The top-level keys, with their values where these are text; what can be seen of them if it is no YAML."""
    try:
        root = compose(text, path="")
    except InvalidFileError:
        return dict(_KEY.findall(text))
    if not isinstance(root, yaml.MappingNode):
        return {}
    return {str(key.value): value.value if isinstance(value, yaml.ScalarNode) else "" for key, value in root.value}


def _by_keys(keys: dict[str, str]) -> Kind | None:
    if keys.get("kind") == "Shipyard" or keys.get("apiVersion", "").startswith("spec.keptn.sh/"):
        return Kind.SHIPYARD
    if keys.keys() & {"objectives", "total_score"}:
        return Kind.SLO
    if "indicators" in keys:
        return Kind.SLI
    return Kind.JOB_CONFIG if keys.get("apiVersion") == "v2" and "actions" in keys else None
