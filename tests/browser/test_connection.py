"""A Plug that goes away is said to be away; one that was restarted asks who is there."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.conftest import PATIENCE, Visitor, arrive, log_in
from tests.browser.plug import empty, serving


async def test_lost_connection_is_said_and_a_restarted_plug_asks_for_the_login(
    chromium: Browser, tmp_path: Path
) -> None:
    home = empty(tmp_path)
    async with serving(home) as plug:
        visitor = Visitor(chromium, plug, await log_in(chromium, plug))
        page = await visitor.open("/traps", "de")
        await expect(page.locator("#lost")).to_be_empty()
    await expect(page.locator("#lost")).to_contain_text(
        "Verbindung zum Plug ist unterbrochen", timeout=PATIENCE
    )
    async with serving(home, int(plug.base.rpartition(":")[2])):
        await arrive(page, "/login")
        assert "next=%2Ftraps" in page.url
        await page.context.close()
    visitor.expect("ERR_CONNECTION")
    visitor.expect("WebSocket connection")
    visitor.expect("401")
    visitor.check()
