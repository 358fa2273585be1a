"""The trap receiver as a process of its own, with simulated printers that send traps and are read."""

import asyncio
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from appliance.domain.clock import utc_now
from appliance.domain.model import DiscoveryEntry
from appliance.jobs.runs import run_round
from appliance.settings import schema
from appliance.settings.schema import Config, DiscoveryConfig, Home, TrapsConfig
from appliance.storage import events, printers, traps
from tests import children
from tests.fakes import traps as wire
from tests.fakes.agent import Agent
from tests.fakes.lan import Lan
from tests.fakes.models import PRINTERS

PATIENCE = 20.0
STRANGER = "127.99.0.1"  # outside of the discovery entries
SERVE = "import logging, pathlib; from appliance.trap_receiver import service; "
SERVE += "from appliance.settings.paths import Home; "
SERVE += "logging.basicConfig(level=logging.INFO); "
SERVE += "service.serve(Home(pathlib.Path({state!r})), address='127.0.0.1')"


class Plug:
    """A Plug that knows three printers, at 127.16.0.1 to 3, and takes traps."""

    def __init__(self, home: Home, db: sqlite3.Connection, lan: Lan, port: int) -> None:
        self.home, self.db, self.lan, self.port = home, db, lan, port
        entry = DiscoveryEntry("127.16.0.1-40", port=lan.agent.port)
        self.config = Config(discovery=DiscoveryConfig((entry,)), traps=TrapsConfig(True, port))
        schema.save(home, self.config)

    async def discover(self) -> None:
        await run_round(self.db, self.home, self.config, "discover")
        for device in self.lan.agent.devices.values():
            device.forget()

    def asked(self) -> list[int]:
        return [device.requests.total() for device in self.lan.agent.devices.values()]

    def send(self, data: bytes, source: str = "127.16.0.1", times: int = 1) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((source, 0))
            for _ in range(times):
                sender.sendto(data, ("127.0.0.1", self.port))

    def kinds(self) -> list[str]:
        return [each.trap.kind for each in traps.list_recent(self.db)]

    async def until(self, what: Callable[[], bool], seconds: float = PATIENCE) -> float:
        """How long it took until something was so."""
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            while not what():  # noqa: ASYNC110  it is another process that changes it
                await asyncio.sleep(0.02)
        return time.monotonic() - began


@pytest.fixture
async def plug(home: Path, db: sqlite3.Connection, agent: Agent) -> Plug:
    found = Home(home)
    found.create()
    lan = Lan(agent)
    for number, key in enumerate(list(PRINTERS)[:3], 1):
        lan.put(key, f"127.16.0.{number}")
    plug = Plug(found, db, lan, free_port())
    await plug.discover()
    return plug


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving(plug: Plug) -> Iterator["psutil.Popen"]:
    """The service, once it listens."""
    command = [sys.executable, "-c", SERVE.format(state=str(plug.home.folder))]
    child = children.start(command, stderr=-1)
    try:
        assert child.stderr
        line = child.stderr.readline()
        assert "traps are taken" in line or "switched off" in line, line
        yield child
        assert child.poll() is None, child.stderr.read()
    finally:
        children.stop(child)


async def test_a_trap_is_kept_and_its_printer_is_read_within_two_seconds(plug: Plug) -> None:
    place = plug.lan.agent.devices["127.16.0.2"]
    known = {each.target.host: each.id for each in printers.list_known(plug.db)}
    with serving(plug):
        place.mib["1.3.6.1.2.1.43.18.1.1.2.1.77"] = (2, 3)
        for column, cell in {3: (2, 3), 4: (2, 8), 5: (2, 2), 6: (2, 2), 7: (2, 808), 9: (67, 99)}.items():
            place.mib[f"1.3.6.1.2.1.43.18.1.1.{column}.1.77"] = cell
        place.mib["1.3.6.1.2.1.43.18.1.1.8.1.77"] = (4, "Paper out")
        plug.send(wire.version_2(bindings=wire.PAPER_OUT), "127.16.0.2")

        def alerted() -> bool:
            printer = printers.get_printer(plug.db, known["127.16.0.2"])
            return printer is not None and "Paper out" in [each.row.description for each in printer.alerts]

        assert await plug.until(alerted) < 2.0
    (kept,) = traps.list_recent(plug.db)
    assert (kept.printer_id, kept.trap.text) == (known["127.16.0.2"], "input media supply empty")
    assert plug.asked()[0] == plug.asked()[2] == 0
    assert plug.asked()[1] <= 20
    assert traps.list_pending_reports(plug.db) == [known["127.16.0.2"]]


