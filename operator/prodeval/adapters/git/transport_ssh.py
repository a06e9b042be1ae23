"""Git over SSH: one connection for each operation, one channel for each conversation; no agent, no user config."""

import io
from contextlib import suppress

import paramiko
from dulwich.protocol import Protocol

from prodeval.adapters.git.failures import clean, mask_of
from prodeval.adapters.git.guard import CONNECT_TIMEOUT, Guard
from prodeval.adapters.git.transport import Service, Stream
from prodeval.domain.credentials import KEY, GitCredentials
from prodeval.domain.errors import AccessDeniedError, GitOperationFailedError

_KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_HANDSHAKE_TIMEOUT = 30.0
_MOST_WORDS = 4096


class _Refuse(paramiko.MissingHostKeyPolicy):
    """Nobody is trusted on first use."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        del client, hostname
        raise AccessDeniedError(f"unknown host key {_printed(key)}")


class _Answer:
    """A channel's output, whose first bytes were already read to see that there are any."""

    def __init__(self, first: bytes, rest: paramiko.channel.ChannelFile) -> None:
        self._first, self._rest = first, rest

    def read(self, size: int, /) -> bytes:
        first, self._first = self._first[:size], self._first[size:]
        return first if len(first) == size else first + bytes(self._rest.read(size - len(first)))


class SSHTransport:
    """Conversations with one upstream, whose host key is known."""

    stateless = False

    def __init__(self, credentials: GitCredentials, timeout: float, known_hosts: str = "") -> None:
        self.credentials, self.guard, self._timeout = credentials, Guard(), timeout
        self._key = _private_key(credentials)
        self._known = _known_hosts(credentials, known_hosts)
        self._client: paramiko.SSHClient | None = None
        self._channel: paramiko.Channel | None = None
        self._service = Service.READ
        self._answer: Stream | None = None

    def advertisement(self, service: Service) -> Stream:
        """Begin a conversation on a new channel."""
        self.hang_up()
        self.guard.check()
        channel = self._connection().open_session(timeout=self._timeout)
        self._channel, self._service = channel, service
        channel.settimeout(self._timeout)
        if service is Service.READ:
            channel.set_environment_variable("GIT_PROTOCOL", "version=2")
        channel.exec_command(f"{service.value} {_quoted(self.credentials.path)}")
        output = channel.makefile("rb", 1 << 16)
        first = output.read(1)
        if not first:
            raise self._refusal(channel, service)
        self._answer = _Answer(first, output)
        return self._answer

    def send(self, service: Service, request: bytes) -> Stream:
        """Send a request in the open conversation; if there is none, begin one and pass over its advertisement."""
        if self._channel is None or self._service is not service:
            for _ in Protocol(self.advertisement(service).read, len).read_pkt_seq():
                pass
        if self._channel is None or self._answer is None:
            raise GitOperationFailedError(f"{self.credentials.host}: the conversation is over")
        self._channel.sendall(request)
        return self._answer

    def hang_up(self) -> None:
        """Close the channel."""
        channel, self._channel, self._answer = self._channel, None, None
        if channel is not None:
            channel.close()

    def release(self) -> None:
        """Close the connection: hosts do not like idle ones."""
        self.hang_up()
        client, self._client = self._client, None
        if client is not None:
            client.close()
        self.guard.sweep()

    def close(self) -> None:
        """End what is under way."""
        self.guard.close()

    def _connection(self) -> paramiko.Transport:
        transport = self._client.get_transport() if self._client else None
        if transport is None or not transport.is_active():
            self.release()
            transport = self._connected()
        return transport

    def _connected(self) -> paramiko.Transport:
        login = self.credentials
        client = paramiko.SSHClient()
        sock = self.guard.connect(login.host, login.port, lambda: self._client is client)
        self._client = client
        client.set_missing_host_key_policy(_Refuse())
        for entry in self._known:
            for name in entry.hostnames:
                client.get_host_keys().add(name, entry.key.get_name(), entry.key)
        try:
            client.connect(
                login.host,
                login.port,
                login.user,
                pkey=self._key,
                sock=sock,
                timeout=CONNECT_TIMEOUT,
                banner_timeout=_HANDSHAKE_TIMEOUT,
                auth_timeout=_HANDSHAKE_TIMEOUT,
                allow_agent=False,
                look_for_keys=False,
            )
        except paramiko.BadHostKeyException as error:
            raise self._wrong_host(f"has another host key, {_printed(error.key)}, than known_hosts says") from error
        except AccessDeniedError as error:
            raise self._wrong_host(f"has an {error}") from error
        except paramiko.AuthenticationException as error:
            raise AccessDeniedError(
                f"{login.host} refuses user {login.user!r} with the key in Secret {login.secret!r}"
            ) from error
        transport = client.get_transport()
        if transport is None:
            raise GitOperationFailedError(f"{login.host}: the connection is over")
        return transport

    def _wrong_host(self, problem: str) -> AccessDeniedError:
        login = self.credentials
        return AccessDeniedError(
            f"{login.host}:{login.port} {problem}; if that is its key, "
            f"put the line of `ssh-keyscan -p {login.port} {login.host}` into Secret {login.secret!r}, key known_hosts"
        )

    def _refusal(self, channel: paramiko.Channel, service: Service) -> Exception:
        """Why the server's program said nothing: its exit status and its words tell."""
        login = self.credentials
        words = clean(channel.makefile_stderr("rb").read(_MOST_WORDS), mask_of(login))
        if not channel.exit_status_ready() or channel.recv_exit_status() <= 0:
            return GitOperationFailedError(f"{login.host} closed the connection {words}".rstrip())
        doing = "read" if service is Service.READ else "write to"
        return AccessDeniedError(
            f"{login.host}: {login.url} is not found, or user {login.user!r} may not {doing} it ({words}); "
            f"check Secret {login.secret!r}"
        )


def _private_key(credentials: GitCredentials) -> paramiko.PKey:
    """Read the key, whatever its type. Raises AccessDeniedError."""
    for kind in _KEYS:
        # A damaged key ends in whatever its parsers happen to raise: IndexError, struct.error and more.
        with suppress(Exception):
            return kind.from_private_key(
                io.StringIO(credentials.private_key), password=credentials.private_key_passphrase or None
            )
    raise AccessDeniedError(
        f"Secret {credentials.secret!r}, key {KEY!r}: privateKey is no Ed25519, ECDSA or RSA key as "
        "ssh-keygen writes it (BEGIN OPENSSH, RSA or EC PRIVATE KEY), or privateKeyPass does not open it"
    )


def _known_hosts(credentials: GitCredentials, fallback: str) -> tuple[paramiko.hostkeys.HostKeyEntry, ...]:
    """The Secret's lines, else the operator's; those with a marker (@revoked, @cert-authority) are not understood."""
    lines = [line.strip() for line in (credentials.known_hosts or fallback).splitlines()]
    try:
        entries = [paramiko.hostkeys.HostKeyEntry.from_line(line) for line in lines if line and line[0] not in "#@"]
    except Exception as error:  # what the parsers of keys raise is as open as above
        place = f"Secret {credentials.secret!r}, key known_hosts," if credentials.known_hosts else "git.knownHosts"
        raise AccessDeniedError(
            f"{place} holds a line that is no host key; put there what `ssh-keyscan {credentials.host}` prints"
        ) from error
    return tuple(entry for entry in entries if entry is not None)


def _printed(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.fingerprint}"


def _quoted(path: str) -> str:
    """For the server's shell, always in quotes, as Git itself does."""
    return "'" + path.replace("'", "'\\''").replace("!", "'\\!'") + "'"
