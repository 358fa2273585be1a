"""What the page says of printers that announce themselves, on the loopback interface."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from appliance.settings.schema import Home
from appliance.web.mdns_service import MdnsEnvironment
from tests.discovery.on_air import LOOPBACK, WAIT, found, printer
from tests.web.conftest import SCRIPT, Browser, Page, running

OWN = "192.0.2.7"


@pytest.fixture
def name() -> str:
    """Other tests may be on the same air."""
    return f"pm-{secrets.token_hex(5)}"


@pytest.fixture
async def page(plug: Home, name: str) -> AsyncIterator[Page]:
    """A page that is on the air."""
    async with running(plug, air=MdnsEnvironment(lambda: (OWN,), LOOPBACK, check_interval_s=0.05)) as made:
        made.change(plug={"name": name, "site": "Head office", "mdns": True})
        yield made


async def until(browser: Browser, wanted: dict[str, object], at: str | None = None) -> dict[str, object]:
    """What is told of what is heard, or of one printer in it, once it has some values."""
    seen: dict[str, object] = {}
    async with asyncio.timeout(WAIT):
        while not wanted.items() <= seen.items():
            await asyncio.sleep(0.05)
            told = await browser.get("/api/discovery/heard")
            rows = [row for row in told["printers"] if row["address"] == at]
            seen = (rows[0] if rows else {}) if at else told
    return seen


async def test_what_announces_itself_is_shown_and_taken_over(browser: Browser, page: Page, name: str) -> None:
    said = {"ty": SCRIPT, "note": "Room 3"}
    async with printer(f"{name}-p", "192.0.2.40", said, "ipp", "uscan"):
        wanted = {"services": ["ipp", "uscan"], "covered": False, "excluded": False, "printer": None}
        row = await until(browser, wanted, "192.0.2.40")
        assert (row["name"], row["model"], row["location"]) == (f"{name}-p", SCRIPT, "Room 3")
        told = await browser.get("/api/discovery/heard")
        assert (told["on"], told["name"]) == (True, f"{name}.local")
        added = await browser.ask("POST", "/api/discovery/entries", {"addresses": str(row["address"])})
        assert added.status == 201
        await browser.ask("PATCH", "/api/discovery", {"exclusions": ["192.0.2.0/24"]})
        await until(browser, {"covered": True, "excluded": True}, "192.0.2.40")
        (plug,) = await found(name)
        assert (plug.site, plug.port) == ("Head office", page.port)
        await browser.ask("PATCH", "/api/system", {"mdns": False})
        told = await until(browser, {"on": False})
        assert (told["name"], told["printers"]) == (None, [])
        assert "plug.mdns" in str(told["text"])


async def test_without_a_network_that_is_said(plug: Home) -> None:
    async with running(plug) as page, page.browser() as browser:
        page.change(plug={"mdns": True})
        await browser.log_in()
        told = await browser.get("/api/discovery/heard")
        assert (told["on"], told["name"], told["printers"]) == (False, None, [])
        assert (await browser.get("/api/system"))["mdns"] is True


async def test_strangers_hear_nothing(plug: Home) -> None:
    async with running(plug) as page, page.browser() as browser:
        assert (await browser.ask("GET", "/api/discovery/heard")).status == 401
