"""Ends an operator at random moments without a warning."""

import os
import threading
import time
from pathlib import Path

from tests.operator.gated_run import PATIENCE
from tests.operator.harness import until


class Killer(threading.Thread):
    """Kills a team's operator at random moments, and starts it again.

    Every other moment lies soon after the operator began to ask its Git server or its Keptn: what it does then is
    over quickly.
    """

    def __init__(self, victim, kills, rng):
        super().__init__(daemon=True)
        self.victim, self.left, self.rng = victim, kills, rng
        self.ended_alone = self.at_work = 0

    def run(self):
        team = self.victim.team
        while self.left:
            asked = self._asked()
            self._wait(asked)
            self.at_work += self._asked() > asked
            self.ended_alone += not team.operator.running()
            team.kill()
            team.operator.popen.wait()
            team.start()
            self.left -= 1

    def _wait(self, asked):
        if self.left % 2:
            self._let_work(self.rng.uniform(0.3, 4))
            return
        until(lambda: self._asked() > asked, PATIENCE)
        self._let_work(self.rng.uniform(0, 2))

    def _let_work(self, seconds):
        """Return when the operator used so many seconds of a processor, or a while after it came to rest.

        Its own time, since a busy machine must not keep it from ever getting anywhere.
        """
        pid = self.victim.team.operator.pid
        began, used, moved = _processor_seconds(pid), 0.0, time.monotonic()
        rest = self.rng.uniform(0.5, 2)
        while used < seconds and time.monotonic() < moved + rest:
            time.sleep(0.01)
            before, used = used, _processor_seconds(pid) - began
            if used > before:
                moved = time.monotonic()

    def _asked(self):
        return len(self.victim.team.git.requests) + len(self.victim.keptn.asked)


def _processor_seconds(pid):
    """What a process used so far."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
