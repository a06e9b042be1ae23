"""One upstream for each project, kept open between operations; calls that meet share one push."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from prodeval.adapters.git.commits import Author
from prodeval.adapters.git.transport import Transport
from prodeval.adapters.git.transport_http import HTTPTransport
from prodeval.adapters.git.transport_ssh import SSHTransport
from prodeval.adapters.git.writer import Job, Manner, Writer, backoff, nobody
from prodeval.domain.credentials import GitCredentials
from prodeval.domain.errors import GitOperationFailedError
from prodeval.domain.upstream import Planner, Pushed, PushListener, Request, Snapshot

T = TypeVar("T")


class GitRepository:
    """One project's upstream; fulfils `domain.upstream.Repository`."""

    def __init__(self, transport: Transport, writer: Writer) -> None:
        self._transport, self._writer = transport, writer
        self._turn = threading.Condition()
        self._waiting: list[Job] = []
        self._busy = False

    def write(self, branches: frozenset[str], plan: Planner) -> Pushed:
        """List, plan and push; whoever comes while a push is under way shares the next one."""
        (answer,) = self.write_all((Request(branches, plan),))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def write_all(self, requests: Sequence[Request]) -> tuple[Pushed | Exception, ...]:
        """Several writes with one listing and one push."""
        jobs = [Job(request.branches, request.plan) for request in requests]
        with self._turn:
            self._waiting += jobs
            self._turn.wait_for(lambda: all(job.done for job in jobs) or not self._busy)
            if all(job.done for job in jobs):
                return tuple(map(_answer, jobs))
            self._busy, batch, self._waiting = True, self._waiting, []
        self._serve(batch)
        return tuple(map(_answer, jobs))

    def look(self, branches: frozenset[str], at: Callable[[Snapshot], T]) -> T:
        """List, and let `at` read."""
        with self._turn:
            self._turn.wait_for(lambda: not self._busy)
            self._busy = True
        seen: list[T] = []
        try:
            self._writer.look(branches, lambda snapshot: seen.append(at(snapshot)))
        finally:
            self._pass_on()
        return seen[0]

    def close_if_idle(self) -> None:
        """Give back the connections unless somebody still uses them."""
        with self._turn:
            if not self._busy:
                self._transport.close()

    def close(self) -> None:
        """End what is under way, and give back the connections."""
        self._transport.close()

    def _serve(self, batch: list[Job]) -> None:
        try:
            self._writer.serve(batch)
        finally:
            for job in batch:
                if not job.done:
                    job.error = GitOperationFailedError("the push was interrupted; will be tried again")
            self._pass_on()

    def _pass_on(self) -> None:
        with self._turn:
            self._busy = False
            self._turn.notify_all()


class Repositories:
    """The upstreams of all projects.

    `author_name` and `author_email` sign the commits; `timeout` are the seconds that one try may take, from the listing
    to the answer of the push; `known_hosts` are lines in OpenSSH's format for projects whose Secret has none; `delays`
    are the seconds before each try of a push that others are faster than; `listener` hears of each push.
    """

    def __init__(
        self,
        *,
        author_name: str,
        author_email: str,
        timeout: float = 60.0,
        known_hosts: str = "",
        delays: Callable[[], Iterator[float]] = backoff,
        listener: PushListener = nobody,
    ) -> None:
        self._manner = Manner(Author(author_name, author_email), timeout, delays, listener)
        self._known_hosts = known_hosts
        self._mutex = threading.Lock()
        self._opened: dict[str, tuple[GitCredentials, str | None, GitRepository]] = {}
        self._closed = False

    def open(self, project: str, credentials: GitCredentials, *, branch: str | None = None) -> GitRepository:
        """A project's upstream; the same one as before unless credentials or `branch` changed. No network yet.

        `branch` overrides what HEAD names. Raises AccessDeniedError for a key or certificate that is none.
        """
        with self._mutex:
            if self._closed:
                raise GitOperationFailedError("no upstream can be opened any more: the operator is stopping")
            known = self._opened.get(project)
            if known and known[:2] == (credentials, branch):
                return known[2]
            repository = self._new(project, credentials, branch)
            if known:
                known[2].close_if_idle()
            self._opened[project] = (credentials, branch, repository)
        return repository

    def close(self) -> None:
        """End all operations under way within moments; each raises GitOperationFailedError in its thread."""
        with self._mutex:
            self._closed, opened = True, list(self._opened.values())
            self._opened.clear()
        for _, _, repository in opened:
            repository.close()

    def _new(self, project: str, credentials: GitCredentials, branch: str | None) -> GitRepository:
        transport: Transport
        if credentials.scheme == "ssh":
            transport = SSHTransport(credentials, self._manner.timeout, self._known_hosts)
        else:
            transport = HTTPTransport(credentials, self._manner.timeout)
        writer = Writer(transport, project, branch, self._manner)
        return GitRepository(transport, writer)


def _answer(job: Job) -> Pushed | Exception:
    return job.result or job.error or GitOperationFailedError("the push was interrupted; will be tried again")
