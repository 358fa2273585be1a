"""Another address from the page: tried, gone after two minutes; confirmed, it outlives a loss of power."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.image.conftest import Plugs
from tests.image.disk import Disk
from tests.image.lan import PROVIDER, Lan, Laptop
from tests.image.machine import PAGE_SECONDS, Machine
from tests.image.page import Page

FIRST, SECOND = "10.77.5.5", "10.77.5.6"
TRIAL_SECONDS = 120
APPLIED_SECONDS = 240.0  # an emulated Plug starts Python twice for it, others keep this computer busy

pytestmark = [pytest.mark.qemu, pytest.mark.root, pytest.mark.namespaces, pytest.mark.timeout(900)]


def static(address: str) -> dict[str, object]:
    return {"method": "static", "address": f"{address}/16", "gateway": PROVIDER, "dns": [PROVIDER]}


@pytest.fixture(scope="module")
def plug(released: Disk, lan: Lan, plugs: Plugs) -> Machine:
    machine = plugs(released, lan)
    machine.start()
    machine.until_page(2 * PAGE_SECONDS)
    machine.page.first_login()
    return machine


@pytest.fixture(scope="module")
def laptop(lan: Lan) -> Iterator[Laptop]:
    made = Laptop()
    yield made
    made.off()


def at(address: str) -> Page:
    """The page there, logged in."""
    page = Page(address)
    page.log_in()
    return page


def begin(plug: Machine, page: Page, address: str) -> float:
    """Try an address, up to where somebody could confirm there; gives the seconds since the start."""
    trial = page.post("/api/network/trial", static(address))["trial"]
    assert trial["hosts"][0] == address
    seconds = plug.until(f"the page at {address}", Page(address).is_there, APPLIED_SECONDS)
    at(address).until("an offer to keep it", "/api/session", lambda said: said["network_trial"])
    return seconds


def events(page: Page) -> list[str]:
    return [each["text"] for each in page.get("/api/events")["events"] if each["kind"] == "network"]


def test_by_itself_it_has_a_lease_and_a_prefix(plug: Machine, lan: Lan) -> None:
    page = at(lan.address(plug.mac))
    found = page.until(
        "an address of IPv6",
        "/api/network",
        lambda told: any(each.startswith("fd77:") for each in told["interfaces"][0]["addresses"]),
    )
    link = found["interfaces"][0]
    assert (link["name"], link["mac_address"], link["carrier"]) == ("eth0", plug.mac.upper(), True)
    assert f"{lan.address(plug.mac)}/16" in link["addresses"]
    assert PROVIDER in link["gateways"]
    assert found["name_servers"]
    assert found["box"] is True


def test_what_nobody_confirms_goes_again(plug: Machine, lan: Lan, figure: Callable[[str, str], None]) -> None:
    leased = lan.address(plug.mac)
    began = plug.seconds()
    offered = begin(plug, at(leased), FIRST)
    figure("new network settings, from the button to the page at the new address", f"{offered - began:.0f} s")
    assert not Page(leased).is_there(2)
    back = plug.until("the leased address", Page(leased).is_there, TRIAL_SECONDS + APPLIED_SECONDS)
    figure("without a confirmation, until the page was back at the old address", f"{back - began:.0f} s")
    assert back - began > TRIAL_SECONDS - 10
    assert not Page(FIRST).is_there(2)
    page = at(leased)
    page.until("what came of it", "/api/network", lambda told: told["trial"]["state"] == "rolled-back")
    page.until("an event", "/api/events", lambda _: "were not confirmed" in events(page)[0])


def test_what_is_confirmed_stays_after_a_loss_of_power(plug: Machine, lan: Lan, laptop: Laptop) -> None:
    begin(plug, at(lan.address(plug.mac)), FIRST)
    page = at(FIRST)
    page.post("/api/network/trial/confirmation")
    kept = page.until(
        "it is kept", "/api/network", lambda told: told["trial"]["state"] == "kept", APPLIED_SECONDS
    )
    assert kept["settings"]["address"] == f"{FIRST}/16"

    def is_heard() -> bool:
        said = laptop.do(".venv/bin/python", "-m", "appliance", "plugs", "--json", "--timeout", "4")
        return any(each["url"] == f"http://{FIRST}/" for each in json.loads(said)["plugs"])

    plug.until("mDNS tells the new address", is_heard)
    plug.cut()
    plug.start()
    plug.until("the page at the same address", Page(FIRST).is_there, 2 * PAGE_SECONDS)
    assert at(FIRST).get("/api/network")["settings"]["method"] == "static"


def test_without_power_nobody_confirms(plug: Machine) -> None:
    begin(plug, at(FIRST), SECOND)
    plug.cut()
    plug.start()
    plug.until("the page at the old address", Page(FIRST).is_there, 2 * PAGE_SECONDS)
    page = at(FIRST)
    page.until("an event", "/api/events", lambda _: "restarted" in events(page)[0])
    assert page.get("/api/network")["trial"]["state"] == "none"
    assert not Page(SECOND).is_there(2)
