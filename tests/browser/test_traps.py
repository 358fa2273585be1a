"""The trap receiver is switched on and off."""

from playwright.async_api import expect

from appliance import config
from tests.browser.conftest import Visitor


async def test_receiver_is_switched(visitor: Visitor) -> None:
    before = config.load(visitor.plug.home)
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
    traps = config.load(visitor.plug.home).traps
    assert (traps.enabled, traps.port, traps.communities) == (True, 10162, ("public", "other"))
    config.save(visitor.plug.home, before)
    await expect(page.locator("#state")).to_contain_text("aus")
