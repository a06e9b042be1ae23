"""A root file system that is read-only, as in the pod: Python reads this file first if PYTHONPATH names its folder."""

import errno
import os
import sys

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = frozenset(
    {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.utime"}
)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in _CHANGES or (event == "open" and _writes(*arguments)):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(arguments[0]))


def _writes(path: object, _mode: object, flags: int) -> bool:
    is_device = isinstance(path, int) or str(path).startswith("/dev/")
    return bool(flags & _WRITING) and not is_device


sys.addaudithook(_refuse)
