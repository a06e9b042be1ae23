"""Threads that never hold the exit of the process."""

import threading
from collections.abc import Callable


def start_thread(work: Callable[[], None], name: str = "prodeval-turn") -> None:
    """Run some work in a daemon: a server that hangs must not keep the operator from ending.

    A turn that is cut off by that has pushed, or not; the next start finds out which.
    """
    threading.Thread(target=work, name=name, daemon=True).start()
