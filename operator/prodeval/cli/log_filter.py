"""What keeps log lines safe to read: no terminal codes from outside, no secrets, one line each but for tracebacks."""

import logging

from prodeval.domain.masking import Mask
from prodeval.domain.printable import printable

_TRACEBACKS = logging.Formatter()


class LogFilter(logging.Filter):
    """Rewrites records before a handler formats them, those of libraries too; belongs on handlers, not on loggers."""

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self._mask = mask

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, cleaned."""
        record.msg, record.args = self._clean(_message(record)), ()
        if record.exc_info:
            record.exc_text = record.exc_text or _TRACEBACKS.formatException(record.exc_info)
            record.exc_info = None  # else a formatter would write it again, from the exception itself
        if record.exc_text:
            record.exc_text = self._clean(record.exc_text, lines=True)
        if record.stack_info:
            record.stack_info = self._clean(record.stack_info, lines=True)
        return True

    def _clean(self, text: str, *, lines: bool = False) -> str:
        return self._mask.mask(printable(text, lines=lines))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit; the line is worth more than its form
        return f"{record.msg} {record.args}"


def clean_logs(mask: Mask) -> None:
    """Filter what all handlers of the root logger write from now on."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(LogFilter(mask))
