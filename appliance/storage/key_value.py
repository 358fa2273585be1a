"""Small facts that outlive a restart: when something last happened, how far something got."""

import sqlite3
from datetime import datetime

from appliance.domain.messages import decode, encode
from appliance.storage import database


def get(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else row[0]


def put(db: sqlite3.Connection, key: str, value: str | None) -> None:
    """Remember `value`, or forget the key where it is None."""
    if value == get(db, key):
        return
    with database.transaction(db):
        if value is None:
            db.execute("DELETE FROM meta WHERE key = ?", (key,))
        else:
            db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def get_message(db: sqlite3.Connection, key: str) -> str | None:
    """Return a text for people, with its code if it was stored with one."""
    text = get(db, key)
    return None if text is None else decode(text, get(db, f"{key}.message"))


def put_message(db: sqlite3.Connection, key: str, text: str | None) -> None:
    """Remember a text for people with its code, or forget the key where it is None."""
    put(db, key, text)
    put(db, f"{key}.message", encode(text))


def get_time(db: sqlite3.Connection, key: str) -> datetime | None:
    value = get(db, key)
    return None if value is None else database.from_ms(int(value))


def put_time(db: sqlite3.Connection, key: str, moment: datetime) -> None:
    put(db, key, str(database.to_ms(moment)))
