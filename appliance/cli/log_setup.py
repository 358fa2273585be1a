"""Write log lines to standard error, sanitised, since they may contain texts of printers."""

import logging
import os
import sys

from appliance.cli import terminal

# sd-daemon(3): journald reads a line's priority from its beginning
JOURNAL_PRIORITIES = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}


class _SanitizingFormatter(logging.Formatter):
    def __init__(self) -> None:
        in_journal = "JOURNAL_STREAM" in os.environ  # which adds the time itself
        super().__init__("%(message)s" if in_journal else "%(asctime)s %(message)s", "%H:%M:%S")
        self._in_journal = in_journal

    def format(self, record: logging.LogRecord) -> str:
        start = f"<{JOURNAL_PRIORITIES.get(record.levelno, 6)}>" if self._in_journal else ""
        lines = super().format(record).splitlines()
        return "\n".join(
            start + " " * (len(line) - len(line.lstrip())) + terminal.sanitize(line) for line in lines
        )


def configure_logging(level: int) -> None:
    """Log everything from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_SanitizingFormatter())
    logging.basicConfig(level=level, handlers=[handler])
