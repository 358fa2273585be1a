"""What goes wrong with the Plug itself: said once when it begins, once when it ends."""

import shutil
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.domain.messages import Message
from appliance.poller import attention
from appliance.privileged import boot_notes
from appliance.settings.schema import Config, Home
from appliance.storage import database, events, key_value, statistics

DISK_EVENT_KIND, OUTBOX_EVENT_KIND, RESTART_EVENT_KIND = (
    "disk nearly full",
    "outbox growing",
    "service restarted",
)

MIN_FREE_BYTES, RECOVERED_FREE_BYTES = (
    64 << 20,
    96 << 20,
)  # bytes: a month of parcels of a large site are about 50 MB
MIN_FREE_SHARE, RECOVERED_FREE_SHARE = 0.05, 0.08  # of a disk that is larger
MAX_PARCEL_AGE = timedelta(hours=6)  # that the oldest parcel waits: no line is down for that long unnoticed
MAX_WAITING_PARCELS = 50

_REPORTED_RESTART_KEY, _REPORTED_NOTE_KEY = "watch.revived", "watch.notes"


@dataclass(frozen=True, slots=True)
class DiskSpace:
    free_bytes: int
    total_bytes: int


def run_checks(
    db: sqlite3.Connection,
    home: Home,
    config: Config,
    now: datetime,
    space: DiskSpace | None = None,
    *,
    notes_dir: Path = boot_notes.BOOT_NOTES_DIR,
) -> None:
    """Write events for what began or ended since the last look. Raises Unusable."""
    if space is None:
        found = shutil.disk_usage(home.folder)
        space = DiskSpace(found.free, found.total)
    _check_disk(db, space, now)
    _check_outbox(db, config, now)
    _record_restarts(db, home, now)
    _record_boot_notes(db, notes_dir, now)
    attention.write_attention_file(db, home, config, now)


def _check_disk(db: sqlite3.Connection, space: DiskSpace, now: datetime) -> None:
    if space.free_bytes < min(MIN_FREE_BYTES, space.total_bytes * MIN_FREE_SHARE):
        text = Message(
            "plug.disk_nearly_full",
            free_mb=f"{space.free_bytes / 1e6:,.0f}",
            total_mb=f"{space.total_bytes / 1e6:,.0f}",
        )
        events.begin(db, DISK_EVENT_KIND, "storage", text, now)
    elif space.free_bytes > min(RECOVERED_FREE_BYTES, space.total_bytes * RECOVERED_FREE_SHARE):
        events.end(db, DISK_EVENT_KIND, "storage", now)


def _check_outbox(db: sqlite3.Connection, config: Config, now: datetime) -> None:
    parcels = statistics.read_parcel_statistics(db)
    waiting, since = parcels.waiting, parcels.oldest_waiting_at
    late = since is not None and now - since > MAX_PARCEL_AGE
    if config.transmission.mode != "off" and (late or waiting > MAX_WAITING_PARCELS):
        text = (
            Message("plug.parcels_waiting_since", count=waiting, since=f"{since:%Y-%m-%d %H:%M}")
            if since
            else Message("plug.parcels_waiting", count=waiting)
        )
        events.begin(db, OUTBOX_EVENT_KIND, "outbox", text, now)
    elif not late and waiting <= MAX_WAITING_PARCELS // 2:
        events.end(db, OUTBOX_EVENT_KIND, "outbox", now)


def _record_restarts(db: sqlite3.Connection, home: Home, now: datetime) -> None:
    """What the service monitor did: it is root and stays away from the database."""
    try:
        lines = (home.run / "answers" / "revived").read_text("utf-8", "replace").splitlines()[-100:]
    except OSError:
        return
    told = key_value.get(
        db, _REPORTED_RESTART_KEY
    )  # the last line, not its time: the clock may have been set back
    new = lines[lines.index(told) + 1 :] if told in lines else lines
    if not new:
        return
    with database.transaction(db):
        for line in new:
            with suppress(ValueError, OverflowError, OSError):
                when, unit, state = line.split(" ")
                at = min(now, datetime.fromtimestamp(int(when), UTC))
                events.note(
                    db,
                    RESTART_EVENT_KIND,
                    unit,
                    Message("plug.service_restarted", unit=unit, state=state),
                    at,
                )
        key_value.put(db, _REPORTED_RESTART_KEY, new[-1])


def _record_boot_notes(db: sqlite3.Connection, notes_dir: Path, now: datetime) -> None:
    """What root's early units found, before there was anybody to tell."""
    found = list(boot_notes.read_boot_notes(notes_dir))
    told = key_value.get(db, _REPORTED_NOTE_KEY)
    ids = [each.id for each in found]
    new = found[ids.index(told) + 1 :] if told in ids else found
    if not new:
        return
    with database.transaction(db):
        for each in new:
            events.note(db, each.kind, each.subject, each.text, now)
        key_value.put(db, _REPORTED_NOTE_KEY, new[-1].id)