async def test_a_discovery_of_silent_addresses_delays_no_trap(plug: Plug) -> None:
    slow = replace(plug.config.discovery, packets_per_second=10)
    job = asyncio.create_task(run_round(plug.db, plug.home, replace(plug.config, discovery=slow), "discover"))
    with serving(plug):
        await plug.until(lambda: plug.asked()[2] > 0)
        plug.send(wire.version_2(wire.COLD_START), "127.16.0.2")
        await plug.until(lambda: len(traps.list_pending_reports(plug.db)) == 1, 2.0)
        assert not job.done()
    job.cancel()
    await asyncio.wait({job})


async def test_a_cold_start_reads_everything_anew(plug: Plug) -> None:
    with serving(plug):
        plug.send(wire.version_1(generic=2, specific=0), "127.16.0.1")
        await plug.until(lambda: len(traps.list_pending_reports(plug.db)) == 1)
        light = plug.asked()[0]
        plug.send(wire.version_1(generic=0, specific=0), "127.16.0.3")
        await plug.until(lambda: len(traps.list_pending_reports(plug.db)) == 2)
    assert plug.asked()[2] > light


@pytest.mark.parametrize("by", ["agent-addr", "forwarded", "serial number", "MAC address"])
async def test_a_trap_by_way_of_somebody_else_finds_its_printer(plug: Plug, by: str) -> None:
    third = printers.list_known(plug.db)[2]
    serial, mac = third.identity.serial_number or "", bytes.fromhex(third.identity.mac_address or "")
    data = {
        "agent-addr": wire.version_1(agent=third.target.host),
        "forwarded": wire.version_2(bindings={"1.3.6.1.6.3.18.1.3.0": (64, third.target.host)}),
        "serial number": wire.version_2(bindings={"1.3.6.1.2.1.43.5.1.1.17.1": (4, serial)}),
        "MAC address": wire.version_2(bindings={"1.3.6.1.2.1.2.2.1.6.1": (4, mac)}),
    }[by]
    with serving(plug):
        plug.send(data, STRANGER)
        await plug.until(lambda: traps.list_pending_reports(plug.db) == [third.id])
    assert traps.list_recent(plug.db)[0].printer_id == third.id


async def test_strangers_are_shown_and_never_answered(plug: Plug) -> None:
    with serving(plug), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((STRANGER, plug.lan.agent.port))  # whoever asked at the usual port would be heard here
        stranger.setblocking(False)
        for data in (
            wire.version_2(pdu=wire.INFORM, request_id=1),
            wire.version_1(agent=STRANGER),
            wire.version_2(wire.COLD_START),
        ):
            stranger.sendto(data, ("127.0.0.1", plug.port))
        await plug.until(lambda: len(plug.kinds()) == 3)
        plug.send(wire.version_2(), "127.16.0.1")
        await plug.until(
            lambda: len(traps.list_pending_reports(plug.db)) == 1
        )  # by now an answer would be there
        with pytest.raises(BlockingIOError):
            stranger.recv(100)
    assert {each.printer_id for each in traps.list_recent(plug.db) if each.sender == STRANGER} == {None}


async def test_a_printer_that_moved_is_read_where_it_sends_from(plug: Plug) -> None:
    second = next(each for each in printers.list_known(plug.db) if each.target.host == "127.16.0.2")
    device = plug.lan.agent.devices["127.16.0.2"]
    plug.lan.agent.add("127.16.0.30", replace(device))
    device.asleep = True
    with serving(plug):
        plug.send(wire.version_2(bindings=wire.PAPER_OUT), "127.16.0.30")
        await plug.until(lambda: traps.list_pending_reports(plug.db) == [second.id], 4.0)
    moved = next(each for each in printers.list_known(plug.db) if each.id == second.id)
    assert moved.target.host == "127.16.0.30"
    assert [each.kind for each in events.list_recent(plug.db)] == ["printer address changed"]
    assert [each.printer_id for each in traps.list_recent(plug.db)] == [second.id]


