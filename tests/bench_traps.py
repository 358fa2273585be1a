"""What the trap receiver does under a flood, measured on a process of its own."""

import asyncio
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import psutil

from appliance.settings.schema import Home
from appliance.storage import database, events, printers, traps
from tests import children
from tests.fakes import traps as wire
from tests.fakes.agent import Agent
from tests.fakes.lan import Lan
from tests.fakes.models import PRINTERS
from tests.trap_receiver.test_service import SERVE, Plug, flood, free_port

SECONDS = 60.0
RATE = 5_000


async def measure(seconds: float = SECONDS) -> list[tuple[str, str]]:
    """Rows of a table: what was measured, and how much it was."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "state")
        home.create()
        async with Agent() as agent:
            lan = Lan(agent)
            lan.put(next(iter(PRINTERS)), "127.16.0.1")
            with closing(database.open_database(home.database)) as db:
                plug = Plug(home, db, lan, free_port())
                await plug.discover()
                return await _measure(plug, seconds)


async def _measure(plug: Plug, seconds: float) -> list[tuple[str, str]]:
    command = [sys.executable, "-c", SERVE.format(state=str(plug.home.folder))]
    with children.running(command, stderr=-1) as child:
        assert child.stderr
        child.stderr.readline()
        process = psutil.Process(child.pid)
        plug.send(wire.version_2(bindings=wire.PAPER_OUT))
        one = await plug.until(lambda: traps.list_pending_reports(plug.db) != [])
        rest, busy = process.memory_info().rss, sum(process.cpu_times()[:2])
        sending = asyncio.create_task(asyncio.to_thread(flood, plug.port, seconds, RATE))
        most = rest
        while not sending.done():
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0.1)
        sent, busy = sending.result(), sum(process.cpu_times()[:2]) - busy
        plug.lan.agent.devices["127.16.0.1"].mib["1.3.6.1.2.1.25.3.5.1.1.1"] = (2, 4)
        known = printers.list_known(plug.db)[0].id

        def right() -> bool:
            printer = printers.get_printer(plug.db, known)
            return printer is not None and printer.details.status == 4

        last = await plug.until(right, 70.0)
        await plug.until(lambda: sum(traps.get_dropped_counts(plug.db).values()) > sent * 0.9)
        dropped = traps.get_dropped_counts(plug.db)
    return [
        ("a trap to the printer's new values in the database", f"{one:.2f} s"),
        (f"{sent:,} traps in {seconds:.0f} s: processor time", f"{100 * busy / seconds:.0f} % of one core"),
        ("memory before, and at most", f"{rest / 1e6:.1f} MB, {most / 1e6:.1f} MB"),
        (
            "dropped by limits, by the kernel",
            f"{_limited(dropped):,}, {dropped.get('not read in time', 0):,}",
        ),
        ("last state right after", f"{last:.1f} s"),
        ("events that tell of it", f"{len(events.list_recent(plug.db)):,}"),
    ]


def _limited(dropped: dict[str, int]) -> int:
    return sum(number for reason, number in dropped.items() if reason.startswith("too many"))


def run(seconds: float = SECONDS) -> list[tuple[str, str]]:
    """As the bench wants it."""
    return asyncio.run(measure(seconds))


if __name__ == "__main__":
    for what, figure in run(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS):
        print(f"{what}: {figure}")
