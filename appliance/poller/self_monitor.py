"""What goes wrong with the Plug itself: said once when it begins, once when it ends."""

import shutil
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.poller import attention
from appliance.privileged import boot_notes
from appliance.settings.schema import Config, Home
from appliance.storage import database, events, key_value

DISK, OUTBOX, REVIVED = "disk nearly full", "outbox growing", "service restarted"

LITTLE_SPACE, ENOUGH_SPACE = 64 << 20, 96 << 20  # bytes: a month of parcels of a large site are about 50 MB
LITTLE_SHARE, ENOUGH_SHARE = 0.05, 0.08  # of a disk that is larger
LONG_WAIT = timedelta(hours=6)  # that the oldest parcel waits: no line is down for that long unnoticed
MANY_PARCELS = 50

_TOLD_REVIVED, _TOLD_NOTES = "watch.revived", "watch.notes"


@dataclass(frozen=True, slots=True)
class Space:
    free: int
    total: int


def look(
    db: sqlite3.Connection,
    home: Home,
    config: Config,
    now: datetime,
    space: Space | None = None,
    *,
    noted: Path = boot_notes.FOLDER,
) -> None:
    """Write events for what began or ended since the last look. Raises Unusable."""
    if space is None:
        found = shutil.disk_usage(home.folder)
        space = Space(found.free, found.total)
    _disk(db, space, now)
    _outbox(db, config, now)
    _revived(db, home, now)
    _noted(db, noted, now)
    attention.tell(db, home, config, now)


def _disk(db: sqlite3.Connection, space: Space, now: datetime) -> None:
    if space.free < min(LITTLE_SPACE, space.total * LITTLE_SHARE):
        text = f"the Plug's storage has {space.free / 1e6:,.0f} MB left of {space.total / 1e6:,.0f} MB"
        events.begin(db, DISK, "storage", text, now)
    elif space.free > min(ENOUGH_SPACE, space.total * ENOUGH_SHARE):
        events.end(db, DISK, "storage", now)


def _outbox(db: sqlite3.Connection, config: Config, now: datetime) -> None:
    waiting, oldest = db.execute(
        "SELECT count(*), min(created_at) FROM parcels WHERE state = 'waiting'"
    ).fetchone()
    since = database.from_ms_or_none(oldest)
    late = since is not None and now - since > LONG_WAIT
    if config.transmission.mode != "off" and (late or waiting > MANY_PARCELS):
        began = f", the oldest since {since:%Y-%m-%d %H:%M} UTC" if since else ""
        events.begin(db, OUTBOX, "outbox", f"{waiting} parcels wait to be sent{began}", now)
    elif not late and waiting <= MANY_PARCELS // 2:
        events.end(db, OUTBOX, "outbox", now)


def _revived(db: sqlite3.Connection, home: Home, now: datetime) -> None:
    """What the service monitor did: it is root and stays away from the database."""
    try:
        lines = (home.run / "answers" / "revived").read_text("utf-8", "replace").splitlines()[-100:]
    except OSError:
        return
    told = key_value.get(db, _TOLD_REVIVED)  # the last line, not its time: the clock may have been set back
    new = lines[lines.index(told) + 1 :] if told in lines else lines
    if not new:
        return
    with database.transaction(db):
        for line in new:
            with suppress(ValueError, OverflowError, OSError):
                when, unit, state = line.split(" ")
                at = min(now, datetime.fromtimestamp(int(when), UTC))
                events.note(db, REVIVED, unit, f"{unit} was {state}: the service monitor started it", at)
        key_value.put(db, _TOLD_REVIVED, new[-1])


def _noted(db: sqlite3.Connection, folder: Path, now: datetime) -> None:
    """What root's early units found, before there was anybody to tell."""
    found = list(boot_notes.read(folder))
    told = key_value.get(db, _TOLD_NOTES)
    ids = [each.id for each in found]
    new = found[ids.index(told) + 1 :] if told in ids else found
    if not new:
        return
    with database.transaction(db):
        for each in new:
            events.note(db, each.kind, each.subject, each.text, now)
        key_value.put(db, _TOLD_NOTES, new[-1].id)
