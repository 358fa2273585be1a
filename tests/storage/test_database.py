"""The file itself: shared, cut off at any instant, full, read-only, damaged, of another version."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.storage import database, events, history, key_value, printers, save_reading
from tests.storage.child import PRINTERS
from tests.storage.readings import NOW, reading, stored_printer

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def child(path: Path, act: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.child", path, act],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert read_line(process) == "ready\n"
            yield process
        finally:
            process.kill()
            process.wait()


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def say(process: subprocess.Popen[str], line: str = "go") -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def damaged_copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.damaged-*"))


class TestOpen:
    def test_is_private_durable_and_shared(self, db, home):
        assert (home / "printmonitor.db").stat().st_mode & 0o777 == 0o600
        settings = {
            name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
        }
        assert settings == {"journal_mode": "wal", "synchronous": 2}
        assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)

    def test_again_finds_what_was_kept(self, db, home):
        key_value.put(db, "key", "value")
        with closing(database.open_database(home / "printmonitor.db")) as again:
            assert key_value.get(again, "key") == "value"

    def test_by_three_processes_at_once(self, home):
        path = home / "printmonitor.db"
        with ExitStack() as stack:
            children = [stack.enter_context(child(path, "open")) for _ in range(3)]
            for process in children:
                say(process)
            assert [read_line(process) for process in children] == ["open\n"] * 3
        with closing(database.open_database(path)) as db:
            assert events.list_recent(db) == []
        assert damaged_copies(path) == []

    @pytest.mark.parametrize(
        "path", ["/proc/printmonitor.db", "/nowhere/printmonitor.db", "/dev/null/printmonitor.db"]
    )
    def test_where_nothing_can_be_written_is_said_in_a_line(self, path):
        with pytest.raises(database.DatabaseUnavailableError) as caught:
            database.open_database(Path(path))
        assert path in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_of_a_folder_is_said_in_a_line(self, home):
        (home / "printmonitor.db").mkdir()
        with pytest.raises(database.DatabaseUnavailableError, match=r"printmonitor\.db cannot be opened"):
            database.open_database(home / "printmonitor.db")


class TestTransaction:
    def test_keeps_all_or_nothing(self, db):
        with suppress(ZeroDivisionError), database.transaction(db):
            save_reading.store_reading(db, reading(), NOW)
            raise ZeroDivisionError
        assert list(printers.iter_printers(db)) == []
        assert not db.in_transaction

    def test_inside_another_one_undoes_its_own_part_only(self, db):
        with database.transaction(db):
            key_value.put(db, "outer", "1")
            with suppress(ZeroDivisionError), database.transaction(db):
                key_value.put(db, "inner", "1")
                raise ZeroDivisionError
            key_value.put(db, "after", "1")
        assert [key_value.get(db, key) for key in ("outer", "inner", "after")] == ["1", None, "1"]

    def test_says_in_a_line_that_the_disk_is_full_and_goes_on_when_it_is_not(self, db):
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(
            database.DatabaseUnavailableError, match=r"printmonitor\.db cannot grow: the disk is full"
        ):
            save_reading.store_reading(db, reading(plan="p" * 100_000), NOW)
        assert not db.in_transaction
        db.execute(f"PRAGMA max_page_count = {pages + 1000}")
        save_reading.store_reading(db, reading(plan="p" * 100_000), NOW)
        assert printers.get_poll_cache(db, 1) == "p" * 100_000

    def test_says_in_a_line_that_it_is_read_only(self, db):
        db.execute("PRAGMA query_only = 1")
        with pytest.raises(database.DatabaseUnavailableError, match="read-only"):
            save_reading.store_reading(db, reading(), NOW)

    def test_says_in_a_line_that_another_process_holds_it(self, db, home):
        with closing(database.open_database(home / "printmonitor.db")) as other:
            other.execute("PRAGMA busy_timeout = 0")
            with database.transaction(db):
                with pytest.raises(database.DatabaseUnavailableError, match="another process"):
                    save_reading.store_reading(other, reading(), NOW)
                key_value.put(db, "key", "value")
            save_reading.store_reading(other, reading(), NOW)

    def test_does_not_hide_a_mistake_in_the_statement(self, db):
        with pytest.raises(sqlite3.OperationalError, match="no such table"), database.transaction(db):
            db.execute("SELECT * FROM nonsense")

    def test_reads_of_one_moment(self, db, home):
        with closing(database.open_database(home / "printmonitor.db")) as other:
            with database.snapshot(db):
                assert key_value.get(db, "key") is None
                key_value.put(other, "key", "value")
                assert key_value.get(db, "key") is None
            assert key_value.get(db, "key") == "value"


class TestKilled:
    def test_at_any_instant_loses_nothing_that_was_reported_as_kept(self, home):
        path = home / "printmonitor.db"
        reported = dict.fromkeys(range(PRINTERS), 0)
        last = 0
        luck = random.Random(4711)
        for _ in range(8):
            with child(path, "keep") as process:
                say(process, str(last + 1))
                numbers = [int(read_line(process)) for _ in range(luck.randint(1, 60))]
                process.kill()
                assert process.stdout is not None
                numbers += [int(line) for line in process.stdout if line.endswith("\n")]
            last = numbers[-1] + 1  # that one may or may not have been kept
            reported |= {number % PRINTERS: number for number in numbers}
            with closing(database.open_database(path)) as db:
                assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert db.execute("PRAGMA foreign_key_check").fetchall() == []
                there = {printer.counters[0].value % PRINTERS for printer in printers.iter_printers(db)}
                assert there >= {remainder for remainder, number in reported.items() if number}
                for printer in printers.iter_printers(db):
                    total = printer.counters[0].value
                    assert reported[total % PRINTERS] <= total <= last
                    assert printer.identity.serial_number == f"S{total % PRINTERS}"
                    assert printer.plan == f"{total} " * 2000
                    assert history.load_history(db, printer.id, NOW)[-1][1]["total"] == total
        assert damaged_copies(path) == []


class TestDamaged:
    @pytest.mark.parametrize("bytes_", [b"no database" * 1000, b"SQLite format 3\x00" + b"\xff" * 9000])
    def test_is_set_aside_and_said(self, home, bytes_):
        path = home / "printmonitor.db"
        path.write_bytes(bytes_)
        with closing(database.open_database(path)) as db:
            assert list(printers.iter_printers(db)) == []
            (event,) = events.list_recent(db)
        (copy,) = damaged_copies(path)
        assert copy.read_bytes() == bytes_
        assert copy.name in event.text
        assert event.kind == "database"
        assert abs(event.begun_at - datetime.now(UTC)) < timedelta(minutes=1)

    def test_is_set_aside_once_by_three_processes_at_once(self, home):
        path = home / "printmonitor.db"
        path.write_bytes(b"no database" * 1000)
        with ExitStack() as stack:
            children = [stack.enter_context(child(path, "open")) for _ in range(3)]
            for process in children:
                say(process)
            assert [read_line(process) for process in children] == ["open\n"] * 3
        with closing(database.open_database(path)) as db:
            assert len(events.list_recent(db)) == 1
        assert len(damaged_copies(path)) == 1

    def test_in_its_midst_is_met_in_use_and_set_aside_at_the_next_opening(self, home):
        path = home / "printmonitor.db"
        with closing(database.open_database(path)) as db:
            for number in range(50):
                save_reading.store_reading(
                    db, reading(f"127.0.0.{number}", f"S{number}", None, plan="p" * 5000), NOW
                )
            (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'supplies'").fetchone()
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(b"\xa5" * 4096)
        with (
            closing(database.open_database(path)) as db,
            pytest.raises(database.DatabaseUnavailableError, match="is damaged"),
        ):
            list(printers.iter_printers(db))
        with closing(database.open_database(path)) as db:
            assert list(printers.iter_printers(db)) == []
            assert len(events.list_recent(db)) == 1
            save_reading.store_reading(db, reading(), NOW)
        assert len(damaged_copies(path)) == 1
        with closing(database.open_database(path)) as db:
            assert len(list(printers.iter_printers(db))) == 1

    def test_suspicion_without_damage_keeps_everything(self, home):
        path = home / "printmonitor.db"
        with closing(database.open_database(path)) as db:
            save_reading.store_reading(db, reading(), NOW)
        Path(f"{path}.suspect").touch()
        with closing(database.open_database(path)) as db:
            assert len(list(printers.iter_printers(db))) == 1
        assert not Path(f"{path}.suspect").exists()

    def test_again_and_again_keeps_the_newest_copies_only(self, home):
        path = home / "printmonitor.db"
        for number in range(5):
            path.write_bytes(b"no database %d" % number * 1000)
            database.open_database(path).close()
        assert [copy.read_bytes()[12:13] for copy in damaged_copies(path)] == [b"2", b"3", b"4"]


class TestVersions:
    def test_an_older_one_is_brought_up_to_date_with_its_data(self, db):
        save_reading.store_reading(db, reading(), NOW)
        scripts = [Path(database.__file__).with_name(name).read_text() for name in database.MIGRATION_SCRIPTS]
        scripts += [
            "ALTER TABLE printers ADD COLUMN note TEXT NOT NULL DEFAULT 'none'; -- a comment at the end",
            "CREATE TABLE shelves (id INTEGER PRIMARY KEY); INSERT INTO shelves VALUES (7)",
        ]
        database.migrate(db, scripts)
        assert db.execute("PRAGMA user_version").fetchone() == (len(scripts),)
        assert db.execute("SELECT note FROM printers").fetchall() == [("none",)]
        database.migrate(db, scripts)
        assert db.execute("SELECT * FROM shelves").fetchall() == [(7,)]

    def test_a_step_that_fails_leaves_the_version_before_it(self, db):
        save_reading.store_reading(db, reading(), NOW)
        scripts = [*database.MIGRATION_SCRIPTS, "CREATE TABLE shelves (id); INSERT INTO nonsense VALUES (1)"]
        with pytest.raises(sqlite3.OperationalError):
            database.migrate(db, scripts)
        assert db.execute("PRAGMA user_version").fetchone() == (len(database.MIGRATION_SCRIPTS),)
        assert db.execute("SELECT name FROM sqlite_schema WHERE name = 'shelves'").fetchall() == []
        assert not db.in_transaction

    def test_a_newer_one_still_serves_the_older_software(self, db, home):
        save_reading.store_reading(db, reading(), NOW)
        db.executescript("ALTER TABLE supplies ADD COLUMN smell TEXT; PRAGMA user_version = 99")
        with closing(database.open_database(home / "printmonitor.db")) as older:
            save_reading.store_reading(older, reading(total=1005, supplies=()), NOW + timedelta(hours=1))
            assert stored_printer(older, 1).counters[0].value == 1005
            assert older.execute("PRAGMA user_version").fetchone() == (99,)


def test_times_are_exact_and_need_a_zone():
    moment = datetime(2026, 10, 25, 1, 2, 3, 987_000, tzinfo=UTC)
    assert database.from_ms(database.to_ms(moment)) == moment
    assert database.to_ms(moment) == 1_792_890_123_987
    with pytest.raises(TypeError):
        database.to_ms(moment.replace(tzinfo=None))
