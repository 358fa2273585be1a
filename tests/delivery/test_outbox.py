"""The outbox: in order, durable, and put right after anything."""

import os
import re
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.delivery import outbox, spool_files
from appliance.storage import database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def folder(home: Path) -> Path:
    path = home / "outbox"
    path.mkdir(mode=0o700)
    return path


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def states(db: sqlite3.Connection) -> list[tuple[str, str]]:
    return [(parcel.name, parcel.state) for parcel in outbox.list_parcels(db)]


def put(db: sqlite3.Connection, folder: Path, *names: str, now: datetime = NOW) -> list[outbox.Parcel]:
    return [outbox.put(db, folder, name, f"data of {name}".encode(), now) for name in names]


def test_what_was_put_is_there_for_another_process(db: sqlite3.Connection, folder: Path, home: Path) -> None:
    (parcel,) = put(db, folder, "a")
    other = database.open_database(home / "printmonitor.db")
    try:
        assert outbox.next_due(other, NOW) == parcel
        assert outbox.read(folder, parcel) == b"data of a"
    finally:
        other.close()
    assert files(folder) == [parcel.file]
    assert (folder / parcel.file).stat().st_mode & 0o777 == 0o600


def test_parcels_leave_in_order(db: sqlite3.Connection, folder: Path) -> None:
    first, second, third = put(db, folder, "first", "second", "third")
    assert outbox.next_due(db, NOW) == first
    outbox.postpone(db, first, "the line is down", NOW)
    assert outbox.next_due(db, NOW) is None  # the second could go, and must not overtake
    later = NOW + HOUR
    due = outbox.next_due(db, later)
    assert due is not None
    assert (due.id, due.attempts, due.error) == (first.id, 1, "the line is down")
    outbox.mark_delivered(db, folder, first, later)
    assert outbox.next_due(db, later) == second
    outbox.mark_refused(db, second, "the server answered 422")
    assert outbox.next_due(db, later) == third  # a refused one does not hold up the others
    assert states(db) == [("first", "delivered"), ("second", "refused"), ("third", "waiting")]


def test_waits_grow_from_one_minute_to_one_hour(db: sqlite3.Connection, folder: Path) -> None:
    put(db, folder, "a")
    waits = []
    for _ in range(12):
        (parcel,) = outbox.list_parcels(db)
        waits.append((outbox.postpone(db, parcel, "no", NOW) - NOW).total_seconds())
    bounds = [120 * 2**n for n in range(5)] + [3600] * 7
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))
    assert len(set(waits)) == 12  # jitter


@pytest.mark.parametrize(("asked", "seconds"), [(90.0, 90), (0.0, 1), (10**9, 7200), (float("inf"), 7200)])
def test_a_server_may_ask_for_a_wait_within_reason(
    db: sqlite3.Connection, folder: Path, asked: float, seconds: float
) -> None:
    (parcel,) = put(db, folder, "a")
    assert outbox.postpone(db, parcel, "503", NOW, asked) == NOW + timedelta(seconds=seconds)


def test_a_clock_that_jumps_back_stalls_nothing(db: sqlite3.Connection, folder: Path) -> None:
    (parcel,) = put(db, folder, "a", now=NOW)
    outbox.postpone(db, parcel, "no", NOW)
    assert outbox.next_due(db, NOW - 3650 * DAY) is not None
    assert outbox.next_due(db, NOW) is None


def test_a_clock_that_jumps_forward_gives_nothing_up(db: sqlite3.Connection, folder: Path) -> None:
    put(db, folder, "a", "b")
    outbox.prune(db, folder, NOW + 3650 * DAY)
    assert states(db) == [("a", "waiting"), ("b", "waiting")]
    assert len(files(folder)) == 2


