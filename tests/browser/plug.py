"""A Plug with a past on a simulated LAN: its page, its poller, a cloud; for browser tests and for a look.

`python -m tests.browser.plug [PORT]` serves it until Ctrl-C.
"""

import asyncio
import contextlib
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.collector import poll
from appliance.collector.errors import PollError
from appliance.delivery import outbox
from appliance.domain.model import (
    Counter,
    CounterName,
    Details,
    DiscoveryEntry,
    Identity,
    Printer,
    Reading,
    Target,
)
from appliance.host import passwords
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import database, events, printers
from appliance.web import service
from appliance.web.listeners import ListenSockets
from appliance.web.mdns_service import MdnsEnvironment
from tests import children
from tests.fakes.agent import Agent
from tests.fakes.cloud import Cloud
from tests.fakes.lan import Lan, addresses, fill

PASSWORD = "correct horse battery"
SCRIPT = "<script>document.title='taken over'</script><img src=x onerror=alert(1)>"
FIRST = "127.23.0.1"
DEVICES = 28
DAYS = 60  # of history


@dataclass
class Plug:
    """A running Plug."""

    home: Home
    base: str
    lan: Lan | None = None
    cloud: Cloud | None = None


@asynccontextmanager
async def serving(
    home: Home,
    port: int = 0,
    *,
    tls: bool = False,
    air: MdnsEnvironment | None = None,
    root: Path = Path("/"),
) -> AsyncIterator[Plug]:
    """The page of a state folder, over HTTP or HTTPS, on the air if asked for; `root` of another box."""
    listening = socket.create_server(("127.0.0.1", port))
    sockets = ListenSockets(None, listening) if tls else ListenSockets(listening, None)
    async with service.start_service(home, sockets, mdns=air, root=root) as ways:
        yield Plug(home, f"{'https' if tls else 'http'}://127.0.0.1:{ways.tls_port if tls else ways.port}")


@asynccontextmanager
async def full(folder: Path, port: int = 0) -> AsyncIterator[Plug]:
    """Everything: simulated printers with two months behind them, a cloud, a poller, the page."""
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(Agent())
        lan = Lan(agent)
        fill(lan, DEVICES, first=FIRST)
        cloud = await stack.enter_async_context(Cloud(folder))
        home = empty(
            folder / "state", entries=(DiscoveryEntry(f"{FIRST}-127.23.0.{DEVICES + 4}", port=agent.port),)
        )
        _transmitting(home, cloud)
        await _fill(home, agent.port)
        stack.enter_context(children.running(children.printmonitor("poller", state=home.folder)))
        plug = await stack.enter_async_context(serving(home, port))
        yield replace(plug, lan=lan, cloud=cloud)


def empty(folder: Path, *, entries: tuple[DiscoveryEntry, ...] = (), factory: bool = False) -> Home:
    """A state folder that knows no printer; with the factory password if asked for."""
    home = Home(folder)
    home.create_folders()
    made = Config()
    digest = "" if factory else passwords.hash_password(PASSWORD)
    made = replace(
        made,
        plug=replace(made.plug, name="printmonitor-4f2a91", site="Head office", mdns=False),
        discovery=replace(made.discovery, entries=entries, packets_per_second=400),
        schedule=replace(made.schedule, query_every="1d", discover_at=()),
        web=replace(made.web, password_hash=digest),
    )
    schema.save_settings(home, made)
    return home


def many(home: Home, count: int) -> None:
    """So many printers at once, without asking any."""
    now = datetime.now(UTC)
    with contextlib.closing(database.open_database(home.database)) as db, database.transaction(db):
        for number in range(count):
            who = Identity(("Kyocera", "HP", "Ricoh")[number % 3], f"Model {number % 40}", f"SN{number:06}")
            target = Target(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}", snmp_version="2")
            printers.store_reading(
                db,
                Reading(target, who, _details(number), (Counter(CounterName.TOTAL, number * 37, "test"),)),
                now,
            )


