"""`make demo`: a LAN of simulated printers, a demo cloud, a Plug at work between them, and its page."""

import argparse
import asyncio
import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path

import aiohttp

from appliance.cli import formatting, reading_report, terminal
from appliance.delivery import archive
from appliance.domain import supply_text
from appliance.domain.model import CounterName, PollCost, Printer
from appliance.settings import schema
from appliance.storage import database, printers
from tests import children
from tests.fakes.cloud import Arrival, Cloud
from tests.fakes.lan import Separate

PLUG = "printmonitor-demo01"
KEY = "demo-key-not-a-secret"
FIRST, LAST = "127.20.0.1", "127.20.0.60"
DEVICES = 40  # of the sixty addresses; the others are silent
AGEING = 10.0  # seconds between two looks at the simulated clock
OFFICE_HOURS = 3600  # simulated seconds that pass meanwhile
ARRIVAL_SECONDS = 20.0
PAGE_SECONDS = 20.0
XML_LINES = 20

SETTINGS = """\
[plug]
name = "{plug}"
site = "Demo"
mdns = false  # nothing of this belongs on the real LAN

[[discovery.entries]]
addresses = "{first}-{last}"
port = {port}

[schedule]
query_every = "1m"

[web]
port = {port_http}
tls_port = {port_https}

[transmission]
mode = "https"
key = "{key}"

[transmission.https]
url = "{url}"
ca_file = "{ca_file}"
"""


class Failed(Exception):
    """The demo did not do what it promises; the text says what."""


async def demo(once: bool) -> None:
    """Set everything up, discover, show what came of it; then stay until cancelled."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="printmonitor-demo-")))
        lan = await stack.enter_async_context(Separate("--count", str(DEVICES), "--first", FIRST))
        cloud = await stack.enter_async_context(Cloud(folder))
        state = _set_up(folder, lan.port, cloud)
        say(f"{DEVICES} simulated devices at {FIRST} and up, UDP port {lan.port}; demo cloud at {cloud.url}")
        say(f"state folder {state}\n")
        say("$ printmonitor discover")
        document = await _discover(state)
        _show_printers(state)
        _show_cost(document["cost"], await lan.counts())
        _show_arrival(await _first_arrival(cloud))
        web_log = stack.enter_context((state / "web.log").open("w"))
        services = {"web": _service(stack, state, "web", "--bind", "127.0.0.1", stderr=web_log)}
        address = await _page(state, services["web"])
        if not once:
            services["poller"] = _service(stack, state, "poller")
            say("\nThe services go on: a query a minute, while printers print. Ctrl-C ends them.")
            say(f"Another terminal may look in: .venv/bin/printmonitor --state {state} status")
        say(f"\nThe page is at {address}  (admin / printmonitor)\n")
        if not once:
            await _stay(lan, cloud, services)


def _service(
    stack: AsyncExitStack, state: Path, name: str, *arguments: str, **options: object
) -> "subprocess.Popen[str]":
    command = children.printmonitor(name, *arguments, state=state)
    return stack.enter_context(children.running(command, **options))


async def _page(state: Path, service: "subprocess.Popen[str]") -> str:
    """The page's address, once its login answers."""
    port = schema.load_settings(schema.Home(state)).web.port
    address = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(PAGE_SECONDS), aiohttp.ClientSession() as session:
            while service.poll() is None:
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    async with session.get(f"{address}/login") as answer:
                        if answer.status == 200 and b'name="password"' in await answer.read():
                            return address
                        raise Failed(f"{address}/login is no login page (status {answer.status})")
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Failed(f"{address} did not answer within {PAGE_SECONDS:g} s") from None
    raise Failed(f"the page ended by itself: {(state / 'web.log').read_text()[-500:]}")


