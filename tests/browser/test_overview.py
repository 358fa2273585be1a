"""The overview: what needs somebody, a run that goes on, and what follows from it without a reload."""

from playwright.async_api import expect

from tests.browser.conftest import Visitor


async def test_what_needs_somebody_leads_there(visitor: Visitor) -> None:
    page = await visitor.open("/")
    attention = page.locator("#attention li")
    await expect(attention.filter(has_text="was refused by the receiver")).to_be_visible()
    await expect(attention.filter(has_text="<script>")).to_be_visible()
    await page.click(".tile:has-text('Warning')")
    await page.wait_for_url("**/printers?state=warning")
    await expect(page.get_by_role("radio", name="Warning")).to_be_checked()


async def test_run_is_started_and_watched(visitor: Visitor) -> None:
    page = await visitor.open("/", "de")
    await page.evaluate("() => { window.stayed = true; }")
    await page.get_by_role("button", name="Alle Drucker jetzt abfragen").click()
    await expect(page.locator("#run progress")).to_be_visible()
    await expect(page.locator("#run progress")).to_have_count(0, timeout=30_000)
    await expect(page.locator("#runs")).to_contain_text("Drucker gelesen")
    assert await page.evaluate("() => window.stayed"), "the page was not loaded again"
