"""The services: elsewhere than on the box there is nothing to press, and it is said why."""

from playwright.async_api import expect

from tests.browser.conftest import Visitor


async def test_page_says_what_it_cannot_do_here(visitor: Visitor) -> None:
    page = await visitor.open("/services", "de")
    for name in ("Lesen", "Traps", "Diese Seite"):
        await expect(page.get_by_role("heading", name=name)).to_be_visible()
    if await page.locator("#services button").count() == 0:
        await expect(page.locator("#elsewhere")).to_be_visible()
