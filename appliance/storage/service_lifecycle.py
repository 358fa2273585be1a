"""Whether a service ended in order: one that did not has an event when it is back."""

import sqlite3
from datetime import datetime
from pathlib import Path

from appliance.storage import database, events, key_value

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
RESTARTED = "service restarted"


def begin(db: sqlite3.Connection, service: str, now: datetime, boot_id: Path = BOOT_ID) -> None:
    """The service runs from now on."""
    with database.transaction(db):
        boot, before = _read(boot_id), key_value.get(db, _key(service))
        if before is not None:
            same = before == boot
            why = (
                "it had ended unexpectedly"
                if same
                else "the Plug had lost its power, or was switched off hard"
            )
            events.note(db, RESTARTED, service, f"{service} was started again: {why}", now)
        key_value.put(db, _key(service), boot)


def end(db: sqlite3.Connection, service: str) -> None:
    """The service ends as it was asked to."""
    key_value.put(db, _key(service), None)


def _key(service: str) -> str:
    return f"lives.{service}"


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return "unknown"
