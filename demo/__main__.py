"""The whole story in one terminal: `python -m demo`, which is what `make demo` runs."""

import importlib
import signal
import sys


def main() -> int:
    """Run the command; until its modules are loaded Ctrl-C ends the process without a word: nothing was started yet."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    command = importlib.import_module("demo.command")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code: int = command.main()
    return code


if __name__ == "__main__":
    sys.exit(main())