def test_a_delivered_parcel_can_still_be_looked_at_for_a_week(db: sqlite3.Connection, folder: Path) -> None:
    (parcel,) = put(db, folder, "a")
    outbox.mark_delivered(db, folder, parcel, NOW)
    (parcel,) = outbox.list_parcels(db)
    assert parcel.delivered_at == NOW
    outbox.prune(db, folder, NOW + 6 * DAY)
    assert outbox.read(folder, parcel) == b"data of a"
    outbox.prune(db, folder, NOW + 8 * DAY)
    with pytest.raises(outbox.ParcelFileError, match="file is missing"):
        outbox.read(folder, parcel)
    assert states(db) == [("a", "delivered")]
    outbox.prune(db, folder, NOW + 366 * DAY)
    assert states(db) == []


def test_at_most_a_hundred_delivered_files_stay(db: sqlite3.Connection, folder: Path) -> None:
    with database.transaction(db):
        for parcel in put(db, folder, *(f"p{number}" for number in range(103))):
            outbox.mark_delivered(db, folder, parcel, NOW)
    outbox.prune(db, folder, NOW)
    kept = files(folder)
    assert len(kept) == 100
    assert not any(name.startswith(("sent/p0.", "sent/p1.", "sent/p2.")) for name in kept)


def test_thirty_days_offline_are_kept(db: sqlite3.Connection, folder: Path) -> None:
    start = NOW - 40 * DAY
    with database.transaction(db):
        for hour in range(40 * 24):
            db.execute(
                "INSERT INTO parcels (id, name, created_at, size, digest) VALUES (?, ?, ?, 1, '')",
                (f"00000000-0000-0000-0000-{hour:012d}", f"p{hour}", database.to_ms(start + hour * HOUR)),
            )
    outbox.prune(db, folder, NOW)
    waiting = [parcel for parcel in outbox.list_parcels(db) if parcel.state == "waiting"]
    assert len(waiting) == 30 * 24
    assert waiting[0].created_at == NOW - 30 * DAY
    (reason,) = {parcel.error for parcel in outbox.list_parcels(db) if parcel.state == "lost"}
    assert reason == "could not be sent for 30 days"


def test_a_refused_parcel_is_retried_by_hand_in_its_old_place(db: sqlite3.Connection, folder: Path) -> None:
    first, second = put(db, folder, "first", "second")
    outbox.mark_refused(db, first, "the server answered 400")
    outbox.prune(db, folder, NOW + 3650 * DAY)
    assert outbox.next_due(db, NOW) == second
    again = outbox.retry(db, folder, first.id, NOW)
    assert (again.state, again.attempts, again.error) == ("waiting", 0, "the server answered 400")
    due = outbox.next_due(db, NOW)
    assert due is not None
    assert due.id == first.id


def test_a_waiting_parcel_is_hurried_by_hand_with_those_before_it(
    db: sqlite3.Connection, folder: Path
) -> None:
    first, second = put(db, folder, "first", "second")
    outbox.postpone(db, first, "no", NOW)
    outbox.retry(db, folder, second.id, NOW)
    due = outbox.next_due(db, NOW)
    assert due is not None
    assert (due.id, due.attempts) == (first.id, 1)


def test_what_cannot_be_retried_says_why(db: sqlite3.Connection, folder: Path) -> None:
    gone, done = put(db, folder, "gone", "done")
    outbox.mark_refused(db, gone, "no")
    (folder / gone.file).unlink()
    outbox.mark_delivered(db, folder, done, NOW)
    for parcel_id, reason in (
        (gone.id, "gone: its file is missing"),
        (done.id, "done was delivered"),
        ("x", "no parcel"),
    ):
        with pytest.raises(outbox.ParcelRetryError, match=reason):
            outbox.retry(db, folder, parcel_id, NOW)


def test_a_damaged_file_is_not_sent(db: sqlite3.Connection, folder: Path) -> None:
    (parcel,) = put(db, folder, "a")
    (folder / parcel.file).write_bytes(b"data of b")
    with pytest.raises(outbox.ParcelFileError, match="damaged"):
        outbox.read(folder, parcel)


