"""Readings are kept together, each for itself, and nobody is told too early."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.domain.clock import utc_now
from appliance.domain.model import Details, Identity, Reading, Target
from appliance.jobs.batch_poller import BatchWriter, ReadingNotSavedError
from appliance.storage import database, printers


def reading(number: int) -> Reading:
    return Reading(Target(f"10.0.0.{number}"), Identity(serial_number=f"CNB{number}"), Details())


def seen_by_others(home: Path) -> int:
    """How many printers another process sees."""
    other = sqlite3.connect(home / "printmonitor.db")
    count: int = other.execute("SELECT count(*) FROM printers").fetchone()[0]
    other.close()
    return count


async def test_what_is_reported_as_kept_is_there_for_others(db: sqlite3.Connection, home: Path) -> None:
    async with BatchWriter(db, utc_now) as keeper:
        ids = await asyncio.gather(*(keeper.save_reading(reading(number)) for number in range(1, 151)))
        assert seen_by_others(home) == len(set(ids)) == 150


async def test_a_reading_that_cannot_be_stored_costs_only_itself(db: sqlite3.Connection) -> None:
    strange = replace(reading(2), plan=object())  # type: ignore[arg-type]
    async with BatchWriter(db, utc_now) as keeper:
        kept = await asyncio.gather(
            *map(keeper.save_reading, (reading(1), strange, reading(3))), return_exceptions=True
        )
    assert isinstance(kept[1], ReadingNotSavedError)
    assert [printer.id for printer in printers.list_known(db)] == [kept[0], kept[2]]


async def test_what_was_handed_over_is_kept_when_the_run_is_broken_off(
    db: sqlite3.Connection, home: Path
) -> None:
    async with BatchWriter(db, utc_now) as keeper:
        waiting = [asyncio.create_task(keeper.save_reading(reading(number))) for number in range(1, 4)]
        await asyncio.sleep(0)  # they have handed over and wait
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    assert seen_by_others(home) == 3


async def test_a_failure_leaves_the_last_values(db: sqlite3.Connection) -> None:
    async with BatchWriter(db, utc_now) as keeper:
        printer_id = await keeper.save_reading(reading(1))
        await keeper.save_failure(printer_id, "silent")
    printer = printers.get_printer(db, printer_id)
    assert printer
    assert printer.failure == "silent"
    assert printer.identity.serial_number == "CNB1"


async def test_a_full_disk_is_told_to_everybody_who_waits(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA max_page_count = 1")
    async with BatchWriter(db, utc_now) as keeper:
        large = [replace(reading(number), plan="x" * 100_000) for number in range(1, 4)]
        told = await asyncio.gather(*map(keeper.save_reading, large), return_exceptions=True)
        assert all(isinstance(each, database.DatabaseUnavailableError) for each in told)
        with pytest.raises(database.DatabaseUnavailableError, match="the disk is full"):
            await keeper.save_reading(reading(9))
