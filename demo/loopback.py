"""Loopback: free ports, and HTTP that never leaves it."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import requests

ADDRESS = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Find ports on which nothing listens, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((ADDRESS, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def request(
    method: str,
    url: str,
    *,
    ca_file: Path | None = None,
    data: Mapping[str, str] | None = None,
    seconds: float = 10.0,
) -> requests.Response:
    """Send one request, without the proxies that the environment may name.

    Raises:
        requests.RequestException: if there is no answer.
    """
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, data=data, verify=str(ca_file) if ca_file else True, timeout=seconds)


def answers(url: str, *, ca_file: Path | None = None) -> bool:
    """Tell whether a GET is answered with a success."""
    try:
        return request("GET", url, ca_file=ca_file).ok
    except requests.RequestException:
        return False