def _details(number: int) -> Details:
    return Details(f"printer-{number}", f"Floor {number % 9}", status=3, device_status=2)


def _transmitting(home: Home, cloud: Cloud) -> None:
    now = schema.load_settings(home)
    cloud.issue_client(home.tls, now.plug.name)
    https = replace(now.transmission.https, url=cloud.url, ca_file=str(cloud.ca_file))
    schema.save_settings(
        home,
        replace(
            now, transmission=replace(now.transmission, mode="https", key="a key for tests", https=https)
        ),
    )


async def _fill(home: Home, port: int) -> None:
    """Two months of readings, one printer that fell silent and whose names are an attack, a parcel."""
    now = datetime.now(UTC)
    with contextlib.closing(database.open_database(home.database)) as db:
        async with SnmpEndpoint() as endpoint:
            readings = [reading async for reading in _readings(endpoint, port, now)]
        with database.transaction(db):
            for number, reading in enumerate(readings):
                for day in range(DAYS, 0, -1):
                    printers.store_reading(
                        db, _earlier(reading, day, 90 + 70 * (number % 5)), now - timedelta(days=day)
                    )
                printers.store_reading(db, reading, now - timedelta(minutes=5))
            last = readings[-1]
            hostile = replace(
                last,
                target=replace(last.target, host="127.23.0.250"),
                identity=replace(last.identity, model=SCRIPT, serial_number="HOSTILE1", mac_address=None),
                details=replace(last.details, name=SCRIPT, location=SCRIPT),
            )
            gone = printers.store_reading(db, hostile, now - timedelta(days=3))
            printers.store_poll_failure(db, gone, "silent", now - timedelta(minutes=5))
            events.begin(db, "silent", "127.23.0.250", "127.23.0.250: silent", now - timedelta(minutes=5))
    refuse_parcel(home, "printmonitor-4f2a91-refused")


def refuse_parcel(home: Home, name: str) -> None:
    """One that waits for somebody to look at it."""
    with contextlib.closing(database.open_database(home.database)) as db:
        refused = outbox.put(db, home.outbox, name, b"not really a ZIP", datetime.now(UTC))
        outbox.mark_refused(db, refused, "422: the receiver cannot read it")


async def _readings(endpoint: SnmpEndpoint, port: int, now: datetime) -> AsyncIterator[Reading]:
    async def one(address: str) -> Reading | None:
        with contextlib.suppress(PollError):
            return await poll.poll_printer(endpoint, Target(address, port=port), "", now)
        return None

    for reading in await asyncio.gather(*(one(address) for address in addresses(DEVICES, FIRST))):
        if reading is not None and reading.counters:
            yield reading


def _earlier(reading: Reading, days: int, pages: int) -> Reading:
    """What the printer may have said so many days ago; nothing is printed at weekends."""
    worked = days * 5 // 7
    counters = tuple(
        replace(counter, value=max(0, counter.value - worked * pages // (1 + place)))
        for place, counter in enumerate(reading.counters)
    )
    supplies = tuple(
        replace(supply, level=min(supply.max_capacity, supply.level + supply.max_capacity * worked // 90))
        if isinstance(supply.level, int) and isinstance(supply.max_capacity, int) and supply.class_ != 4
        else supply
        for supply in reading.supplies
    )
    return replace(reading, counters=counters, supplies=supplies)


def known(home: Home) -> list[Printer]:
    with contextlib.closing(database.open_database(home.database)) as db:
        return list(printers.iter_printers(db))


async def _look(port: int) -> None:
    with tempfile.TemporaryDirectory(prefix="printmonitor-look-") as folder:
        async with full(Path(folder), port) as plug:
            print(f"{plug.base}  user admin, password {PASSWORD}", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_look(int(sys.argv[1]) if len(sys.argv) > 1 else 8090))
