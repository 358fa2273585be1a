"""A hundred printers: what memory, processor and the card have to bear."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.image import office
from tests.image.conftest import Plugs
from tests.image.disk import Disk
from tests.image.lan import Lan
from tests.image.machine import Machine
from tests.image.office import Provider

PRINTERS = 100
MOST_MEMORY = 180.0  # MB
SETTLED_SECONDS, IDLE_SECONDS = 70, 180
QUERIES_A_DAY, DISCOVERIES_A_DAY = 24, 1

pytestmark = [pytest.mark.qemu, pytest.mark.root, pytest.mark.namespaces, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def provider(lan: Lan, workshop: Path) -> Iterator[Provider]:
    with office.printers(lan, PRINTERS), office.provider(lan, workshop / "load") as running:
        yield running


@pytest.fixture(scope="module")
def plug(probed: Disk, lan: Lan, plugs: Plugs, provider: Provider) -> Machine:
    """With traps on, and a first discovery behind it."""
    machine = plugs(probed, lan)
    machine.start()
    machine.until_page()
    page = machine.page
    page.first_login()
    office.look_for(page, PRINTERS)
    provider.sign_up(page)
    page.patch("/api/traps", {"enabled": True})
    page.until("the receiver runs", "/api/traps", lambda traps: traps["state"] == "running")
    page.run("discover", 400)
    assert len(page.get("/api/printers")["printers"]) == PRINTERS
    return machine


def test_memory(plug: Machine, figure: Callable[[str, str], None]) -> None:
    plug.page_in.run("query", 400)
    said = dict(re.findall(r"^(\w+):\s+(\d+)", plug.ask("cat /proc/meminfo"), re.MULTILINE))
    used = (int(said["MemTotal"]) - int(said["MemAvailable"])) / 1024
    each = plug.ask(
        "systemctl show -p Id -p MemoryCurrent 'printmonitor-*.service' rauc.service | paste -sd' '"
    )
    figure("memory used with all services and 100 printers, after a query", f"{used:.0f} MB")
    print(each)
    assert used <= MOST_MEMORY


def test_idle_processor_and_writes(plug: Machine, figure: Callable[[str, str], None]) -> None:
    plug.page_in.until("all was delivered", "/api/outbox", lambda outbox: outbox["waiting"] == 0, 240)
    time.sleep(SETTLED_SECONDS)
    written, used = plug.written(), spent(plug)
    time.sleep(IDLE_SECONDS)
    each = {unit: seconds - used.get(unit, 0.0) for unit, seconds in spent(plug).items()}
    idle = sum(each.values()) / IDLE_SECONDS * 100
    quiet = plug.written() - written
    most = sorted(each, key=lambda unit: -each[unit])[:3]
    shares = ", ".join(f"{unit} {each[unit] / IDLE_SECONDS * 100:.2f}" for unit in most)
    figure(
        "idle processor, all services of the Plug", f"{idle:.2f} % of an emulated core (bar: 1 %): {shares}"
    )
    before = plug.written()
    begun = time.monotonic()
    job = plug.page_in.run("query", 400)
    took = time.monotonic() - begun
    plug.page_in.until("it was delivered", "/api/outbox", lambda outbox: outbox["waiting"] == 0, 120)
    plug.ask("sync")
    query = plug.written() - before
    day = quiet * 86_400 / IDLE_SECONDS + query * (QUERIES_A_DAY + DISCOVERIES_A_DAY)
    figure("written to the card for a query of 100 printers", f"{query / 2**20:.2f} MB ({took:.0f} s)")
    figure("written to the card while idle", f"{quiet * 3600 / IDLE_SECONDS / 2**20:.2f} MB an hour")
    figure("written to the card a day, 100 printers, hourly queries", f"{day / 2**20:.0f} MB")
    assert job["result"]["printers"] == PRINTERS


def test_a_trap_receiver_that_somebody_stopped_comes_back(plug: Machine) -> None:
    plug.ask("systemctl stop printmonitor-traps.socket printmonitor-traps.service")
    plug.until(
        "it runs again",
        lambda: plug.ask("systemctl is-active printmonitor-traps.service", check=False).strip() == "active",
        150,
        every=5,
    )


def spent(plug: Machine) -> dict[str, float]:
    """Seconds of processor of each of the Plug's services since the start."""
    said = plug.ask("systemctl show -p Id -p CPUUsageNSec 'printmonitor-*.service'")
    found = {}
    for block in said.split("\n\n"):
        told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if told.get("CPUUsageNSec", "").isdigit():
            found[told["Id"]] = int(told["CPUUsageNSec"]) / 1e9
    return found