async def test_a_new_printer_within_the_discovery_entries_is_met(plug: Plug) -> None:
    plug.lan.put(list(PRINTERS)[3], "127.16.0.31")
    with serving(plug):
        plug.send(wire.version_2(wire.COLD_START), "127.16.0.31")
        await plug.until(lambda: len(printers.list_known(plug.db)) == 4)
        plug.send(wire.version_2(wire.COLD_START), "127.16.0.32")  # where nobody answers
        await plug.until(lambda: len(plug.kinds()) == 2)
    assert [each.printer_id is None for each in traps.list_recent(plug.db)] == [True, False]


async def test_who_only_passes_a_trap_on_is_asked_and_its_printer_is_read(plug: Plug) -> None:
    third = printers.list_known(plug.db)[2]
    serial = wire.version_2(bindings={"1.3.6.1.2.1.43.5.1.1.17.1": (4, third.identity.serial_number or "")})
    with serving(plug):
        plug.send(serial, "127.16.0.40")
        await plug.until(lambda: traps.list_pending_reports(plug.db) == [third.id])
    assert third.target in [each.target for each in printers.list_known(plug.db)]


async def test_an_inform_of_a_printer_is_acknowledged_and_kept_once(plug: Plug) -> None:
    with serving(plug), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as printer:
        printer.bind(("127.16.0.1", 0))
        printer.settimeout(PATIENCE)
        for _ in range(3):
            printer.sendto(wire.version_2(pdu=wire.INFORM, request_id=5), ("127.0.0.1", plug.port))
            assert b"\xa2" in await asyncio.to_thread(printer.recv, 500)
        await plug.until(lambda: traps.list_recent(plug.db) != [])
    assert [each.times for each in traps.list_recent(plug.db)] == [1]


async def test_only_the_listed_communities_are_taken(plug: Plug) -> None:
    plug.config = replace(plug.config, traps=TrapsConfig(True, plug.port, ("mine", "ours")))
    schema.save(plug.home, plug.config)
    with serving(plug):
        plug.send(wire.version_2(wire.COLD_START, community="public"))
        plug.send(wire.version_2("1.3.6.1.6.3.1.1.5.2", community="ours"))
        await plug.until(lambda: plug.kinds() == ["warmStart"])
        await plug.until(lambda: traps.get_dropped_counts(plug.db) == {"another community": 1})


async def test_the_switch_and_the_port_are_followed_while_it_runs(plug: Plug) -> None:
    on, port = plug.config, free_port()
    schema.save(plug.home, replace(on, traps=TrapsConfig(False, plug.port)))
    with serving(plug):
        plug.send(wire.version_2())
        schema.save(plug.home, replace(on, traps=TrapsConfig(True, port)))
        plug.port = port

        def heard() -> bool:
            plug.send(wire.version_2(wire.COLD_START))
            return "coldStart" in plug.kinds()

        await plug.until(heard)
    assert "printerV2Alert" not in plug.kinds()


async def test_fifty_traps_at_once_are_one_or_two_readings(plug: Plug) -> None:
    with serving(plug):
        plug.send(wire.version_2(bindings=wire.PAPER_OUT), times=25)
        await plug.until(lambda: traps.list_pending_reports(plug.db) != [])
        one = plug.asked()[0]
        plug.send(wire.version_2(bindings=wire.PAPER_OUT), times=25)
        await plug.until(lambda: plug.asked()[0] > one)
        await plug.until(lambda: sum(each.times for each in traps.list_recent(plug.db)) == 50)
    assert plug.asked()[0] <= 3 * one


async def test_a_flood_is_survived_counted_and_told_and_the_last_state_is_right(plug: Plug) -> None:
    known = next(each.id for each in printers.list_known(plug.db) if each.target.host == "127.16.0.1")
    with serving(plug) as child:
        process = psutil.Process(child.pid)
        plug.send(wire.version_2(bindings=wire.PAPER_OUT), times=20)
        await plug.until(lambda: traps.list_recent(plug.db) != [])
        before = process.memory_info().rss
        sent = await asyncio.to_thread(flood, plug.port, 3.0)
        plug.lan.agent.devices["127.16.0.1"].mib["1.3.6.1.2.1.25.3.5.1.1.1"] = (2, 4)
        plug.send(wire.version_2(wire.COLD_START), "127.16.0.2")  # another printer is still heard
        await plug.until(lambda: "coldStart" in plug.kinds(), 5.0)
        assert process.memory_info().rss - before < 8e6
        await plug.until(lambda: sum(traps.get_dropped_counts(plug.db).values()) > sent * 0.9)
        assert [each.kind for each in events.list_ongoing(plug.db)] == ["too many traps"]

        def right() -> bool:
            printer = printers.get_printer(plug.db, known)
            return printer is not None and printer.details.status == 4

        await plug.until(right, 5.0)
    kept = sum(each.times for each in traps.list_recent(plug.db, 10_000))
    assert kept + sum(traps.get_dropped_counts(plug.db).values()) >= sent  # none is unaccounted for


