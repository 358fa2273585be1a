"""Whether a service ended in order: one that did not has an event when it is back."""

import sqlite3
from datetime import datetime
from pathlib import Path

from appliance.domain.messages import Message
from appliance.storage import database, events, key_value

BOOT_ID_PATH = Path("/proc/sys/kernel/random/boot_id")
SERVICE_RESTARTED = "service restarted"


def mark_service_started(
    db: sqlite3.Connection, service: str, now: datetime, boot_id: Path = BOOT_ID_PATH
) -> None:
    """The service runs from now on."""
    with database.transaction(db):
        boot, before = _read_boot_id(boot_id), key_value.get(db, _service_key(service))
        if before is not None:
            same = before == boot
            why = Message("plug.service_crashed") if same else Message("plug.power_lost")
            events.note(
                db,
                SERVICE_RESTARTED,
                service,
                Message("plug.service_again", service=service, reason=why),
                now,
            )
        key_value.put(db, _service_key(service), boot)


def mark_service_stopped(db: sqlite3.Connection, service: str) -> None:
    """The service ends as it was asked to."""
    key_value.put(db, _service_key(service), None)


def _service_key(service: str) -> str:
    return f"lives.{service}"


def _read_boot_id(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return "unknown"
