"""Log lines on standard error, made harmless: what a printer calls itself may be in them."""

import logging
import os
import sys

from appliance.cli import terminal

# sd-daemon(3): journald reads a line's priority from its beginning
PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class _Harmless(logging.Formatter):
    def __init__(self) -> None:
        in_journal = "JOURNAL_STREAM" in os.environ  # it writes the time by itself
        super().__init__("%(message)s" if in_journal else "%(asctime)s %(message)s", "%H:%M:%S")
        self._in_journal = in_journal

    def format(self, record: logging.LogRecord) -> str:
        start = f"<{PRIORITY.get(record.levelno, 6)}>" if self._in_journal else ""
        lines = super().format(record).splitlines()
        return "\n".join(
            start + " " * (len(line) - len(line.lstrip())) + terminal.clean(line) for line in lines
        )


def set_up(level: int) -> None:
    """Write everything from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Harmless())
    logging.basicConfig(level=level, handlers=[handler])