def flood(port: int, seconds: float, rate: int = 5_000) -> int:
    """Traps of a known printer and of strangers, so many a second; gives how many."""
    data = wire.version_2(bindings=wire.PAPER_OUT)
    sources = []
    for source in ("127.16.0.1", *(f"127.99.1.{number}" for number in range(1, 20))):
        sources.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sources[-1].bind((source, 0))
    sent, began = 0, time.monotonic()
    while (spent := time.monotonic() - began) < seconds:
        while sent < spent * rate:
            sources[sent % len(sources)].sendto(data, ("127.0.0.1", port))
            sent += 1
        time.sleep(0.002)
    for each in sources:
        each.close()
    return sent


async def test_garbage_ends_nothing(plug: Plug) -> None:
    sample = wire.version_2(bindings=wire.PAPER_OUT)
    with serving(plug):
        for at in range(len(sample)):
            plug.send(sample[:at], f"127.98.0.{at % 50 + 1}")
            plug.send(sample[:at] + b"\xff" + sample[at + 1 :], f"127.98.1.{at % 50 + 1}")
        plug.send(b"\x30\x84\xff\xff\xff\xff" * 1_000, STRANGER)
        plug.send(wire.version_2(wire.COLD_START))
        await plug.until(lambda: "coldStart" in plug.kinds())
        await plug.until(lambda: traps.get_dropped_counts(plug.db).get("not understood", 0) > 20)


async def test_a_database_that_somebody_holds_is_waited_for(plug: Plug) -> None:
    with serving(plug):
        plug.db.execute("BEGIN IMMEDIATE")  # nobody else can write
        plug.send(wire.version_2(wire.COLD_START))
        await asyncio.sleep(0.3)  # it tries to
        plug.db.execute("ROLLBACK")
        await plug.until(lambda: "coldStart" in plug.kinds())


async def test_it_stops_in_order_and_says_so_when_it_did_not(plug: Plug) -> None:
    with serving(plug):
        pass
    with serving(plug):
        pass
    assert [each.kind for each in events.list_recent(plug.db)] == []
    command = [sys.executable, "-c", SERVE.format(state=str(plug.home.folder))]
    killed = children.start(command, stderr=-1)
    assert killed.stderr
    killed.stderr.readline()
    killed.kill()
    killed.wait()
    killed.stderr.close()
    with serving(plug):
        pass
    assert [(each.kind, each.subject) for each in events.list_recent(plug.db)] == [
        ("service restarted", "traps")
    ]


SNMPTRAP = shutil.which("snmptrap")


@pytest.mark.skipif(SNMPTRAP is None, reason="net-snmp's snmptrap is not installed (package snmp)")
@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["-v1", "-c", "public", "{to}", wire.HP, "127.16.0.2", "6", "11", "55"], "HP 11.2.3.9.1.0.11"),
        (["-v1", "-c", "public", "{to}", wire.HP, "127.16.0.2", "0", "0", "55"], "coldStart"),
        (["-v2c", "-c", "public", "{to}", "", wire.PRINTER_ALERT], "printerV2Alert"),
        (["-v2c", "-Ci", "-r0", "-t5", "-c", "public", "{to}", "", wire.PRINTER_ALERT], "printerV2Alert"),
    ],
)
async def test_net_snmp_is_understood(plug: Plug, arguments: list[str], kind: str, tmp_path: Path) -> None:
    to = f"127.0.0.1:{plug.port}"
    with serving(plug):
        process = await asyncio.create_subprocess_exec(
            *("env", f"SNMP_PERSISTENT_DIR={tmp_path}", str(SNMPTRAP), "--clientaddr=127.16.0.2"),
            *(part.format(to=to) for part in arguments),
        )
        assert await process.wait() == 0  # an inform that nobody acknowledges is a failure
        await plug.until(lambda: plug.kinds() == [kind])
        await plug.until(lambda: len(traps.list_pending_reports(plug.db)) == 1)
    assert utc_now() >= traps.list_recent(plug.db)[0].last_at
