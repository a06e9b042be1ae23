"""prodeval as a platform team installs it: deploy/ applied, the operator run with the rights that it gets there."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from demo.apiserver import ApiServer
from demo.gitserver import GitServer
from demo.processes import Child, running

ROOT = Path(__file__).parent.parent
KEPTN_NAMESPACE = "keptn"
KEPTN_TOKEN = "token-of-the-local-keptn"
PROGRAM = Path(sys.executable).parent / "prodeval"


def install(api: ApiServer, *namespaces: str) -> None:
    """Apply deploy/, and make Keptn's namespace with its token, and namespaces for teams."""
    for namespace in (KEPTN_NAMESPACE, *namespaces):
        api.kubectl("apply", "-f", "-", stdin=_namespace(namespace))
    api.kubectl("apply", "--server-side", "-k", str(ROOT / "deploy"))
    api.kubectl("wait", "--for=condition=Established", "crd/productionevaluations.prodeval.dev", "--timeout=30s")
    put_secret(api, "keptn-api-token", {"keptn-api-token": KEPTN_TOKEN})


def put_secret(api: ApiServer, name: str, data: Mapping[str, str]) -> None:
    """Make or replace a Secret in Keptn's namespace."""
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": KEPTN_NAMESPACE},
        "stringData": dict(data),
    }
    api.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def put_git_credentials(api: ApiServer, git: GitServer, project: str) -> None:
    """Make the Secret that Keptn makes with a project, for the project's upstream."""
    credentials = {
        "remoteURL": git.url_of(project),
        "user": git.user,
        "https": {"token": git.password, "insecureSkipTLS": False},
    }
    put_secret(api, f"git-credentials-{project}", {"git-credentials": json.dumps(credentials)})


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """The operator's config, and the arguments of `prodeval run`.

    Attributes:
        grants: namespaces by project.
    """

    keptn_url: str
    grants: Mapping[str, Sequence[str]]
    arguments: Sequence[str] = field(default_factory=tuple)


@contextmanager
def operator(api: ApiServer, settings: OperatorSettings, folder: Path, logs: Path) -> Iterator[Child]:
    """Run the operator for the length of a block, as the ServiceAccount that deploy/ makes."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yaml"
    projects = {project: {"namespaces": list(namespaces)} for project, namespaces in settings.grants.items()}
    config.write_text(yaml.safe_dump({"keptn": {"url": settings.keptn_url}, "projects": projects}))
    kubeconfig = api.service_account_kubeconfig(folder / "operator.kubeconfig", "prodeval", "prodeval")
    environment = {"KUBECONFIG": str(kubeconfig), "PRODEVAL_CONFIG": str(config)}
    with running([PROGRAM, "run", *settings.arguments], name="operator", logs=logs, environment=environment) as child:
        yield child


def _namespace(name: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
