"""An operator as a process of its own, and the namespace, Git server and Keptn address that it works with."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml

from demo.apiserver import ApiServer, KubectlError
from demo.gitserver import GitServer, git
from demo.processes import Child, start, stop
from demo.upstream import create_upstream

CREDENTIALS_NAMESPACE = "keptn"
KEPTN_TOKEN = "token-of-the-scripted-keptn"
ACCOUNT = "system:serviceaccount:prodeval:prodeval"
NOWHERE = "http://127.0.0.1:9"
"""Where nothing listens."""


def until(probe, seconds=30.0):
    """The first true answer of `probe`; AssertionError if there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"no answer of {probe} in {seconds:.0f} s"
        time.sleep(0.05)
    return answer


def conditions(body):
    """Each condition as `<status> <reason>`."""
    return {one["type"]: f"{one['status']} {one['reason']}" for one in body["status"].get("conditions", [])}


def message(body, name):
    """What a condition says to people."""
    return next(one["message"] for one in body["status"]["conditions"] if one["type"] == name)


def commit(upstream, branch, files):
    """Commit as a person would, straight to a branch of a bare repository."""
    head = f"commit refs/heads/{branch}\ncommitter a person <person@localhost> now\ndata 6\nby me\n"
    texts = [
        f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n".encode() for path, text in sorted(files.items())
    ]
    parent = f"from refs/heads/{branch}^0\n"
    import_ = ["fast-import", "--quiet", "--date-format=now"]
    git("-C", str(upstream), *import_, stdin=b"".join([head.encode(), parent.encode(), *texts, b"\n"]))


def show(upstream, branch, path):
    """A file at the tip of a branch."""
    return git("-C", str(upstream), "show", f"{branch}:{path}")


def subjects(upstream, branch):
    """The first lines of all commits of a branch, newest first."""
    return git("-C", str(upstream), "log", "--format=%s", branch).splitlines()


