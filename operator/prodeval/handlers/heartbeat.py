"""Whether a loop still turns."""

import time


class Heartbeat:
    """The last sign of life of one loop; `name` is for people."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._expected = time.monotonic()

    def beat(self, pause: float = 0.0) -> None:
        """Give a sign of life; the next one comes when a pause of so many seconds is over."""
        self._expected = time.monotonic() + pause

    def age(self) -> float:
        """Seconds since the last sign of life, without the announced pause."""
        return max(0.0, time.monotonic() - self._expected)