def _free_ports() -> tuple[int, int]:
    """Two ports that nobody uses just now."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def _set_up(folder: Path, port: int, cloud: Cloud) -> Path:
    state = folder / "state"
    state.mkdir(mode=0o700)
    cloud.issue_client(state / "tls", PLUG)
    port_http, port_https = _free_ports()
    settings = SETTINGS.format(
        plug=PLUG,
        first=FIRST,
        last=LAST,
        port=port,
        key=KEY,
        url=cloud.url,
        ca_file=cloud.ca_file,
        port_http=port_http,
        port_https=port_https,
    )
    (state / "settings.toml").write_text(settings)
    (state / "settings.toml").chmod(0o600)
    return state


async def _discover(state: Path) -> dict[str, dict[str, float]]:
    """Run the real command, its progress line on our terminal; return its JSON document."""
    process = await asyncio.create_subprocess_exec(
        *children.printmonitor("discover", "--json", state=state),
        stdout=asyncio.subprocess.PIPE,
        cwd=children.ROOT,
        env=children.environment(),
        preexec_fn=children.end_with_parent,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    except BaseException:
        process.terminate()
        raise
    if process.returncode not in (0, 1):  # 1: some printers failed, which belongs to a real LAN
        raise Failed(f"printmonitor discover ended with exit code {process.returncode}: {output.decode()}")
    return json.loads(output)  # type: ignore[no-any-return]


def _show_printers(state: Path) -> None:
    with contextlib.closing(database.open_database(state / "printmonitor.db")) as db:
        found = sorted(printers.iter_printers(db), key=lambda printer: ip_address(printer.target.host))
    rows = [_row(printer) for printer in found]
    if not rows:
        raise Failed("no printer was found")
    say(f"\nFound {len(rows)} printers")
    titles = ("Address", "Model", "Serial number", "Pages", "Lowest supply", "State")
    terminal.print_table(titles, rows, ("Pages",))


def _row(printer: Printer) -> tuple[str, ...]:
    pages = [counter.value for counter in printer.counters if counter.name == CounterName.TOTAL]
    return (
        printer.target.host,
        printer.identity.model or "-",
        printer.identity.serial_number or "-",
        f"{pages[0]:,}" if pages else "-",
        supply_text.describe_lowest_supply(printer),
        formatting.format_printer_state(printer),
    )


def _show_cost(cost: dict[str, float], seen: dict[str, int]) -> None:
    packets = seen["requests"] + seen["responses"]
    payload = seen["bytes_in"] + seen["bytes_out"]
    spent = PollCost(int(cost["packets"]), int(cost["bytes"]), cost["seconds"])
    say(f"\nReadings. {reading_report.format_cost(spent)}")
    say(f"With the scan, as the devices saw it: {packets:,} packets, {payload:,} bytes of payload;")
    say(f"largest request {seen['largest_request']:,}, largest response {seen['largest_response']:,} bytes")


async def _first_arrival(cloud: Cloud) -> Arrival:
    try:
        async with asyncio.timeout(ARRIVAL_SECONDS):
            while not cloud.arrivals:  # noqa: ASYNC110  the cloud keeps a list, and a demo may look at it
                await asyncio.sleep(0.05)
    except TimeoutError:
        problems = "; ".join(cloud.problems) or "no request came"
        raise Failed(f"nothing arrived at the cloud within {ARRIVAL_SECONDS:g} s: {problems}") from None
    return cloud.arrivals[0]


def _show_arrival(arrival: Arrival) -> None:
    name, xml = archive.unpack(arrival.body, KEY)
    say("\nWhat arrived at the cloud, opened with the key")
    say(f"{name}.xml from {arrival.plug}: {_sizes(arrival, xml)}")
    for line in xml.decode().splitlines()[:XML_LINES]:
        say(f"  {line}")
    say("  ...")


def _sizes(arrival: Arrival, xml: bytes) -> str:
    count, pages = _totals(xml)
    return f"{count} printers, {pages:,} pages, {len(xml):,} bytes, {len(arrival.body):,} packed"


def _totals(xml: bytes) -> tuple[int, int]:
    pages = re.findall(rb"<CounterTotalDevices>(\d+)<", xml)
    return xml.count(b"<Printers>"), sum(map(int, pages))


async def _stay(lan: Separate, cloud: Cloud, services: Mapping[str, "subprocess.Popen[str]"]) -> None:
    """Let time pass for the printers, and tell of every parcel that arrives."""
    told = len(cloud.arrivals)
    ticks = 0
    while True:
        await asyncio.sleep(1.0)
        ticks += 1
        if ticks % AGEING == 0:
            await lan.advance(OFFICE_HOURS)
        for arrival in cloud.arrivals[told:]:
            name, xml = archive.unpack(arrival.body, KEY)
            say(f"arrived: {name}: {_sizes(arrival, xml)}")
        told = len(cloud.arrivals)
        for name, service in services.items():
            if service.poll() is not None:
                raise Failed(f"the {name} service ended by itself with exit code {service.returncode}")


def say(text: str) -> None:
    print(text, flush=True)


async def _until_told_to_stop(once: bool) -> int:
    """Run the demo; the first Ctrl-C or SIGTERM ends all in order, further ones change nothing."""
    work = asyncio.create_task(demo(once))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _Once(work.cancel))
    try:
        await work
    except asyncio.CancelledError:
        say("\nstopped")
    except Failed as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


class _Once:
    """Calls a function the first time it is called itself."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function: Callable[[], object] | None = function

    def __call__(self) -> None:
        function, self._function = self._function, None
        if function:
            function()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the first delivery")
    sys.exit(asyncio.run(_until_told_to_stop(parser.parse_args().once)))
