"""`make bench`: the figures that were asked for, measured on this machine, beside their bars."""

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

import psutil

from appliance.cli import reading_report, terminal
from appliance.collector import poll, scanner
from appliance.domain.model import PollCost, Target
from appliance.settings.schema import Home
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import database, jobs
from tests import bench_codec, bench_traps, children
from tests.fakes import snmprec
from tests.fakes.agent import Agent, Device
from tests.fakes.lan import Separate
from tests.fakes.mib import Cell
from tests.fakes.models import PRINTERS

SHARED = children.ROOT.parent / "shared"
AFICIO = SHARED / "reference" / "aficio_mp_c4000.snmprec"
MTU = 1_472  # bytes of UDP payload in one Ethernet frame
PLACE = "127.24.0.1"
FLEET = 1_000
HUNDRED = 100
DELAY = "0.02"  # seconds before a simulated printer answers
REPEATS = 3

Version = Literal["1", "2"]


@dataclass(frozen=True)
class Figure:
    """One row of the table; `bar` is the most that was allowed, in the unit of `value`."""

    what: str
    value: float
    bar: float | None
    unit: str = ""

    def row(self) -> tuple[str, str, str, str]:
        if self.bar is None:
            return self.what, _number(self.value, self.unit), "", ""
        return (
            self.what,
            _number(self.value, self.unit),
            f"≤ {_number(self.bar, self.unit)}",
            "" if self.value <= self.bar else "MISSED",
        )


def _number(value: float, unit: str) -> str:
    shown = f"{value:,.2f}" if unit == "s" else f"{value:,.1f}" if unit == "MB" else f"{value:,.0f}"
    return f"{shown} {unit}".strip()


# How many requests one printer takes: counted by the simulated agent


@dataclass(frozen=True)
class Requests:
    """What one printer was asked, at first and the next time."""

    first: int
    again: int
    largest_response: int
    cost: PollCost


async def requests(rows: Mapping[str, Cell], version: Version) -> Requests:
    now = datetime.now(UTC)
    async with Agent() as agent, SnmpEndpoint() as endpoint:
        device = agent.add(PLACE, Device(rows))
        target = Target(PLACE, port=agent.port, snmp_version=version)
        reading = await poll.poll_printer(endpoint, target, "", now)
        assert reading.failures == (), reading.failures
        first = device.requests.total()
        await poll.poll_printer(endpoint, target, reading.plan, now)
        again = device.requests.total() - first
        return Requests(first, again, device.largest_response, reading.cost)


async def most_requests(name: str, printers: list[Mapping[str, Cell]]) -> AsyncIterator[Figure]:
    v2 = [await requests(rows, "2") for rows in printers]
    v1 = [await requests(rows, "1") for rows in printers]
    yield Figure(f"{name}, first reading, v2c: requests", max(one.first for one in v2), 16)
    yield Figure(f"{name}, largest response datagram", max(one.largest_response for one in v2), MTU, "bytes")
    yield Figure(f"{name}, first reading, v1: requests", max(one.first for one in v1), 40)
    yield Figure(f"{name}, next query: requests", max(one.again for one in v2 + v1), 4)


async def counts() -> AsyncIterator[Figure]:
    recordings = [snmprec.read(path) for path in _full_walks()]
    if recordings:
        async for figure in most_requests(f"{len(recordings)} full-walk recordings (the worst)", recordings):
            yield figure
    else:
        terminal.print_message(f"no recordings of real printers at {SHARED}: authored models only")
    authored = [model.rows() for model in PRINTERS.values()]
    async for figure in most_requests(f"{len(authored)} authored models (the worst)", authored):
        yield figure
    if AFICIO.exists():
        cost = (await requests(snmprec.read(AFICIO), "2")).cost
        yield Figure("sample Aficio (reference 1,834): packets", cost.packets, 40)
        wire = reading_report.bytes_on_wire(cost)
        yield Figure("sample Aficio (reference 170,260): bytes on the wire", wire, 20_000, "bytes")


def _full_walks() -> list[Path]:
    manifest = SHARED / "recordings" / "MANIFEST.tsv"
    if not manifest.exists():
        return []
    rows = [line.split("\t") for line in manifest.read_text().splitlines()]
    return [manifest.parent / row[0] for row in rows if row[-1] == "full walk"]


# A scan


async def one_network() -> AsyncIterator[Figure]:
    """/24: 20 printers that answer after 20 ms, 234 addresses that say nothing at all."""
    seconds = []
    async with Separate("--plain", "--count", "20", "--delay", DELAY, "--first", "127.24.1.1") as lan:
        with silent([f"127.24.1.{number}" for number in range(21, 255)], lan.port):
            targets = [Target(f"127.24.1.{number}", port=lan.port) for number in range(1, 255)]
            for _ in range(REPEATS):
                began = time.perf_counter()
                found = [each async for each in scanner.scan_targets(targets, 200)]
                seconds.append(time.perf_counter() - began)
                assert sum(each.is_printer for each in found) == 20
    yield Figure("/24, 20 printers, 234 silent: scan", statistics.median(seconds), 6, "s")


