"""The command `python -m demo`: its options, and what it says."""

import argparse
import shutil
import signal
import time
from pathlib import Path

from demo.processes import ServerError
from demo.story import StoryError, how_to_reach, play, stage


def main() -> int:
    """Play the story; 0 if each verdict is the expected one, else 1 with what was found."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Play the story on this machine.")
    parser.add_argument("--keep", action="store_true", help="stay up afterwards, until Ctrl-C")
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="for data and logs; emptied first")
    asked = parser.parse_args()
    # Ending by SIGTERM ends the servers in order, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _play(asked.folder.resolve(), keep=asked.keep)
    except KeyboardInterrupt:
        _tell("\nstopped; nothing runs any more")
        return 130


def _play(folder: Path, *, keep: bool) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    started = time.monotonic()
    _tell("Starting an API server, a Git server, Prometheus, Keptn's stand-in and the operator, all on loopback.")
    with stage(folder, _tell) as on:
        code = 0
        try:
            play(on)
            _tell(f"\nThe story took {(time.monotonic() - started) / 60:.1f} minutes.")
        except (StoryError, ServerError) as error:
            _tell(f"\nThe story did not go as it should: {error}\nLogs: {folder / 'logs'}")
            code = 1
        if keep:
            _tell("\n" + how_to_reach(on, folder))
            signal.pause()
    return code


def _tell(text: str) -> None:
    print(text, flush=True)
