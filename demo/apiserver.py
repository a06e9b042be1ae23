"""A real Kubernetes API server and its etcd, with RBAC and an audit log.

There is no controller manager and no kubelet: namespaces have no default
ServiceAccount, a deleted namespace stays in Terminating, and no pod runs.
"""

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from demo import loopback
from demo.certificates import Certificate, issue
from demo.processes import Restartable, ServerError, running, wait_until

ADMIN_TOKEN = "admin-of-the-local-world"
AUDIT_LOG = "audit.jsonl"

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


class KubectlError(ServerError):
    """The command failed; the text is what kubectl wrote to standard error."""


@dataclass(frozen=True, slots=True)
class ApiServer:
    """A running API server.

    The audit log has one JSON object per line (audit.k8s.io/v1, level Metadata).

    Attributes:
        process: kube-apiserver itself; what it holds is in etcd, which goes on while this is stopped.
    """

    url: str
    ca_file: Path
    kubeconfig: Path
    audit_log: Path
    programs: Path
    process: Restartable

    def write_kubeconfig(self, path: Path, token: str) -> Path:
        """Write a kubeconfig, complete in itself, for whoever owns the bearer token."""
        certificate = base64.b64encode(self.ca_file.read_bytes()).decode()
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "local",
            "clusters": [{"name": "local", "cluster": {"server": self.url, "certificate-authority-data": certificate}}],
            "users": [{"name": "local", "user": {"token": token}}],
            "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local"}}],
        }
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return path

    def kubectl(self, *arguments: str, stdin: str | None = None, kubeconfig: Path | None = None) -> str:
        """Run kubectl, as the administrator unless told otherwise, and return its standard output.

        Raises:
            KubectlError: if it fails.
        """
        ran = subprocess.run(
            [self.programs / "kubectl", f"--cache-dir={self.kubeconfig.parent / 'discovery'}", *arguments],
            env=os.environ | {"KUBECONFIG": str(kubeconfig or self.kubeconfig)},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise KubectlError(ran.stderr)
        return ran.stdout

    def service_account_kubeconfig(self, path: Path, namespace: str, name: str) -> Path:
        """Write a kubeconfig with a fresh token of a ServiceAccount that exists."""
        return self.write_kubeconfig(path, self.kubectl("create", "token", name, f"--namespace={namespace}").strip())


@contextmanager
def api_server(programs: Path, folder: Path, logs: Path) -> Iterator[ApiServer]:
    """Run etcd and kube-apiserver on free ports for the length of a block.

    Args:
        programs: The folder with etcd, kube-apiserver and kubectl.
        folder: Where data, keys, kubeconfig and audit log go; made if it is absent.
        logs: Where the logs of both servers go.

    Raises:
        ServerError: if one of them does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    client, peer, secure = (f"{loopback.ADDRESS}:{port}" for port in loopback.free_ports(3))
    certificate = issue(folder / "pki")
    url = f"https://{secure}"
    kube = Restartable(
        _api_server_command(programs, folder, secure, certificate, client),
        name="kube-apiserver",
        logs=logs,
        ready=lambda: loopback.answers(f"{url}/readyz", ca_file=certificate.ca_file),
    )
    server = ApiServer(url, certificate.ca_file, folder / "admin.kubeconfig", folder / AUDIT_LOG, programs, kube)
    server.write_kubeconfig(server.kubeconfig, ADMIN_TOKEN)
    etcd = _etcd_command(programs, folder / "etcd", client, peer)
    with running(etcd, name="etcd", logs=logs) as store:
        wait_until(lambda: loopback.answers(f"http://{client}/readyz"), store)
        try:
            server.process.start()
            yield server
        finally:
            server.process.stop()


def _etcd_command(programs: Path, data: Path, client: str, peer: str) -> list[str | Path]:
    return [
        programs / "etcd",
        "--name=local",
        f"--data-dir={data}",
        f"--listen-client-urls=http://{client}",
        f"--advertise-client-urls=http://{client}",
        f"--listen-peer-urls=http://{peer}",
        f"--initial-advertise-peer-urls=http://{peer}",
        f"--initial-cluster=local=http://{peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _api_server_command(
    programs: Path, folder: Path, address: str, certificate: Certificate, etcd: str
) -> list[str | Path]:
    tokens, policy = folder / "tokens.csv", folder / "audit-policy.yaml"
    tokens.touch(mode=0o600)
    tokens.write_text(f'{ADMIN_TOKEN},admin,admin,"system:masters"\n')
    policy.write_text(yaml.safe_dump(AUDIT_POLICY))
    return [
        programs / "kube-apiserver",
        f"--etcd-servers=http://{etcd}",
        f"--bind-address={loopback.ADDRESS}",
        f"--advertise-address={loopback.ADDRESS}",
        f"--secure-port={address.rpartition(':')[2]}",
        f"--tls-cert-file={certificate.certificate_file}",
        f"--tls-private-key-file={certificate.key_file}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={certificate.key_file}",
        f"--service-account-signing-key-file={certificate.key_file}",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--endpoint-reconciler-type=none",
        f"--audit-policy-file={policy}",
        f"--audit-log-path={folder / AUDIT_LOG}",
    ]
