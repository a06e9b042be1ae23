"""What the Git protocol needs of a network: one conversation with one of the server's two services."""

from enum import Enum
from typing import Protocol

from prodeval.adapters.git.guard import Guard
from prodeval.domain.credentials import GitCredentials


class Service(Enum):
    """The two programs of a Git server."""

    READ = "git-upload-pack"
    WRITE = "git-receive-pack"


class Stream(Protocol):
    """What the server says; its end is the end of the answer (HTTP) or of the conversation (SSH)."""

    def read(self, size: int, /) -> bytes:
        """Exactly `size` bytes, fewer only at the end. Raises OSError, urllib3's or paramiko's errors."""
        ...


class Transport(Protocol):
    """A way to one upstream. One thread at a time uses it; any thread may close its guard."""

    guard: Guard
    credentials: GitCredentials
    stateless: bool
    """Whether a request can be sent without hearing the advertisement first."""

    def advertisement(self, service: Service) -> Stream:
        """Begin a conversation; the stream starts with the server's first pkt-line."""
        ...

    def send(self, service: Service, request: bytes) -> Stream:
        """Send a request, in the conversation that is open if there is one."""
        ...

    def hang_up(self) -> None:
        """End the conversation."""
        ...

    def release(self) -> None:
        """End the operation; keep what makes the next one fast."""
        ...

    def close(self) -> None:
        """End what is under way, for good; safe to call from any thread."""
        ...
