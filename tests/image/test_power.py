"""Cut the power at random instants, twenty times and more: the Plug comes back and loses nothing.

Nothing means: nothing that it had reported as kept.

The instants are drawn by lot from PRINTMONITOR_SEED, which is shown, so a failure can be tried again.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.image import office
from tests.image.bundles import Bundles
from tests.image.conftest import Plugs
from tests.image.disk import Disk, missing
from tests.image.lan import Lan
from tests.image.machine import Machine
from tests.image.office import Provider
from tests.image.page import NoAnswer, Page, Wrong

FIRST_BOOT, LOADER, AT_WORK, INSTALLING = 5, 9, 5, 3  # twenty even where the first installation is whole
PRINTERS = 12
SITE = "Cellar, behind the boiler"

pytestmark = [pytest.mark.qemu, pytest.mark.root, pytest.mark.namespaces, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def chance(figure: Callable[[str, str], None]) -> random.Random:
    seed = os.environ.get("PRINTMONITOR_SEED") or str(random.SystemRandom().randrange(10**6))
    figure("power cuts", f"{FIRST_BOOT + LOADER + AT_WORK + INSTALLING}, PRINTMONITOR_SEED={seed}")
    print(f"PRINTMONITOR_SEED={seed}")
    return random.Random(seed)


@pytest.fixture(scope="module")
def plug(probed: Disk, lan: Lan, plugs: Plugs) -> Machine:
    return plugs(probed, lan)


@pytest.fixture(scope="module")
def provider(lan: Lan, workshop: Path) -> Iterator[Provider]:
    with office.printers(lan, PRINTERS), office.provider(lan, workshop / "provider") as running:
        yield running


def test_during_the_first_boot(plug: Machine, chance: random.Random) -> None:
    for _ in range(FIRST_BOOT):
        plug.start()
        time.sleep(chance.uniform(2, 40))
        plug.cut()
        keep_trying(plug)
    plug.start()
    plug.until_page()
    sound(plug)
    plug.page.first_login()


def keep_trying(plug: Machine) -> None:
    """Fresh tries: else the boot loader would turn to the other slot, which is not meant here."""
    with plug.offline() as disk:
        disk.set_slots(BOOT_A_LEFT="3", BOOT_B_LEFT="3", BOOT_ORDER="A B")


def sound(plug: Machine, *, repaired: bool = False) -> None:
    """Everything runs, the database opens, the file systems are in order; `repaired`: now, not before."""
    plug.until(
        "all is started",
        lambda: plug.ask("systemctl is-system-running", check=False).strip() != "starting",
        120,
        every=1,
    )
    assert plug.failed() == ""
    said = plug.ask("journalctl -b --no-pager | grep -iE 'remade|made anew|beyond repair'", check=False)
    assert bool(said) == repaired, said
    assert plug.ask("findmnt -rn -o FSTYPE /data").strip() == "ext4"
    assert plug.complaints() == []


def test_while_the_boot_loader_writes_which_slot_it_tries(plug: Machine, chance: random.Random) -> None:
    plug.cut()
    for _ in range(LOADER):
        plug.start()
        with suppress(AssertionError):
            plug.until_said("Hit any key|Scanning|slots", 30)
        time.sleep(chance.uniform(0, 6))
        plug.cut()
        with plug.offline() as disk:
            states = [disk.slots(name) for name in ("slots.env", "slots.bak")]
            assert any(states), "both copies of the slots' state are torn"
            assert all(state.get("BOOT_ORDER") == "A B" for state in states if state)
        keep_trying(plug)
    plug.start()
    plug.until_page()
    sound(plug)


@dataclass
class Kept:
    """What the page had reported as kept when the power went."""

    printers: dict[int, str] = field(default_factory=dict)  # number: when it was seen last
    parcels: dict[str, str] = field(default_factory=dict)  # id: state
    jobs: dict[int, str] = field(default_factory=dict)

    def note(self, page: Page) -> None:
        found = page.get("/api/printers", 5)["printers"]
        self.printers = {each["id"]: each["seen_at"] for each in found}
        self.parcels = {each["id"]: each["state"] for each in page.get("/api/outbox", 5)["parcels"]}
        self.jobs = {each["id"]: each["state"] for each in page.get("/api/jobs", 5)["jobs"]}


def test_while_it_discovers_and_delivers(plug: Machine, provider: Provider, chance: random.Random) -> None:
    page = plug.page
    page.log_in()
    office.look_for(page, PRINTERS)
    page.patch("/api/system", {"site": SITE})
    provider.sign_up(page)
    settings = what_is_set(page)
    for number in range(AT_WORK):
        kept = work(page, "discover" if number % 2 == 0 else "query", chance.uniform(0.2, 9))
        plug.cut()
        arrived = provider.arrived()
        plug.start()
        plug.until_page()
        page = plug.page
        page.log_in()
        compare(page, kept, arrived)
        assert what_is_set(page) == settings
        sound(plug)
    page.run("query")
    page.until("all parcels have left", "/api/outbox", lambda outbox: outbox["waiting"] == 0, 240)
    assert len(page.get("/api/printers")["printers"]) == PRINTERS
    assert page.get("/api/outbox")["refused"] == 0
    assert provider.cloud.problems == []


def work(page: Page, kind: str, seconds: float) -> Kept:
    """Begin a run, and write down what the page says, until it is time."""
    kept, deadline = Kept(), time.monotonic() + seconds
    page.post("/api/jobs", {"kind": kind})
    while time.monotonic() < deadline:
        with suppress(NoAnswer, Wrong):
            kept.note(page)
    return kept


def compare(page: Page, kept: Kept, arrived: set[str]) -> None:
    now = Kept()
    now.note(page)
    for number, seen in kept.printers.items():
        assert now.printers.get(number, "") >= seen, f"printer {number}: {seen} was kept, {now.printers}"
    for parcel, state in kept.parcels.items():
        assert parcel in now.parcels, f"parcel {parcel} ({state}) is gone"
        assert now.parcels[parcel] == "delivered" if state == "delivered" else True
    for parcel in arrived:
        assert parcel in now.parcels, f"parcel {parcel} had arrived, and nobody knows of it"
    for job, state in kept.jobs.items():
        assert job in now.jobs
        assert state not in ("done", "failed") or now.jobs[job] == state


def what_is_set(page: Page) -> Any:
    system = page.get("/api/system")
    return (
        system["name"],
        system["site"],
        page.get("/api/licence")["plug_id"],
        [each["addresses"] for each in page.get("/api/discovery")["entries"]],
        page.get("/api/transmission"),
    )


@pytest.fixture
def update(lan: Lan, probed: Disk, workshop: Path) -> Iterator[str]:
    """Where an update can be fetched."""
    if absent := missing("rauc", "mksquashfs"):
        pytest.skip(f"not installed: {', '.join(absent)}; see requirements/tools.py")
    bundle = Bundles(workshop / "power", probed).full("plug", "6.0.0")
    with office.web_server(lan, bundle.parent) as address:
        yield f"{address}/{bundle.name}"


def test_while_it_installs_an_update(plug: Machine, update: str, chance: random.Random) -> None:
    settings = what_is_set(plug.page_in)
    for number in range(INSTALLING):
        plug.page_in.post("/api/updates/install", {"source": "url", "url": update, "when": "now"})
        if number < INSTALLING - 1:
            time.sleep(chance.uniform(3, 60))
        else:  # the last one into the restart that ends it
            plug.until_restarted("U-Boot 20", 600)
            time.sleep(chance.uniform(0, 30))
        plug.cut()
        plug.start()
        plug.until_page()
        assert what_is_set(plug.page_in) == settings
        sound(plug)
        if plug.slot == "B":  # it was whole, and is tried
            break
    wanted = "updated" if plug.slot == "B" else "interrupted"
    plug.page_in.until(
        f"it is {wanted}",
        "/api/updates",
        lambda updates: (updates["outcome"] or {}).get("came") == wanted,
        240,
    )
