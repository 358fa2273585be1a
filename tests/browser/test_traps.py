"""The trap receiver is switched on and off; what came is listed."""

import asyncio
import contextlib
from datetime import UTC, datetime

from playwright.async_api import Route, expect

from appliance.domain.model import Trap
from appliance.settings import schema
from appliance.storage import database, traps
from tests.browser.conftest import Visitor
from tests.browser.plug import SCRIPT, known


async def test_receiver_is_switched(visitor: Visitor) -> None:
    before = schema.load_settings(visitor.plug.home)
    page = await visitor.open("/traps", "de")
    await page.get_by_role("switch", name="Traps empfangen").check()
    await page.get_by_label("UDP-Port").fill("70000")
    await page.get_by_role("button", name="Speichern").click()
    await expect(page.get_by_text("Muss zwischen 1 und 65.535 liegen.")).to_be_visible()
    await page.get_by_label("UDP-Port").fill("10162")
    await page.get_by_label("Communitys").fill("public\nother\n")
    await page.get_by_role("button", name="Speichern").click()
    await expect(page.get_by_text("Gespeichert.")).to_be_visible()
    await expect(page.locator("#state")).not_to_contain_text("aus")
    wanted = schema.load_settings(visitor.plug.home).traps
    assert (wanted.enabled, wanted.port, wanted.communities) == (True, 10162, ("public", "other"))
    schema.save_settings(visitor.plug.home, before)
    await expect(page.locator("#state")).to_contain_text("aus")


async def test_traps_are_listed_as_they_come(visitor: Visitor) -> None:
    """From a known printer and from a stranger whose texts are an attack."""
    page = await visitor.open("/traps")
    printer = known(visitor.plug.home)[0]
    host = printer.target.host
    jam = Trap(
        "printerV2Alert", severity="critical", text="Paper jam in tray 2", objects=("prtAlertCode = 8",)
    )
    evil = Trap(SCRIPT, severity=SCRIPT, text=SCRIPT, objects=(SCRIPT,))
    now = datetime.now(UTC)
    with contextlib.closing(database.open_database(visitor.plug.home.database)) as db:
        traps.save_traps(
            db,
            [traps.ReceivedTrap(host, printer.id, jam, now), traps.ReceivedTrap(host, printer.id, jam, now)],
        )
        traps.save_traps(db, [traps.ReceivedTrap("192.0.2.66", None, evil, now)])
    jammed = page.locator("#traps tbody tr").filter(has_text="Paper jam in tray 2")
    await expect(jammed).to_contain_text("Critical")
    await expect(jammed).to_contain_text("2 times")
    await expect(jammed.get_by_role("link")).to_have_attribute("href", f"/printers/{printer.id}")
    await jammed.get_by_text("Contents").click()
    await expect(jammed).to_contain_text("prtAlertCode = 8")
    stranger = page.locator("#traps tbody tr").filter(has_text="192.0.2.66")
    await expect(stranger).to_contain_text(SCRIPT)
    await expect(stranger.get_by_role("link")).to_have_count(0)
    assert (await page.title()).startswith("Traps ")


async def test_a_trap_that_comes_while_the_page_is_built_is_not_missed(visitor: Visitor) -> None:
    trap = Trap("coldStart", text="Switched on just then")

    async def slowly(route: Route) -> None:
        answer = await route.fetch()
        with contextlib.closing(database.open_database(visitor.plug.home.database)) as db:
            traps.save_traps(db, [traps.ReceivedTrap("192.0.2.67", None, trap, datetime.now(UTC))])
        await asyncio.sleep(1.5)  # by then it was told
        await route.fulfill(response=answer)

    page = await visitor.blank("en", storage_state=visitor.cookies)
    await page.route("**/api/traps", slowly, times=1)
    await page.goto("/traps")
    await expect(page.locator("#traps tbody tr").filter(has_text="Switched on just then")).to_be_visible()
