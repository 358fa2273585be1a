"""A clock that is set by ten years, forth and back, while the poller runs."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.domain.clock import Clock
from appliance.domain.model import Trap
from appliance.poller.clock_monitor import ClockMonitor
from appliance.storage import database, events, key_value, printers, save_reading, traps
from appliance.storage.traps import ReceivedTrap
from tests.storage.readings import reading

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TEN_YEARS = timedelta(days=3652)


class Wall:
    """A clock on the wall; `timesync` is there where systemd-timesyncd is."""

    def __init__(self, timesync: Path) -> None:
        self.time, self.uptime, self.timesync = NOW, 1000.0, timesync

    def wait(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.uptime += seconds

    def clock(self, seen: datetime | None) -> Clock:
        return Clock(seen, wall=lambda: self.time, monotonic=lambda: self.uptime, timesync=self.timesync)


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    return Wall(tmp_path / "none")


def watch(db: sqlite3.Connection, wall: Wall) -> ClockMonitor:
    return ClockMonitor(db, clock=wall.clock, monotonic=lambda: wall.uptime)


def work(db: sqlite3.Connection, now: datetime) -> None:
    """What the services write."""
    traps.save_traps(db, [ReceivedTrap("127.0.0.9", None, Trap(now.isoformat(), "1.3.6.1.4.1.1"), now)])
    save_reading.store_reading(db, reading(), now)


def stamps(db: sqlite3.Connection) -> Iterator[datetime]:
    for each in traps.list_recent(db):
        yield from (each.first_at, each.last_at)
    for printer in printers.iter_printers(db):
        yield from (printer.created_at, printer.changed_at, printer.seen_at)
    for event in events.list_recent(db):
        yield event.begun_at


def told(db: sqlite3.Connection) -> list[str]:
    return [each.text for each in reversed(events.list_recent(db)) if each.kind == "clock"]


def test_each_jump_is_said_once_and_leaves_no_time_that_has_not_come(
    db: sqlite3.Connection, wall: Wall
) -> None:
    times = watch(db, wall)
    work(db, times.check())
    wall.time += TEN_YEARS
    for _ in range(3):
        wall.wait(15)
        work(db, times.check())
    assert told(db) == ["the clock was set forward by 3652 days, 0:00:00"]
    wall.time -= TEN_YEARS + timedelta(milliseconds=2)
    for _ in range(3):
        wall.wait(15)
        work(db, times.check())
    assert told(db)[1:] == ["the clock was set back by 3652 days, 0:00:00"]
    assert max(stamps(db)) == wall.time
    assert key_value.get_time(db, "clock.seen") < wall.time + timedelta(hours=1)  # type: ignore[operator]


def test_a_jump_forth_and_back_between_two_looks_leaves_no_trace_either(
    db: sqlite3.Connection, wall: Wall
) -> None:
    times = watch(db, wall)
    times.check()
    wall.time += TEN_YEARS
    work(db, times.clock())  # during a long run
    wall.time -= TEN_YEARS
    wall.wait(60)
    times.check()
    assert max(stamps(db)) == wall.time


def test_a_clock_that_was_put_right_while_the_service_was_down(db: sqlite3.Connection, wall: Wall) -> None:
    wall.time += TEN_YEARS
    work(db, watch(db, wall).check())
    wall.time -= TEN_YEARS
    wall.timesync.mkdir()
    times = watch(db, wall)
    times.check()
    assert max(stamps(db)) > wall.time  # nobody knows yet which of the two is right
    (wall.timesync / "synchronized").touch()
    wall.wait(15)
    times.check()
    assert max(stamps(db)) == wall.time


def test_nothing_old_is_thrown_away_for_a_day_after_a_jump(db: sqlite3.Connection, wall: Wall) -> None:
    times = watch(db, wall)
    wall.wait(3601)
    times.check()
    assert times.is_steady()
    wall.time += TEN_YEARS
    times.check()
    assert not times.is_steady()
    wall.wait(86_401)
    times.check()
    assert times.is_steady()


def test_a_jump_that_cannot_be_written_down_is_told_later(db: sqlite3.Connection, wall: Wall) -> None:
    times = watch(db, wall)
    times.check()
    wall.time += TEN_YEARS
    db.execute("PRAGMA query_only = ON")
    with pytest.raises(database.DatabaseUnavailableError):
        times.check()
    db.execute("PRAGMA query_only = OFF")
    times.check()
    assert len(told(db)) == 1
