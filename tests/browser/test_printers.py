"""The list of printers: searched, filtered, sorted; what a device says stays text; 3,000 do not jam it."""

from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Visitor, filled, log_in, saved
from tests.browser.plug import SCRIPT, empty, many, serving

MANY = 3_000


async def told(page: Page) -> list[int]:
    """Pages, of those that say them."""
    texts = await page.locator("td.of-pages").all_inner_texts()
    return [int(text.replace(",", "")) for text in texts if text[0].isdigit()]


async def test_search_filter_and_sort(visitor: Visitor) -> None:
    page = await visitor.open("/printers")
    rows = page.locator("#rows tr")
    everything = await rows.count()
    await page.fill("#search", "lanier")
    await expect(page.locator("#found")).to_contain_text("of")
    assert 0 < await rows.count() < everything
    await page.fill("#search", "no such printer")
    await expect(page.get_by_text("No printer matches.")).to_be_visible()
    await page.fill("#search", "")
    await page.get_by_role("button", name="Pages").click()
    pages = await told(page)
    assert pages == sorted(pages)
    await page.get_by_role("button", name="Pages").click()
    await expect(page.get_by_role("columnheader", name="Pages")).to_have_attribute("aria-sort", "descending")
    pages = await told(page)
    assert pages == sorted(pages, reverse=True)


async def test_addresses_are_sorted_as_numbers(visitor: Visitor) -> None:
    page = await visitor.open("/printers?sort=address")
    shown = await page.locator("td.of-address").all_inner_texts()
    assert shown == sorted(shown, key=lambda text: [int(part) for part in text.split(".")])


async def test_columns_are_chosen_and_stay_chosen(visitor: Visitor) -> None:
    page = await visitor.open("/printers", "de")
    await page.get_by_text("Spalten", exact=True).click()
    await page.get_by_label("MAC-Adresse").check()
    await expect(page.get_by_role("columnheader", name="MAC-Adresse")).to_be_visible()
    await page.reload()
    await filled(page)
    await expect(page.get_by_role("columnheader", name="MAC-Adresse")).to_be_visible()


async def test_list_is_downloaded(visitor: Visitor) -> None:
    page = await visitor.open("/printers", "de")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Als CSV herunterladen").click()
    text = (await saved(await started.value)).decode("utf-8-sig")
    assert text.startswith("id;state;manufacturer")
    assert text.count("\r\n") == 1 + await page.locator("#rows tr").count()


async def test_name_that_is_a_script_is_text(visitor: Visitor) -> None:
    page = await visitor.open("/printers")
    assert SCRIPT in await page.inner_text("#rows")
    await page.get_by_role("link", name="<script>").first.click()
    await filled(page)
    assert await page.inner_text("h1") == SCRIPT
    assert "taken over" not in (await page.title()).removeprefix(SCRIPT)
    assert await page.locator("main script, main img").count() == 0


async def test_three_thousand_printers(chromium: Browser, tmp_path: Path) -> None:
    home = empty(tmp_path)
    many(home, MANY)
    async with serving(home) as plug:
        visitor = Visitor(chromium, plug, await log_in(chromium, plug))
        page = await visitor.open("/printers")
        await expect(page.locator("#found")).to_have_text("3,000 printers")
        ready = await page.evaluate("() => performance.now()")
        assert ready < 5_000, f"{ready:.0f} ms until {MANY} printers are shown"
        took = await page.evaluate("""() => {
            const search = document.querySelector('#search');
            const began = performance.now();
            for (const text of ['S', 'SN', 'SN0', 'SN00', 'SN001', 'SN0012', 'SN00123', 'SN001234']) {
              search.value = text;
              search.dispatchEvent(new Event('input', { bubbles: true }));
              document.body.getBoundingClientRect();
            }
            return (performance.now() - began) / 8;
        }""")
        await expect(page.locator("#rows tr")).to_have_count(1)
        assert took < 250, f"{took:.0f} ms for a letter"
        await page.fill("#search", "")
        await page.get_by_role("button", name="Next").click()
        await expect(page.locator("#where")).to_have_text("101 to 200 of 3,000")
        print(f"{MANY} printers: shown after {ready:.0f} ms, {took:.0f} ms for a letter")
        await page.context.close()
        visitor.check()
