"""Traps that the disk had no room for; SQLite is told here that the file may not grow."""

import sqlite3
from datetime import UTC, datetime

import pytest

from appliance.domain.model import Trap
from appliance.storage import database, traps
from appliance.storage.traps import ReceivedTrap
from appliance.trap_receiver.write_buffer import MOST_WAITING, NOT_WRITTEN, Book

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def came(number: int) -> ReceivedTrap:
    trap = Trap(version="2", oid=f"1.3.6.1.4.1.99999.{number}", kind="x", text="x" * 200)
    return ReceivedTrap(f"127.0.{number // 250}.{number % 250 + 1}", None, trap, NOW)


def full(db: sqlite3.Connection) -> None:
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")


def roomy(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA max_page_count = 1000000")


def test_what_there_was_no_room_for_is_kept_later(db: sqlite3.Connection) -> None:
    book = Book(db)
    full(db)
    for first in range(0, 200, 50):
        with pytest.raises(database.DatabaseUnavailableError):
            book.write([came(number) for number in range(first, first + 50)])
    kept = len(traps.list_recent(db))
    roomy(db)
    book.write([])
    assert len(traps.list_recent(db)) == kept + 200


def test_what_waits_is_bounded_and_the_rest_is_counted(db: sqlite3.Connection) -> None:
    book = Book(db)
    full(db)
    for first in range(0, MOST_WAITING + 500, 500):
        with pytest.raises(database.DatabaseUnavailableError):
            book.write([came(number) for number in range(first, first + 500)])
        with pytest.raises(database.DatabaseUnavailableError):
            book.count({"some reason" * 1_000: 1})
    roomy(db)
    book.write([])
    book.count({})
    assert traps.get_dropped_counts(db)[NOT_WRITTEN] == 500
    assert (
        sum(number for reason, number in traps.get_dropped_counts(db).items() if reason.startswith("some"))
        == 3
    )