def test_a_sweep_puts_right_what_a_crash_left(db: sqlite3.Connection, folder: Path) -> None:
    gone, sent, kept = put(db, folder, "gone", "sent", "kept")
    (folder / gone.file).unlink()
    db.execute(
        "UPDATE parcels SET state = 'delivered', delivered_at = ? WHERE id = ?",
        (database.to_ms(NOW), sent.id),
    )
    stranger = "9b2f7c1e-0000-4000-8000-000000000001"
    (folder / f"stranger.{stranger}.zip").write_bytes(b"whole, without a row")
    (folder / f".torn.{stranger}.zip.x7a_").write_bytes(b"tor")
    (folder / "notes.txt").write_text("not ours")
    outbox.recover(db, folder, NOW)
    assert states(db) == [
        ("gone", "lost"),
        ("sent", "delivered"),
        ("kept", "waiting"),
        ("stranger", "waiting"),
    ]
    assert files(folder) == sorted([kept.file, "notes.txt", f"sent/{sent.file}", f"stranger.{stranger}.zip"])
    adopted = outbox.get(db, stranger)
    assert adopted is not None
    assert outbox.read(folder, adopted) == b"whole, without a row"
    before = outbox.list_parcels(db)
    outbox.recover(db, folder, NOW)
    assert outbox.list_parcels(db) == before


def test_a_file_that_comes_back_is_sent_after_all(db: sqlite3.Connection, folder: Path) -> None:
    (parcel,) = put(db, folder, "a")
    (folder / parcel.file).rename(folder / "elsewhere")
    outbox.recover(db, folder, NOW)
    assert states(db) == [("a", "lost")]
    (folder / "elsewhere").rename(folder / parcel.file)
    outbox.recover(db, folder, NOW)
    assert states(db) == [("a", "waiting")]


def test_a_database_that_had_to_be_begun_anew_loses_no_parcel(home: Path, folder: Path) -> None:
    db = database.open_database(home / "printmonitor.db")
    waiting, sent = put(db, folder, "waiting", "sent")
    outbox.mark_delivered(db, folder, sent, NOW)
    db.close()
    os.rename(home / "printmonitor.db", home / "damaged")
    db = database.open_database(home / "printmonitor.db")
    try:
        outbox.recover(db, folder, NOW)
        (adopted,) = outbox.list_parcels(db)
        assert (adopted.id, adopted.name, adopted.digest) == (waiting.id, waiting.name, waiting.digest)
    finally:
        db.close()


def test_a_nearly_full_disk_is_said_and_leaves_no_trace(db: sqlite3.Connection, folder: Path) -> None:
    with pytest.raises(
        outbox.ParcelNotStoredError, match=r"parcel a was not stored: the disk is nearly full: \d+ MB free"
    ):
        outbox.put(db, folder, "a", b"data", NOW, reserve=1 << 60)
    assert outbox.list_parcels(db) == []
    assert files(folder) == []


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fails_in_the_middle_leaves_no_trace(db: sqlite3.Connection, folder: Path) -> None:
    with files_no_larger_than(1 << 20), pytest.raises(outbox.ParcelNotStoredError, match="File too large"):
        outbox.put(db, folder, "a", bytes(2 << 20), NOW)
    assert outbox.list_parcels(db) == []
    assert files(folder) == []


def test_a_row_that_cannot_be_written_leaves_no_file(db: sqlite3.Connection, folder: Path) -> None:
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(outbox.ParcelNotStoredError, match="the disk is full"):
        put(db, folder, *(f"p{number}" for number in range(10_000)))
    kept = len(outbox.list_parcels(db))
    assert 0 < kept < 10_000
    assert len(files(folder)) == kept


def test_a_name_that_is_none(db: sqlite3.Connection, folder: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("not a parcel's name: 'a/b'")):
        put(db, folder, "a/b")


def test_one_at_a_time(folder: Path) -> None:
    with spool_files.try_lock(folder) as mine, spool_files.try_lock(folder) as second:
        assert (mine, second) == (True, False)
    with spool_files.try_lock(folder) as mine:
        assert mine
