"""Runs against simulated printers: found, read, kept, handed over."""

import asyncio
import sqlite3
import time
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from appliance.delivery import archive, outbox
from appliance.discovery.address_ranges import InvalidEntryError
from appliance.domain.clock import utc_now
from appliance.domain.model import DiscoveryEntry, Printer
from appliance.host import file_lock
from appliance.jobs.runs import RunKind, RunProgress, RunResult, execute_run
from appliance.settings.schema import Config, DiscoveryConfig, Home, HttpsConfig, TransmissionConfig
from appliance.storage import database, jobs, printers
from tests.fakes.agent import Agent
from tests.fakes.lan import Lan, Place
from tests.fakes.models import PRINTERS

HP, RICOH, KYOCERA, SWITCH = "hp_laserjet_m404", "ricoh_im_c3010", "kyocera_ecosys_ma2100", "hp_switch_2530"


class Plug:
    """A Plug in a LAN of its own."""

    def __init__(self, home: Home, db: sqlite3.Connection, lan: Lan) -> None:
        self.home, self.db, self.lan = home, db, lan
        self.config = Config()
        self.cover("127.16.0.1-20")

    def cover(self, *entries: str | DiscoveryEntry, exclusions: tuple[str, ...] = ()) -> None:
        listed = [DiscoveryEntry(entry) if isinstance(entry, str) else entry for entry in entries]
        listed = [replace(entry, port=self.lan.agent.port) for entry in listed]
        discovery = DiscoveryConfig(tuple(listed), exclusions, packets_per_second=2000)
        self.config = replace(self.config, discovery=discovery)

    def put(self, *keys: str, first: int = 1) -> list[Place]:
        return [self.lan.put(key, f"127.16.0.{number}", number) for number, key in enumerate(keys, first)]

    async def discover(self) -> RunResult:
        return await execute_run(self.db, self.home, self.config, "discover")

    async def query(self) -> RunResult:
        return await execute_run(self.db, self.home, self.config, "query")

    def known(self) -> list[Printer]:
        return list(printers.iter_printers(self.db))

    def serials(self) -> set[str | None]:
        return {printer.identity.serial_number for printer in self.known()}


@pytest.fixture
def plug(home: Path, db: sqlite3.Connection, agent: Agent) -> Plug:
    found = Home(home)
    found.create_folders()
    return Plug(found, db, Lan(agent))


async def test_a_discovery_takes_the_printers_and_says_what_it_left(plug: Plug) -> None:
    places = plug.put(HP, RICOH, SWITCH, KYOCERA)
    result = await plug.discover()
    assert plug.serials() == {place.who.serial for place in places if place.model.is_printer}
    assert len(result.read) == 3
    assert [(each.host, each.reason[:16]) for each in result.skipped] == [("127.16.0.3", "no printer: HP J")]
    assert (result.probed, result.answered, result.failed, result.interrupted) == (20, 4, (), False)
    assert result.cost.packets > 6
    assert result.cost.bytes > 1000


async def test_a_query_reads_the_known_printers_and_nobody_else(plug: Plug) -> None:
    (first,) = plug.put(HP)
    await plug.discover()
    plug.put(RICOH, first=2)
    plug.lan.advance(3600)
    plug.lan.forget()
    result = await plug.query()
    assert len(result.read) == 1
    assert plug.lan.agent.devices["127.16.0.2"].requests.total() == 0
    (printer,) = plug.known()
    assert {counter.value for counter in printer.counters} >= {first.life.total}


async def test_a_printer_that_moved_is_the_same_printer(plug: Plug) -> None:
    plug.put(HP, RICOH)
    await plug.discover()
    before = {printer.identity: printer.id for printer in plug.known()}
    plug.lan.agent.move("127.16.0.1", "127.16.0.9")
    result = await plug.discover()
    assert {printer.identity: printer.id for printer in plug.known()} == before
    assert {printer.target.host for printer in plug.known()} == {"127.16.0.2", "127.16.0.9"}
    assert not result.failed


async def test_two_printers_that_changed_places_keep_their_names(plug: Plug) -> None:
    plug.put(HP, RICOH)
    await plug.discover()
    before = {printer.identity.serial_number: printer.id for printer in plug.known()}
    for old, new in (("1", "3"), ("2", "1"), ("3", "2")):
        plug.lan.agent.move(f"127.16.0.{old}", f"127.16.0.{new}")
    await plug.discover()
    assert {printer.identity.serial_number: printer.id for printer in plug.known()} == before
    assert {printer.target.host for printer in plug.known()} == {"127.16.0.1", "127.16.0.2"}


