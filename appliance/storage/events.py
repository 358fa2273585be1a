"""What happened, for people: each trouble is said once when it begins, once when it ends."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.messages import decode_columns, encode_columns
from appliance.storage import database

RETENTION = timedelta(days=365)
MAX_EVENTS = 2_000  # a trouble that flaps must not fill the card


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    kind: str
    subject: str  # a printer's serial number or address, a service, a file
    text: str  # a Message, unless it is from before version 6 of the database
    begun_at: datetime
    ended_at: datetime | None  # None: still going on


def begin(db: sqlite3.Connection, kind: str, subject: str, text: str, now: datetime) -> bool:
    """Say that something began; False if it is going on already, which says nothing again."""
    with database.transaction(db):
        cursor = db.execute(
            "INSERT OR IGNORE INTO events (kind, subject, text, code, params, begun_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (kind, database.clean_text(subject), *_text_columns(text), database.to_ms(now)),
        )
        return cursor.rowcount > 0


def end(db: sqlite3.Connection, kind: str, subject: str, now: datetime) -> bool:
    """Say that it is over; False if it was not going on."""
    with database.transaction(db):
        cursor = db.execute(
            "UPDATE events SET ended_at = max(begun_at, ?)"
            " WHERE kind = ? AND subject = ? AND ended_at IS NULL",
            (database.to_ms(now), kind, database.clean_text(subject)),
        )
        return cursor.rowcount > 0


def note(db: sqlite3.Connection, kind: str, subject: str, text: str, now: datetime) -> None:
    """Say what happened at one moment and needs no end."""
    moment = database.to_ms(now)
    with database.transaction(db):
        db.execute(
            "INSERT INTO events (kind, subject, text, code, params, begun_at, ended_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kind, database.clean_text(subject), *_text_columns(text), moment, moment),
        )


def list_recent(db: sqlite3.Connection, limit: int = 200) -> list[Event]:
    """The newest first."""
    return _query_events(db, "ORDER BY id DESC LIMIT ?", limit)


def list_ongoing(db: sqlite3.Connection, limit: int = 200) -> list[Event]:
    """What has begun and not ended, the newest first."""
    return _query_events(db, "WHERE ended_at IS NULL ORDER BY id DESC LIMIT ?", limit)


def prune(db: sqlite3.Connection, now: datetime) -> None:
    """Drop what ended long ago; what is going on stays."""
    with database.transaction(db):
        db.execute("DELETE FROM events WHERE ended_at < ?", (database.to_ms(now - RETENTION),))
        db.execute(
            "DELETE FROM events WHERE ended_at IS NOT NULL"
            " AND id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (MAX_EVENTS,),
        )


def _text_columns(text: str) -> tuple[str, str | None, str | None]:
    """Return the columns text, code and params."""
    clean = database.clean_text(text)
    return clean, *encode_columns(clean)


def _query_events(db: sqlite3.Connection, condition: str, limit: int) -> list[Event]:
    query = f"SELECT id, kind, subject, text, code, params, begun_at, ended_at FROM events {condition}"  # noqa: S608 own words only
    return [
        Event(
            row[0],
            row[1],
            row[2],
            decode_columns(row[3], row[4], row[5]),
            database.from_ms(row[6]),
            database.from_ms_or_none(row[7]),
        )
        for row in db.execute(query, (limit,))
    ]
