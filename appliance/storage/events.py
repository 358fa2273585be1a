"""What happened, for people: each trouble is said once when it begins, once when it ends."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.storage import database

KEPT_FOR = timedelta(days=365)
MOST_KEPT = 2_000  # a trouble that flaps must not fill the card


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    kind: str
    subject: str  # a printer's serial number or address, a service, a file
    text: str
    begun_at: datetime
    ended_at: datetime | None  # None: still going on


def begin(db: sqlite3.Connection, kind: str, subject: str, text: str, now: datetime) -> bool:
    """Say that something began; False if it is going on already, which says nothing again."""
    with database.transaction(db):
        cursor = db.execute(
            "INSERT OR IGNORE INTO events (kind, subject, text, begun_at) VALUES (?, ?, ?, ?)",
            (kind, database.storable(subject), database.storable(text), database.to_ms(now)),
        )
        return cursor.rowcount > 0


def end(db: sqlite3.Connection, kind: str, subject: str, now: datetime) -> bool:
    """Say that it is over; False if it was not going on."""
    with database.transaction(db):
        cursor = db.execute(
            "UPDATE events SET ended_at = max(begun_at, ?)"
            " WHERE kind = ? AND subject = ? AND ended_at IS NULL",
            (database.to_ms(now), kind, database.storable(subject)),
        )
        return cursor.rowcount > 0


def note(db: sqlite3.Connection, kind: str, subject: str, text: str, now: datetime) -> None:
    """Say what happened at one moment and needs no end."""
    moment = database.to_ms(now)
    with database.transaction(db):
        db.execute(
            "INSERT INTO events (kind, subject, text, begun_at, ended_at) VALUES (?, ?, ?, ?, ?)",
            (kind, database.storable(subject), database.storable(text), moment, moment),
        )


def recent(db: sqlite3.Connection, most: int = 200) -> list[Event]:
    """The newest first."""
    return _listed(db, "SELECT * FROM events ORDER BY id DESC LIMIT ?", most)


def going_on(db: sqlite3.Connection, most: int = 200) -> list[Event]:
    """What has begun and not ended, the newest first."""
    return _listed(db, "SELECT * FROM events WHERE ended_at IS NULL ORDER BY id DESC LIMIT ?", most)


def prune(db: sqlite3.Connection, now: datetime) -> None:
    """Drop what ended long ago; what is going on stays."""
    with database.transaction(db):
        db.execute("DELETE FROM events WHERE ended_at < ?", (database.to_ms(now - KEPT_FOR),))
        db.execute(
            "DELETE FROM events WHERE ended_at IS NOT NULL"
            " AND id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (MOST_KEPT,),
        )


def _listed(db: sqlite3.Connection, query: str, most: int) -> list[Event]:
    return [
        Event(row[0], row[1], row[2], row[3], database.from_ms(row[4]), database.maybe_from_ms(row[5]))
        for row in db.execute(query, (most,))
    ]
