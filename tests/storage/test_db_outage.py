"""A full disk is told once: SQLite is told here that the file may not grow."""

import logging
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from appliance.storage import events, key_value
from appliance.storage.db_outage import DATABASE_UNAVAILABLE, RECOVERY_QUIET_S, DatabaseOutage

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Service:
    """It looks each second."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db, self.seconds = db, 0.0
        self.outage = DatabaseOutage(db, "poller", self.clock, monotonic=lambda: self.seconds)

    def clock(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def write(self, size: int) -> None:
        self.seconds += 1
        with self.outage.tolerate():
            key_value.put(self.db, f"key {self.seconds}", "x" * size)

    def read(self) -> None:
        self.seconds += 1
        with self.outage.tolerate():
            key_value.get(self.db, "key")


def fill(db: sqlite3.Connection, more: int = 0) -> None:
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0] + more}")


def empty(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA max_page_count = 1000000")


def told(db: sqlite3.Connection) -> list[tuple[str, datetime, datetime | None]]:
    return [(each.kind, each.begun_at, each.ended_at) for each in events.list_recent(db)]


@pytest.mark.parametrize("room", [0, 30])
def test_a_full_disk_is_told_once_however_much_goes_well_in_between(
    db: sqlite3.Connection, caplog: pytest.LogCaptureFixture, room: int
) -> None:
    caplog.set_level(logging.INFO)
    service = Service(db)
    fill(db, room)
    for _ in range(50):
        service.write(500_000)
        service.read()
        service.write(10)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    empty(db)
    for _ in range(100):
        service.read()
    ((kind, begun_at, ended_at),) = told(db)
    assert (kind, begun_at) == (DATABASE_UNAVAILABLE, NOW + timedelta(seconds=1))
    assert ended_at
    assert ended_at <= NOW + timedelta(seconds=150 + RECOVERY_QUIET_S + 2)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


def test_one_that_was_told_by_an_earlier_process_ends_too(db: sqlite3.Connection) -> None:
    before = Service(db)
    fill(db)
    before.write(500_000)
    empty(db)
    before.read()
    assert told(db) == [(DATABASE_UNAVAILABLE, NOW + timedelta(seconds=1), None)]
    after = Service(db)
    for _ in range(int(RECOVERY_QUIET_S) + 2):
        after.read()
    ((_, _, ended_at),) = told(db)
    assert ended_at