@contextmanager
def silent(addresses: list[str], port: int) -> Iterator[None]:
    """Somebody is there and never answers: without this, loopback would refuse at once."""
    ears = []
    try:
        for address in addresses:
            ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            ears.append(ear)
            ear.bind((address, port))
        yield
    finally:
        for ear in ears:
            ear.close()


# Fleets, by the real command in a process of its own


SETTINGS = """\
[[discovery.entries]]
addresses = "{first}-{last}"
port = {port}
[discovery]
packets_per_second = 1000
[transmission]
mode = "{mode}"
key = "a key for the bench"
https.url = "https://127.0.0.1:9/closed"
"""


def settle(state: Path, first: str, count: int, port: int, mode: str = "off") -> None:
    state.mkdir(mode=0o700, exist_ok=True)
    last = str(IPv4Address(first) + count - 1)
    (state / "settings.toml").write_text(SETTINGS.format(first=first, last=last, port=port, mode=mode))


async def command(state: Path, *arguments: str) -> tuple[float, dict[str, int]]:
    """Seconds from typing to the prompt, start of Python included; the JSON document."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *children.printmonitor(*arguments, "--json", state=state),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=children.ROOT,
        env=children.environment(),
    )
    output, errors = await process.communicate()
    if not output:
        raise RuntimeError(f"printmonitor {arguments[0]}: {errors.decode()}")
    return time.perf_counter() - began, json.loads(output)


async def dead_among_a_hundred(folder: Path) -> AsyncIterator[Figure]:
    first = "127.24.2.1"
    arguments = ("--plain", "--count", str(HUNDRED), "--delay", DELAY, "--first", first)
    async with Separate(*arguments) as lan:
        state = folder / "hundred"
        settle(state, first, HUNDRED, lan.port)
        await command(state, "discover")
        alive = statistics.median([(await command(state, "query"))[0] for _ in range(REPEATS)])
        dead = lan.addresses[HUNDRED // 2]
        await lan.unplug(dead)
        with silent([dead], lan.port):
            with_dead, document = await command(state, "query")
        assert document["failed_total"] == 1
        what = f"a dead printer among {HUNDRED} delays a query ({alive:.2f} s) by"
        yield Figure(what, with_dead - alive, sum(poll.TRY_TIMEOUTS_S), "s")


async def fleet(folder: Path) -> AsyncIterator[Figure]:
    first = "127.25.0.1"
    state = folder / "fleet"
    arguments = ("--plain", "--count", str(FLEET), "--delay", DELAY, "--first", first)
    async with Separate(*arguments) as lan:
        settle(state, first, FLEET, lan.port)
        seconds, document = await command(state, "discover")
        assert document["read"] == FLEET, document
        yield Figure(f"{FLEET:,} printers: discover with first readings", seconds, 30, "s")
        again = [(await command(state, "query"))[0] for _ in range(REPEATS)]
        yield Figure(f"{FLEET:,} printers: next query", statistics.median(again), 8, "s")
        settle(state, first, FLEET, lan.port, mode="https")
        at_rest, most = await _poller_memory(Home(state))
        yield Figure(f"poller with {FLEET:,} printers: resident after a query", at_rest, 90, "MB")
        yield Figure(f"poller with {FLEET:,} printers: most, XML and parcel included", most, 90, "MB")


async def _poller_memory(home: Home) -> tuple[float, float]:
    """Resident megabytes of the service after a query and its parcel, and the most on the way."""
    with (
        closing(database.open_database(home.database)) as db,
        children.running(
            children.printmonitor("poller", state=home.folder), stderr=subprocess.DEVNULL
        ) as child,
    ):
        process = psutil.Process(child.pid)
        job_id = jobs.enqueue(db, "query", datetime.now(UTC))
        most = 0.0
        async with asyncio.timeout(120):
            while (job := jobs.get(db, job_id)) and job.state in ("waiting", "running"):
                most = max(most, process.memory_info().rss / 1e6)
                await asyncio.sleep(0.02)
        assert job is not None
        assert job.state == "done", job
        await asyncio.sleep(1.0)  # what comes after the run: the first try to send
        at_rest = process.memory_info().rss / 1e6
        return at_rest, max(most, at_rest)


async def bench(quick: bool) -> None:
    figures: list[Figure] = []
    progress = terminal.ProgressLine()

    async def take(stream: AsyncIterator[Figure]) -> None:
        async for figure in stream:
            figures.append(figure)
            progress.show(f"{figure.what}: {figure.row()[1]}")

    with tempfile.TemporaryDirectory(prefix="printmonitor-bench-") as folder:
        await take(counts())
        await take(one_network())
        if not quick:
            await take(dead_among_a_hundred(Path(folder)))
            await take(fleet(Path(folder)))
    terminal.print_line()
    terminal.print_table(
        ("What", "Measured", "Bar", ""), [figure.row() for figure in figures], ("Measured", "Bar")
    )
    terminal.print_line()
    terminal.print_table(("The codec, processor time", ""), bench_codec.run())
    if not quick:
        terminal.print_line()
        terminal.print_table(("The trap receiver under a flood", ""), await bench_traps.measure())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave the fleets out")
    try:
        asyncio.run(bench(parser.parse_args().quick))
    except KeyboardInterrupt:
        sys.exit(130)