@dataclass
class Team:
    """One namespace, the projects that are granted to it, and the operator that serves it."""

    cluster: ApiServer
    namespace: str
    git: GitServer
    keptn_url: str
    folder: Path
    operator: Child | None = None

    @property
    def log(self):
        """What the operator wrote so far, over all its starts."""
        log = self.folder / "operator.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def start(self, *others):
        """Start the operator with its ServiceAccount's rights; it serves these other namespaces, too."""
        kubeconfig = self.folder / "operator.kubeconfig"
        if not kubeconfig.exists():
            self.cluster.service_account_kubeconfig(kubeconfig, "prodeval", "prodeval")
        self.operator = start(
            [
                Path(sys.executable).parent / "prodeval",
                "run",
                *(f"--namespace={name}" for name in (self.namespace, *others)),
            ],
            name="operator",
            logs=self.folder,
            environment={"KUBECONFIG": str(kubeconfig), "PRODEVAL_CONFIG": str(self.folder / "config.yaml")},
        )

    def stop(self):
        """End the operator, if it runs."""
        if self.operator is not None:
            stop(self.operator)

    def kill(self):
        """End the operator without a warning."""
        os.killpg(self.operator.pid, signal.SIGKILL)

    def grant(self, projects):
        """Write the operator's config, with settings for each project; it is read when the operator starts."""
        granted = {project: {"namespaces": [self.namespace], **settings} for project, settings in projects.items()}
        config = {"keptn": {"url": self.keptn_url}, "projects": granted}
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config))

    def project(self, name):
        """Make a project's upstream, and the Secret that Keptn keeps for it."""
        self.give_access({name: self.git.url_of(name)})
        return create_upstream(self.git, name)

    def give_access(self, urls):
        """Make or change the Secrets of projects, as Keptn does."""
        secrets = []
        for project, url in urls.items():
            content = {"remoteURL": url, "user": self.git.user, "https": {"token": self.git.password}}
            secrets.append(secret(f"git-credentials-{project}", {"git-credentials": json.dumps(content)}))
        self.cluster.kubectl("apply", "--filename=-", stdin="\n".join(map(json.dumps, secrets)))

    def kubectl(self, *arguments, stdin=None):
        """Run kubectl in the namespace, as the administrator."""
        return self.cluster.kubectl(*arguments, "--namespace", self.namespace, stdin=stdin)

    def apply(self, name, project, service="helloservice", **spec):
        """Apply a ProductionEvaluation."""
        self.apply_all([resource(name, spec={"project": project, "service": service, **spec})])

    def apply_all(self, bodies, *options):
        """Apply many objects at once."""
        self.kubectl("apply", "--filename=-", *options, stdin="\n".join(map(json.dumps, bodies)))

    def get(self, name):
        """A ProductionEvaluation as it is now."""
        return json.loads(self.kubectl("get", "prodeval", name, "--output=json"))

    def get_all(self):
        """All ProductionEvaluations of the namespace as they are now, by name."""
        items = json.loads(self.kubectl("get", "prodevals", "--output=json"))["items"]
        return {item["metadata"]["name"]: item for item in items}

    def wait(self, name, path, value, seconds=30):
        """The resource once a JSONPath of it has a value; AssertionError with its status and the log if not in time."""
        try:
            self.kubectl("wait", f"prodeval/{name}", f"--for=jsonpath={path}={value}", f"--timeout={seconds}s")
        except KubectlError as error:
            status = json.dumps(self.get(name).get("status"), indent=1)
            raise AssertionError(f"{name}: {path} is not {value}: {error}\n{status}\n{self.log[-8000:]}") from error
        return self.get(name)

    def wait_reason(self, name, condition, reason, seconds=30):
        """The resource once a condition has a reason."""
        return self.wait(name, f'{{.status.conditions[?(@.type=="{condition}")].reason}}', reason, seconds)

    def events(self, name):
        """(type, reason) and message of all Events about a resource."""
        return {(item["type"], item["reason"]): item["message"] for item in self._events(name)}

    def event_count(self, name):
        """How many Events there are about a resource, by reason."""
        return Counter(item["reason"] for item in self._events(name))

    def _events(self, name):
        about = f"--field-selector=involvedObject.kind=ProductionEvaluation,involvedObject.name={name}"
        return json.loads(self.kubectl("get", "events", about, "--output=json"))["items"]

    def request_sync(self, name, token):
        """Ask for a sync now, as docs/status.md says."""
        self.kubectl("annotate", "prodeval", name, "--overwrite", f"prodeval.dev/reconcile-requested-at={token}")

    def git_requests(self, project):
        """The paths of all requests for a project's upstream, without the repository."""
        prefix = f"/{project}.git/"
        return [request.path.removeprefix(prefix) for request in self.git.requests if request.path.startswith(prefix)]

    def pushes(self, project):
        """How many pushes the Git server answered."""
        return self.git_requests(project).count("git-receive-pack")

    def reads(self, project):
        """How often an upstream was read: one request lists branches, others fetch what is new."""
        return self.git_requests(project).count("git-upload-pack")

    def audit(self):
        """What was asked of the API server about this namespace, oldest first."""
        lines = self.cluster.audit_log.read_text().splitlines()
        return [one for one in map(json.loads, lines) if one.get("objectRef", {}).get("namespace") == self.namespace]

    def kstatus(self, *bodies):
        """What GitOps tools make of resources: Current, InProgress or Failed for each."""
        ran = subprocess.run(
            [self.cluster.programs / "kstatus"],
            input="\n".join(map(json.dumps, bodies)),
            capture_output=True,
            text=True,
            check=True,
        )
        return [json.loads(line)["status"] for line in ran.stdout.splitlines()]

    def row(self, body):
        """A resource as a row of the table in docs/status.md: verdict, conditions, kstatus."""
        return [body["status"]["verdict"], conditions(body), *self.kstatus(body)]


def resource(name, **fields):
    """A ProductionEvaluation with a spec, a status or both."""
    return {
        "apiVersion": "prodeval.dev/v1alpha1",
        "kind": "ProductionEvaluation",
        "metadata": {"name": name},
        **fields,
    }


def secret(name, content):
    """A Secret among the credentials that Keptn keeps."""
    metadata = {"name": name, "namespace": CREDENTIALS_NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": content}


def namespace(name):
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
