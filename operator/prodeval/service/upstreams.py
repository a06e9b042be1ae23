"""The Git upstreams of projects, opened with the credentials that Keptn keeps for them."""

from collections.abc import Callable

from prodeval.domain.credentials import GitCredentials, parse_git_credentials, secret_texts
from prodeval.domain.errors import AccessDeniedError
from prodeval.domain.masking import Mask
from prodeval.domain.upstream import Repository
from prodeval.service.ports import Cluster

SECRET_PREFIX = "git-credentials-"  # noqa: S105 - the name of a Secret, not its content

OpenRepository = Callable[[str, GitCredentials], Repository]
"""Opens a project's upstream; no network yet."""


class Upstreams:
    """Opens upstreams. Safe to use from many threads.

    An address and its credential come from the same Secret, which belongs to whoever owns the credential.
    """

    def __init__(
        self,
        cluster: Cluster,
        open_repository: OpenRepository,
        *,
        credentials_namespace: str,
        allowed_hosts: tuple[str, ...],
        mask: Mask,
    ) -> None:
        self._cluster, self._open = cluster, open_repository
        self._namespace, self._allowed, self._mask = credentials_namespace, allowed_hosts, mask

    def open(self, project: str) -> tuple[Repository, str]:
        """A project's upstream, and its URL without userinfo; reads the Secret. Raises ProdevalError."""
        secret = SECRET_PREFIX + project
        data = self._cluster.secret(self._namespace, secret)
        credentials = parse_git_credentials(data, secret=secret)
        self._mask.learn(*secret_texts(credentials))
        if self._allowed and credentials.host not in self._allowed:
            raise AccessDeniedError(
                f"Secret {secret!r} names host {credentials.host!r}, which is not among git.allowedHosts in the "
                "operator's config"
            )
        return self._open(project, credentials), credentials.url
