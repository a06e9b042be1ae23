"""Servers that take each connection and never answer: one from the start, one from some moment on."""

import socket
import threading
from contextlib import closing, contextmanager, suppress

from demo.loopback import ADDRESS

_CHUNK = 65536


class SilentServer:
    """Keeps all connections open and says nothing."""

    def __init__(self, listener):
        self.address = f"{ADDRESS}:{listener.getsockname()[1]}"
        self.listener, self.connections = listener, []

    def serve(self):
        """Accept until the listener is closed."""
        with suppress(OSError):
            while True:
                self.connections.append(self.listener.accept()[0])


@contextmanager
def silent_server():
    """Run one for the length of a block."""
    with socket.create_server((ADDRESS, 0)) as listener:
        server = SilentServer(listener)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
    for one in server.connections:
        one.close()


class Relay:
    """Forwards each connection to a server, byte by byte, until it hangs; then it forwards nothing more."""

    def __init__(self, listener, target):
        self.address = f"{ADDRESS}:{listener.getsockname()[1]}"
        self.listener, self.target = listener, target
        self._passing = threading.Event()
        self._passing.set()

    def hang(self):
        """Keep what is open open, take what comes, and be silent."""
        self._passing.clear()

    def serve(self):
        """Accept until the listener is closed."""
        with suppress(OSError):
            while True:
                near = self.listener.accept()[0]
                far = socket.create_connection(self.target)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source, sink):
        with suppress(OSError), closing(source):
            while data := source.recv(_CHUNK):
                self._passing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def relay(host, port):
    """Run one in front of a server for the length of a block."""
    with socket.create_server((ADDRESS, 0)) as listener:
        made = Relay(listener, (host, port))
        threading.Thread(target=made.serve, daemon=True).start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)