@pytest.mark.parametrize("how", ["address", "range", "network", "serial", "mac", "name"])
async def test_who_is_excluded_is_not_taken(plug: Plug, how: str) -> None:
    place, _ = plug.put(RICOH, HP)
    text = {
        "address": "127.16.0.1",
        "range": "127.16.0.0-127.16.0.1",
        "network": "127.16.0.0/31",
        "serial": place.who.serial.lower(),
        "mac": place.who.mac.hex(":"),
        "name": place.who.name.lower(),
    }[how]
    plug.cover("127.16.0.1-20", exclusions=(text,))
    result = await plug.discover()
    assert [printer.target.host for printer in plug.known()] == ["127.16.0.2"]
    if how in {"address", "range", "network"}:
        assert place.device.requests.total() == 0
    else:
        assert [(each.host, each.reason) for each in result.skipped] == [("127.16.0.1", "excluded")]


@pytest.mark.parametrize("how", ["address", "serial", "mac", "name"])
async def test_a_known_printer_that_is_excluded_is_left_in_peace(plug: Plug, how: str) -> None:
    place, _ = plug.put(RICOH, HP)
    await plug.discover()
    text = {
        "address": "127.16.0.1",
        "serial": place.who.serial,
        "mac": place.who.mac.hex(),
        "name": place.who.name,
    }[how]
    plug.cover("127.16.0.1-20", exclusions=(text,))
    plug.lan.forget()
    result = await plug.query()
    assert len(result.read) == 1
    assert not result.failed
    assert place.device.requests.total() == 0


async def test_an_ignored_printer_is_left_in_peace_wherever_it_goes(plug: Plug) -> None:
    place, _ = plug.put(RICOH, HP)
    await plug.discover()
    printers.set_ignore(plug.db, next(p.id for p in plug.known() if p.target.host == "127.16.0.1"), True)
    plug.lan.forget()
    assert len((await plug.query()).read) == 1
    assert place.device.requests.total() == 0
    plug.lan.agent.move("127.16.0.1", "127.16.0.9")
    result = await plug.discover()
    assert [(each.host, each.reason) for each in result.skipped] == [("127.16.0.9", "ignored")]


async def test_a_printer_that_is_gone_keeps_its_values_and_is_named(plug: Plug) -> None:
    plug.put(HP, RICOH)
    await plug.discover()
    plug.lan.agent.remove("127.16.0.1")
    for result in (await plug.query(), await plug.discover()):
        assert [each.host for each in result.failed] == ["127.16.0.1"]
        assert len(result.read) == 1
    gone = next(printer for printer in plug.known() if printer.target.host == "127.16.0.1")
    assert gone.failure == result.failed[0].reason
    assert gone.counters


async def test_a_printer_that_was_read_in_part_is_named_with_the_part(plug: Plug) -> None:
    _, broken = plug.put(HP, RICOH)
    broken.device.endless = "1.3.6.1.2.1.43.11.1.1"
    for result in (await plug.discover(), await plug.query()):
        assert len(result.read) == 2
        assert result.failed == ()
        assert [(each.host, each.reason) for each in result.incomplete] == [
            ("127.16.0.2", "supplies not read: more than 200 rows")
        ]
        assert result.to_job_result()["incomplete_total"] == 1


async def test_a_printer_that_no_entry_covers_is_left_to_queries(plug: Plug) -> None:
    plug.put(HP, RICOH)
    await plug.discover()
    plug.cover("127.16.0.2")
    result = await plug.discover()
    assert (len(result.read), result.not_covered) == (1, 1)
    assert len((await plug.query()).read) == 2


async def test_a_printer_that_is_asleep_delays_nobody(plug: Plug) -> None:
    places = plug.put(*list(PRINTERS)[:20])
    await plug.discover()
    places[3].device.asleep = True
    seen: list[tuple[float, int]] = []
    began = time.monotonic()
    result = await execute_run(
        plug.db,
        plug.home,
        plug.config,
        "query",
        on_progress=lambda progress: seen.append((time.monotonic() - began, progress.read)),
    )
    assert [each.host for each in result.failed] == ["127.16.0.4"]
    assert min(seconds for seconds, read in seen if read == 19) < 3.5
    assert result.cost.seconds < 7.0 + 1.5  # 1 + 2 + 4 seconds are its own time-out


async def test_a_printer_by_name_is_asked_at_the_address_that_the_name_has_now(plug: Plug) -> None:
    plug.lan.put(HP, "127.0.0.1")
    plug.cover(DiscoveryEntry("localhost", address_by="name"), "127.0.0.1")
    assert len((await plug.discover()).read) == 1
    (printer,) = plug.known()
    assert (printer.target.host, printer.target.name) == ("127.0.0.1", "localhost")
    assert len((await plug.query()).read) == 1


async def test_a_printer_in_two_entries_is_read_once(plug: Plug) -> None:
    (place,) = plug.put(HP)
    plug.cover("127.16.0.1", DiscoveryEntry("127.16.0.1-5", community_read="secret"), "127.16.0.0/24")
    place.device.community = "secret"
    result = await plug.discover()
    assert len(result.read) == len(plug.known()) == 1
    assert plug.known()[0].target.community_read == "secret"


