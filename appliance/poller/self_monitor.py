"""Check the Plug itself: begin an event with a trouble, end it with its end, list reasons for the LED."""

import shutil
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.domain import sending
from appliance.domain.attention import OUTBOX_EVENT_KIND, PlugFacts, list_reasons
from appliance.domain.messages import Message
from appliance.jobs import plug_facts
from appliance.privileged import boot_notes, led
from appliance.settings.schema import Config, Home
from appliance.storage import database, events, key_value

DISK_EVENT_KIND, RESTART_EVENT_KIND = "disk nearly full", "service restarted"

# bytes: a month of parcels of a large site is about 50 MB
MIN_FREE_BYTES, RECOVERED_FREE_BYTES = 64 << 20, 96 << 20
MIN_FREE_SHARE, RECOVERED_FREE_SHARE = 0.05, 0.08  # of a disk that is larger

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
    """Record what began or ended since the last check. Raises DatabaseUnusableError."""
    if space is None:
        usage = shutil.disk_usage(home.folder)
        space = DiskSpace(usage.free, usage.total)
    _check_disk(db, space, now)
    _check_outbox(db, plug_facts.collect(db, home, config, now))
    _record_restarts(db, home, now)
    _record_boot_notes(db, notes_dir, now)
    write_attention_file(home, plug_facts.collect(db, home, config, now))


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


def _check_outbox(db: sqlite3.Connection, facts: PlugFacts) -> None:
    parcels, now = facts.parcels, facts.now
    off = facts.sending_obstacle is not None and facts.sending_obstacle.code == "transmission-off"
    if not off and sending.is_backlog(parcels, now):
        since = parcels.oldest_waiting_at
        text = (
            Message("plug.parcels_waiting_since", count=parcels.waiting, since=f"{since:%Y-%m-%d %H:%M}")
            if since
            else Message("plug.parcels_waiting", count=parcels.waiting)
        )
        events.begin(db, OUTBOX_EVENT_KIND, "outbox", text, now)
    elif sending.is_backlog_over(parcels, now):
        events.end(db, OUTBOX_EVENT_KIND, "outbox", now)


def write_attention_file(home: Home, facts: PlugFacts) -> None:
    """Write a line for each reason that the LED shows; leave the file alone where nothing has changed."""
    reasons = [reason.text for reason in list_reasons(facts) if reason.on_led]
    text = "".join(f"{reason}\n" for reason in reasons)
    path = home.run / led.ATTENTION_FILENAME
    with suppress(OSError):  # /run is full or not writable: the LED is not worth a failure
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def _record_restarts(db: sqlite3.Connection, home: Home, now: datetime) -> None:
    """Record the restarts of the service monitor, which runs as root and does not touch the database."""
    try:
        lines = (home.run / "answers" / "revived").read_text("utf-8", "replace").splitlines()[-100:]
    except OSError:
        return
    reported = key_value.get(db, _REPORTED_RESTART_KEY)  # a line, not a time: the clock may be set back
    new = lines[lines.index(reported) + 1 :] if reported in lines else lines
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
    """Record what root's early units noted before the database was there."""
    notes = list(boot_notes.read_boot_notes(notes_dir))
    reported = key_value.get(db, _REPORTED_NOTE_KEY)
    ids = [note.id for note in notes]
    new = notes[ids.index(reported) + 1 :] if reported in ids else notes
    if not new:
        return
    with database.transaction(db):
        for note in new:
            events.note(db, note.kind, note.subject, note.text, now)
        key_value.put(db, _REPORTED_NOTE_KEY, new[-1].id)
