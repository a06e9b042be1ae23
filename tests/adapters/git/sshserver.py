"""A real SSH server for tests, on loopback, that runs Git's own programs and nothing else."""

import asyncio
import os
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncssh

_PROGRAMS = ("git-upload-pack", "git-receive-pack")


class SSHServer:
    """Serves the bare repositories below a directory to one user with one key."""

    def __init__(self, root: Path, user: str = "git", passphrase: str = "") -> None:
        self.root, self.user = root, user
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.client_key = asyncssh.generate_private_key("ssh-ed25519")
        self.private_key = self.client_key.export_private_key("openssh", passphrase or None, rounds=50).decode()
        self.commands: list[str] = []
        self.logins = 0
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.version_2 = True
        self.may_write = True
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._acceptor = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._acceptor.get_port()

    @property
    def known_hosts(self) -> str:
        return f"[localhost]:{self.port} {self.host_key.export_public_key().decode()}"

    def url(self, name: str) -> str:
        return f"ssh://{self.user}@localhost:{self.port}{self.root}/{name}"

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        authorized = asyncssh.import_authorized_keys(self.client_key.export_public_key().decode())
        return await asyncssh.listen(
            "localhost",
            0,
            family=2,
            server_host_keys=[self.host_key],
            authorized_client_keys=authorized,
            process_factory=self._run,
            encoding=None,
            server_factory=lambda: _Counting(self),
        )

    async def _end(self) -> None:
        self._acceptor.close()
        await self._acceptor.wait_closed()
        for connection in self.connections:
            connection.abort()
            await connection.wait_closed()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _run(self, process: asyncssh.SSHServerProcess) -> None:
        self.commands.append(str(process.command))
        program, path = shlex.split(str(process.command))
        if program not in _PROGRAMS or (program == "git-receive-pack" and not self.may_write):
            process.stderr.write(b"ERROR: Permission to write denied.\n")
            process.exit(1)
            return
        wish = process.env.get("GIT_PROTOCOL", "") if self.version_2 else ""
        child = await asyncio.create_subprocess_exec(
            "git",
            program.removeprefix("git-"),
            path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "GIT_PROTOCOL": wish, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(self.root)},
        )
        feeding = asyncio.create_task(_pump(process.stdin, child.stdin))
        try:
            await asyncio.gather(_pump(child.stdout, process.stdout), _pump(child.stderr, process.stderr))
            process.exit(await child.wait())
        finally:
            feeding.cancel()
            if child.returncode is None:
                child.kill()
            await child.wait()


async def _pump(
    source: asyncssh.SSHReader | asyncio.StreamReader, sink: asyncssh.SSHWriter | asyncio.StreamWriter
) -> None:
    """Copy until the source ends or the sink is gone."""
    with suppress(OSError, asyncssh.Error):
        while data := await source.read(1 << 16):
            sink.write(data)
            await sink.drain()
    if isinstance(sink, asyncio.StreamWriter):  # the end of an SSH channel is that of both its streams
        sink.close()


class _Counting(asyncssh.SSHServer):
    def __init__(self, owner: SSHServer) -> None:
        self._owner = owner

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._owner.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        self._owner.logins += 1
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._owner.user and key.public_data == self._owner.client_key.public_data

    def public_key_auth_supported(self) -> bool:
        return True


@contextmanager
def serving_ssh(root: Path, **options: str) -> Iterator[SSHServer]:
    server = SSHServer(root, **options)
    try:
        yield server
    finally:
        server.close()
