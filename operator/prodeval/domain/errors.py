"""The errors of prodeval: one root, split by whether trying again can help.

ProdevalError
├── RetryableError            a later try may succeed without anybody changing the resource
│   ├── DependencyNotReadyError    a Secret, ConfigMap, stage or service is not there yet
│   ├── GitOperationFailedError    the Git server did not answer, or not as it should
│   ├── KeptnUnavailableError      Keptn's API did not answer, or not as it should
│   ├── ClusterUnavailableError    the Kubernetes API did not answer, or not as it should
│   └── SupersededError            a newer spec, or a deletion, made a plan pointless
└── PermanentError            somebody has to change something first
    ├── InvalidSpecError           the resource asks for something that cannot be
    ├── InvalidFileError           a file that Keptn could not read (has path, line and column)
    ├── ShipyardRefusedError       a shipyard that cannot be patched safely
    ├── ShipyardConflictError      two resources want different tasks in one sequence
    ├── WouldBreakServicesError    the patch would hang the deliveries of other services
    ├── AccessDeniedError          not granted, or credentials refused
    ├── StatusRefusedError         the Kubernetes API does not take the status of this one resource
    ├── PushRejectedError          the Git server refuses the push, and will again
    ├── DuplicateTargetError       another resource owns this project, stage and service
    └── ConfigError                the operator's own configuration
"""

from typing import ClassVar


class ProdevalError(Exception):
    """The root of everything that prodeval raises on purpose; its text is for people and holds no secret."""

    reason: ClassVar[str] = "InternalError"
    """The reason of the `Synced` condition that this error becomes."""


class RetryableError(ProdevalError):
    """A later try may succeed without anybody changing the resource.

    Attributes:
        retry_after: seconds that the other side asked us to wait, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(ProdevalError):
    """Somebody has to change something first."""


class DependencyNotReadyError(RetryableError):
    """A Secret, ConfigMap, stage branch or service directory is not there yet."""

    reason = "DependencyNotReady"


class GitOperationFailedError(RetryableError):
    """The Git server did not answer, or not as it should."""

    reason = "GitOperationFailed"


class KeptnUnavailableError(RetryableError):
    """Keptn's API did not answer, or not as it should.

    Attributes:
        everywhere: whether the API as a whole is away, so that a question about another project would fare no better.
    """

    reason = "KeptnUnavailable"

    def __init__(self, message: str, *, retry_after: float | None = None, everywhere: bool = False) -> None:
        super().__init__(message, retry_after=retry_after)
        self.everywhere = everywhere


class ClusterUnavailableError(RetryableError):
    """The Kubernetes API did not answer, or not as it should."""

    reason = "ClusterUnavailable"


class SupersededError(RetryableError):
    """A newer spec, or a deletion, made a plan pointless before it was pushed."""

    reason = "Superseded"


class InvalidSpecError(PermanentError):
    """The resource asks for something that cannot be."""

    reason = "InvalidSpec"


class InvalidFileError(PermanentError):
    """A file that Keptn could not read.

    Attributes:
        path: the file, as its user knows it.
        line: from 1; 0 if unknown.
        column: from 1; 0 if unknown.
        problem: the message without the place.
    """

    reason = "InvalidFile"

    def __init__(self, problem: str, *, path: str, line: int = 0, column: int = 0) -> None:
        place = f"{path}:{line}:{column}" if line else path
        super().__init__(f"{place}: {problem}")
        self.path, self.line, self.column, self.problem = path, line, column, problem


class ShipyardRefusedError(InvalidFileError):
    """A shipyard that cannot be patched safely."""

    reason = "ShipyardRefused"


class ShipyardConflictError(PermanentError):
    """Two resources want different tasks in one sequence."""

    reason = "ShipyardConflict"


class WouldBreakServicesError(PermanentError):
    """The patch would hang the deliveries of other services."""

    reason = "WouldBreakServices"


class AccessDeniedError(PermanentError):
    """The project is not granted to the namespace, or the credentials are refused."""

    reason = "AccessDenied"


class StatusRefusedError(PermanentError):
    """The Kubernetes API does not take the status of one resource: by a policy, a right, the CRD, or as one too many.

    Attributes:
        retry_after: seconds for which it asked to be left alone with it, if it did.
    """

    reason = "StatusRefused"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PushRejectedError(PermanentError):
    """The Git server refuses the push, and will again."""

    reason = "PushRejected"


class DuplicateTargetError(PermanentError):
    """Another resource owns this project, stage and service."""

    reason = "DuplicateTarget"


class ConfigError(PermanentError):
    """The operator's own configuration is wrong."""

    reason = "ConfigError"
