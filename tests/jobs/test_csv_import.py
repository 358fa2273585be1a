"""An import from a file's bytes to saved settings and dropped printers; all of it, or nothing."""

import os
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.model import DiscoveryEntry
from appliance.jobs import csv_import
from appliance.settings import schema as configuration
from appliance.settings.schema import Config, DiscoveryConfig, Home, SettingsError
from appliance.storage import events, printers, save_reading
from tests.storage.readings import HOUR, NOW, reading

LATER = NOW + 49 * HOUR


@pytest.fixture
def plug(home: Path) -> Home:
    plug = Home(home)
    plug.create_folders()
    return plug


def take(
    db: sqlite3.Connection, plug: Home, text: str, *, dry_run: bool = False, force: bool = False
) -> csv_import.ImportResult:
    listed = csv_import.parse_list(text.encode())
    return csv_import.apply_list(db, plug, listed, LATER, dry_run=dry_run, force=force)


def saved(plug: Home) -> list[str]:
    return [entry.addresses for entry in configuration.load_settings(plug).discovery.entries]


def test_entries_are_saved_and_manual_ones_stay(db: sqlite3.Connection, plug: Home) -> None:
    manual = DiscoveryEntry("10.1.0.0/24", community_read="mine")
    configuration.save_settings(plug, Config(discovery=DiscoveryConfig((manual,))))
    assert take(db, plug, "10.0.0.1\nPrinter1;a;b\n10.0.0.2").applied
    entries = configuration.load_settings(plug).discovery.entries
    assert entries[0] == manual
    assert entries[2] == DiscoveryEntry(
        "Printer1", community_read="a", community_write="b", address_by="name", source="import"
    )
    take(db, plug, "10.0.0.1\nPrinter1\n10.0.0.3")
    assert saved(plug) == ["10.1.0.0/24", "10.0.0.1", "Printer1", "10.0.0.3"]
    assert [each.text for each in events.list_recent(db)] == [
        "entries: 1 added, 1 changed, 1 removed, 1 unchanged; printers dropped: 0",
        "entries: 3 added, 0 changed, 0 removed, 0 unchanged; printers dropped: 0",
    ]


def test_a_dry_run_changes_nothing(db: sqlite3.Connection, plug: Home) -> None:
    printer = save_reading.store_reading(db, reading("10.0.0.9"), NOW)
    result = take(db, plug, "10.0.0.1", dry_run=True)
    assert (len(result.changes.added), [gone.id for gone in result.changes.unavailable]) == (1, [printer])
    assert not result.applied
    assert not plug.settings.exists()
    assert printers.get_printer(db, printer)
    assert events.list_recent(db) == []


def test_a_doubtful_list_changes_nothing_unless_forced(db: sqlite3.Connection, plug: Home) -> None:
    take(db, plug, "10.0.0.1\n10.0.0.2\n10.0.0.3")
    printer = save_reading.store_reading(db, reading("10.0.0.2"), NOW)
    for text in ("", "# nothing\n", "10.0.0.1"):
        with pytest.raises(csv_import.ImportConfirmationError):
            take(db, plug, text)
    assert saved(plug) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert printers.get_printer(db, printer)
    take(db, plug, "10.0.0.1", force=True)
    assert saved(plug) == ["10.0.0.1"]
    assert printers.get_printer(db, printer) is None


def test_printers_that_are_gone_are_dropped_with_their_history(db: sqlite3.Connection, plug: Home) -> None:
    gone = save_reading.store_reading(db, reading("10.0.0.9", "S1", None), NOW)
    there = save_reading.store_reading(db, reading("10.0.0.8", "S2", None), LATER - timedelta(hours=47))
    listed = save_reading.store_reading(db, reading("10.0.0.1", "S3", None), NOW)
    named = save_reading.store_reading(db, reading("10.0.0.7", "S4", None, name="printer1"), NOW)
    take(db, plug, "10.0.0.1\nPrinter1")
    assert [known.id for known in printers.list_known(db)] == [there, listed, named]
    assert printers.get_printer(db, gone) is None


def test_settings_that_cannot_be_saved_drop_no_printer(db: sqlite3.Connection, plug: Home) -> None:
    plug.settings.write_text("discovery.max_addresses = 2\n")
    printer = save_reading.store_reading(db, reading("10.0.0.9"), NOW)
    with pytest.raises(SettingsError, match="all entries together are 3 addresses"):
        take(db, plug, "10.0.0.1\n10.0.0.2\n10.0.0.3")
    assert saved(plug) == []
    assert printers.get_printer(db, printer)


def test_an_import_that_changes_nothing_writes_nothing(db: sqlite3.Connection, plug: Home) -> None:
    take(db, plug, "10.0.0.1\n10.0.0.2")
    before = plug.settings.stat()
    take(db, plug, "10.0.0.1\r\n10.0.0.2\r\n")
    assert plug.settings.stat() == before
    assert len(events.list_recent(db)) == 1


# Files


def test_lists_in_files(tmp_path: Path) -> None:
    (tmp_path / "printers.csv").write_text("10.0.0.1\n10.0.0.2\n10.0.0.333\n")
    (tmp_path / "exceptions.csv").write_text("10.0.0.2\n10.0.0.444\n")
    listed = csv_import.read_list(tmp_path / "printers.csv", tmp_path / "exceptions.csv")
    assert [row.host for row in listed.rows] == ["10.0.0.1", "10.0.0.2"]
    assert listed.exclusions.excludes_name("10.0.0.2")
    assert [each.partition('"')[0] for each in listed.problems] == ["line 3: ", "exclusion list, line 2: "]
    assert listed.skipped_lines == 2


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere.csv", "No such file"),
        (".", "directory"),
        ("pipe", "is not a file"),
        ("/dev/zero", "is not a file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, path: str, reason: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(csv_import.ImportFileError, match=reason):
        csv_import.read_list(tmp_path / path)


@pytest.mark.parametrize("path", [r"\\servername\directory\printers.csv", r"C:\Path\printers.csv"])
def test_a_path_of_windows_is_explained(path: str) -> None:
    with pytest.raises(csv_import.ImportFileError, match="share has to be mounted"):
        csv_import.read_list(Path(path))


def test_without_its_exclusions_nothing_is_imported(tmp_path: Path) -> None:
    (tmp_path / "printers.csv").write_text("10.0.0.1\n")
    with pytest.raises(csv_import.ImportFileError, match="exceptions"):
        csv_import.read_list(tmp_path / "printers.csv", tmp_path / "exceptions.csv")


def test_a_file_that_is_no_list(tmp_path: Path) -> None:
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(100 << 20)  # 100 MB of NULs in one line
    with pytest.raises(csv_import.ImportRejectedError, match=r"huge\.csv is larger than 8 MB"):
        csv_import.read_list(tmp_path / "huge.csv")
