"""The watched import list: taken over when it changes, doubted when it should be, and said once."""

import asyncio
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest

from appliance.jobs import csv_import
from appliance.poller.import_watcher import ImportWatcher
from appliance.settings import schema as configuration
from appliance.settings.schema import Home, ImportConfig
from appliance.storage import events, printers, save_reading
from tests import children
from tests.storage.readings import HOUR, NOW, reading

LATER = NOW + 49 * HOUR


class Watch:
    """A list that is looked at whenever a test says so."""

    def __init__(self, db: sqlite3.Connection, folder: Path, **options: object) -> None:
        self.plug = Home(folder)
        self.plug.create_folders()
        self.file = folder / "printers.csv"
        self.exclusions = folder / "exceptions.csv"
        self.settings = ImportConfig(str(self.file), every="1m")
        self._list = ImportWatcher(self.plug, db, **options)  # type: ignore[arg-type]
        self._db = db

    async def look(self, text: str | None = None) -> list[str]:
        """The entries after a look at the file that holds `text`."""
        if text is not None:
            self.file.write_text(text)
        self._list.check_immediately()
        await self._list.check(self.settings, LATER)
        return [entry.addresses for entry in configuration.load_settings(self.plug).discovery.entries]

    def going_on(self) -> list[str]:
        return [event.text for event in events.list_ongoing(self._db)]


@pytest.fixture
def watch(db: sqlite3.Connection, home: Path) -> Watch:
    return Watch(db, home)


async def test_what_the_file_says_is_taken_over(watch: Watch, db: sqlite3.Connection) -> None:
    assert await watch.look("10.0.0.1\n10.0.0.2") == ["10.0.0.1", "10.0.0.2"]
    before = watch.plug.settings.stat()
    await watch.look()
    assert watch.plug.settings.stat() == before
    assert await watch.look("10.0.0.1\n10.0.0.3") == ["10.0.0.1", "10.0.0.3"]
    assert [event.kind for event in events.list_recent(db)] == ["import", "import"]


async def test_it_is_looked_at_no_more_often_than_asked(db: sqlite3.Connection, watch: Watch) -> None:
    once = ImportWatcher(watch.plug, db)
    watch.file.write_text("10.0.0.1")
    await once.check(watch.settings, LATER)
    watch.file.write_text("10.0.0.1\n10.0.0.2")
    await once.check(watch.settings, LATER)
    assert len(configuration.load_settings(watch.plug).discovery.entries) == 1


async def test_no_path_is_no_import(db: sqlite3.Connection, watch: Watch) -> None:
    await ImportWatcher(watch.plug, db).check(ImportConfig(), LATER)
    assert not watch.plug.settings.exists()


async def test_exclusions_and_login_come_from_the_settings(watch: Watch) -> None:
    watch.exclusions.write_text("10.0.0.1\n")
    watch.settings = ImportConfig(
        str(watch.file), str(watch.exclusions), "1m", http_username="admin", http_password="1234"
    )
    assert await watch.look("10.0.0.1\n10.0.0.2") == ["10.0.0.2"]
    (entry,) = configuration.load_settings(watch.plug).discovery.entries
    assert (entry.http_username, entry.http_password) == ("admin", "1234")


@pytest.mark.parametrize("text", ["", "# empty", "10.0.0.1", "x" * (9 << 20)])
async def test_a_doubtful_list_is_refused_and_said_once(
    watch: Watch, db: sqlite3.Connection, text: str
) -> None:
    before = await watch.look("10.0.0.1\n10.0.0.2\n10.0.0.3")
    assert await watch.look(text) == before
    await watch.look()
    (said,) = watch.going_on()
    assert "printers.csv" in said
    assert len(events.list_recent(db)) == 2
    await watch.look("10.0.0.1\n10.0.0.2")
    assert watch.going_on() == []


async def test_an_empty_file_where_nothing_was_imported_is_no_trouble(watch: Watch) -> None:
    assert await watch.look("") == []
    assert watch.going_on() == []


async def test_bad_lines_are_said_once_and_the_rest_is_taken_over(watch: Watch) -> None:
    assert await watch.look("10.0.0.1\n10.0.0.256\n10.0.0.257") == ["10.0.0.1"]
    await watch.look()
    (said,) = watch.going_on()
    assert "2 bad lines: line 2:" in said
    await watch.look("10.0.0.1")
    assert watch.going_on() == []


async def test_a_file_that_is_gone_for_a_moment_changes_nothing(watch: Watch) -> None:
    before = await watch.look("10.0.0.1")
    watch.file.unlink()
    assert await watch.look() == before
    assert watch.going_on() == []


async def test_a_file_that_is_gone_for_long_is_said(db: sqlite3.Connection, home: Path) -> None:
    watch = Watch(db, home, unreadable_grace_s=0.0)
    await watch.look()
    assert "No such file" in watch.going_on()[0]
    await watch.look("10.0.0.1")
    assert watch.going_on() == []


async def test_a_share_that_hangs_costs_one_thread(db: sqlite3.Connection, home: Path) -> None:
    back, reads = threading.Event(), []

    def read(path: Path, exclusions: Path | None) -> csv_import.ImportList:
        reads.append(path)
        back.wait(10)
        return csv_import.read_list(path, exclusions)

    watch = Watch(db, home, reader=read, read_timeout_s=0.05, unreadable_grace_s=0.0)
    for _ in range(3):
        assert await watch.look("10.0.0.1") == []
    assert "cannot be read within" in watch.going_on()[0]
    assert len(reads) == 1
    back.set()
    while not await watch.look():
        pass
    assert watch.going_on() == []


async def test_settings_that_are_broken_are_left_alone(watch: Watch, db: sqlite3.Connection) -> None:
    watch.plug.settings.write_text("nonsense = 1\n")
    watch.file.write_text("10.0.0.1\n")
    await ImportWatcher(watch.plug, db).check(watch.settings, LATER)
    assert watch.plug.settings.read_text() == "nonsense = 1\n"
    assert "nonsense" in watch.going_on()[0]


async def test_only_printers_that_did_not_answer_are_dropped(watch: Watch, db: sqlite3.Connection) -> None:
    """A Plug that was switched off for two days has seen nobody either."""
    failing = save_reading.store_reading(db, reading("10.0.0.8", "S1", None), NOW)
    unasked = save_reading.store_reading(db, reading("10.0.0.9", "S2", None), NOW)
    save_reading.store_poll_failure(db, failing, "silent", LATER)
    await watch.look("10.0.0.1")
    assert [known.id for known in printers.list_known(db)] == [unasked]


async def test_no_longer_watched_is_no_trouble_any_more(watch: Watch) -> None:
    await watch.look("10.0.0.1\n10.0.0.256")
    watch.settings = ImportConfig()
    await watch.look()
    assert watch.going_on() == []


async def test_the_poller_watches(home: Path) -> None:
    plug = Home(home)
    plug.create_folders()
    (home / "printers.csv").write_text("127.0.0.1\n127.0.0.2\n")
    plug.settings.write_text(f'import.path = "{home / "printers.csv"}"\nschedule.discover_at = []\n')
    with children.running(children.printmonitor("poller", state=home), stderr=subprocess.PIPE) as service:
        assert service.stderr
        async with asyncio.timeout(20):
            while "import list" not in (line := await asyncio.to_thread(service.stderr.readline)):
                assert line, "the service ended"
    entries = configuration.load_settings(plug).discovery.entries
    assert [entry.addresses for entry in entries] == ["127.0.0.1", "127.0.0.2"]
    assert configuration.load_settings(plug).import_.path == str(home / "printers.csv")