async def test_more_addresses_than_allowed_are_refused_before_anything_is_asked(plug: Plug) -> None:
    (place,) = plug.put(HP)
    plug.cover("127.16.0.1", "127.0.0.0/8")
    with pytest.raises(InvalidEntryError, match=r"raise discovery\.max_addresses"):
        await plug.discover()
    assert place.device.requests.total() == 0


@pytest.mark.parametrize("kind", ["discover", "query"])
async def test_a_run_that_is_stopped_keeps_what_was_read(plug: Plug, kind: RunKind) -> None:
    slow, *_ = plug.put(HP, RICOH, KYOCERA)
    await plug.discover()
    slow.device.delay = 2.0
    plug.lan.advance(30 * 86_400)
    stop = asyncio.Event()

    def stop_soon(progress: RunProgress) -> None:
        if progress.read:
            stop.set()

    began = time.monotonic()
    plug.config = replace(plug.config, transmission=sending("https://127.0.0.1:9/"))
    result = await execute_run(plug.db, plug.home, plug.config, kind, stop=stop, on_progress=stop_soon)
    assert result.interrupted
    assert time.monotonic() - began < 1.9
    assert result.parcel is None
    total = {place.who.serial: place.life.total for place in plug.lan.places}
    fresh = [
        printer
        for printer in plug.known()
        if total[str(printer.identity.serial_number)] in {counter.value for counter in printer.counters}
    ]
    assert {printer.id for printer in fresh} == set(result.read)
    assert 1 <= len(fresh) <= 2


async def test_only_some_printers_may_be_read_and_nothing_is_handed_over(plug: Plug) -> None:
    plug.put(HP, RICOH)
    await plug.discover()
    plug.config = replace(plug.config, transmission=sending("https://127.0.0.1:9/"))
    wanted = plug.known()[1].id
    result = await execute_run(plug.db, plug.home, plug.config, "query", only={wanted})
    assert result.read == (wanted,)
    assert result.parcel is None
    assert not outbox.list_parcels(plug.db)


def sending(url: str) -> TransmissionConfig:
    return TransmissionConfig("https", key="the key", https=HttpsConfig(url))


async def test_all_known_printers_are_handed_over_those_that_are_gone_too(plug: Plug) -> None:
    places = plug.put(HP, RICOH, KYOCERA)
    await plug.discover()
    plug.lan.agent.remove("127.16.0.1")
    plug.cover("127.16.0.1-20", exclusions=(places[2].who.serial,))
    plug.config = replace(plug.config, transmission=sending("https://127.0.0.1:9/"))
    result = await execute_run(plug.db, plug.home, plug.config, "query", send=False)
    assert result.parcel
    assert result.delivery is None
    _, xml = archive.unpack(outbox.read(plug.home.outbox, result.parcel), "the key")
    assert [place.who.serial.encode() in xml for place in places] == [True, True, False]


async def test_who_is_excluded_by_the_name_it_gives_itself_is_not_handed_over(plug: Plug) -> None:
    places = plug.put(HP, RICOH)
    await plug.discover()
    plug.cover("127.16.0.1-20", exclusions=(places[0].who.name,))
    plug.config = replace(plug.config, transmission=sending("https://127.0.0.1:9/"))
    result = await execute_run(plug.db, plug.home, plug.config, "query", send=False)
    assert result.parcel
    _, xml = archive.unpack(outbox.read(plug.home.outbox, result.parcel), "the key")
    assert [place.who.serial.encode() in xml for place in places] == [False, True]


async def test_progress_and_result_are_in_the_jobs_row(plug: Plug) -> None:
    plug.put(HP, RICOH, SWITCH)
    job_id = jobs.enqueue(plug.db, "discover", utc_now())
    jobs.start_next(plug.db, utc_now())
    result = await execute_run(plug.db, plug.home, plug.config, "discover", job_id=job_id)
    job = jobs.get(plug.db, job_id)
    assert job
    assert job.progress == {
        "scan": {"total": 20, "asked": 20, "answered": 3, "printers": 2},
        "to_read": 2,
        "read": 2,
        "failed": 0,
    }
    jobs.finish(plug.db, job_id, "done", result.to_job_result(), utc_now())
    job = jobs.get(plug.db, job_id)
    assert job
    assert job.result["read"] == 2


async def test_one_run_at_a_time(plug: Plug) -> None:
    with file_lock.acquire(plug.home.run_lock), pytest.raises(file_lock.LockBusyError):
        await plug.query()


async def test_a_full_disk_ends_the_run_with_its_reason(plug: Plug) -> None:
    plug.put(*list(PRINTERS)[:10])
    plug.db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(database.DatabaseUnavailableError, match="the disk is full"):
        await plug.discover()


async def test_readings_are_stamped_by_the_given_clock(plug: Plug) -> None:
    plug.put(HP)
    later = utc_now().replace(year=2040, tzinfo=UTC)
    await execute_run(plug.db, plug.home, plug.config, "discover", clock=lambda: later)
    assert plug.known()[0].seen_at.year == 2040
