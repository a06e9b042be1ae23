"""A Git server over HTTPS at some distance, in a process of its own.

Says `{"url": ..., "ca": ...}` on standard output; answers each line of input with the requests since the last one.
"""

import asyncio
import json
import os
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.git_upstreams import SIZES, make
from demo.gitserver import git_server

ROUND_TRIP = 0.020
"""Seconds for a request and its answer on the way."""


async def _far_away(port: int, ready: "asyncio.Future[int]") -> None:
    """Forward connections, each chunk later by half a round trip, in order."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(ROUND_TRIP)  # the handshake of TCP
        await asyncio.gather(_forward(reader, upstream_writer), _forward(upstream_reader, writer))

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    ready.set_result(listener.sockets[0].getsockname()[1])
    await listener.serve_forever()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)

    async def arrive() -> None:
        while True:
            when, data = await on_the_way.get()
            await asyncio.sleep(max(0.0, when - loop.time()))
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    arriving = asyncio.create_task(arrive())
    try:
        while data := await reader.read(1 << 16):
            await on_the_way.put((loop.time() + ROUND_TRIP / 2, data))
        await on_the_way.put((loop.time() + ROUND_TRIP / 2, b""))
        await arriving
    except OSError:
        arriving.cancel()
        writer.close()


def main() -> None:
    """Serve the upstreams named in the arguments until the input ends."""
    root, names = Path(sys.argv[1]), sys.argv[2:]
    with git_server(root, tls=True) as server:
        for size in SIZES:
            if size.name in names:
                make(server, size)
        loop = asyncio.new_event_loop()
        ready: asyncio.Future[int] = loop.create_future()
        threading.Thread(
            target=loop.run_until_complete, args=(_far_away(urlsplit(server.url).port or 0, ready),), daemon=True
        ).start()
        while not ready.done():
            threading.Event().wait(0.01)
        hello = {
            "url": f"https://127.0.0.1:{ready.result()}",
            "ca": str(server.ca_file),
            "user": server.user,
            "password": server.password,
        }
        print(json.dumps(hello), flush=True)
        for _ in sys.stdin:
            seen, server.requests[:] = list(server.requests), []
            print(json.dumps([[one.path, one.received + one.sent] for one in seen]), flush=True)
        os._exit(0)


if __name__ == "__main__":
    main()
