"""Become another program that ends with its parent: `launcher.py PARENT-PID PROGRAM ARGUMENT...`.

Standard library only; it runs as a script. The wish to be killed with the parent
survives the exec, so the program itself needs to know nothing of it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal that this process gets when the thread that started it ends."""


def main() -> None:
    """Ask for the signal, make sure that it was not too late to ask, and become the program."""
    parent, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("launcher: the parent has ended")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
