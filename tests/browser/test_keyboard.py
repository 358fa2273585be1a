"""With the keyboard alone: the skip link, the pages, a dialog that keeps the focus and gives it back."""

from playwright.async_api import Page, expect

from tests.browser.conftest import Visitor, filled

FOCUSED = """() => {
  const { innerText, ariaLabel, name } = document.activeElement;
  return (innerText || ariaLabel || name || '').trim();
}"""


async def tab_to(page: Page, text: str, most: int = 60) -> None:
    """Press Tab until something with this text is reached, which then shows that it is."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        if text in await page.evaluate(FOCUSED):
            outline = await page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{text}: nothing shows where the keyboard is"
            return
    raise AssertionError(f"{text}: not reached with {most} times Tab")


async def test_skip_link_leads_past_the_navigation(visitor: Visitor) -> None:
    page = await visitor.open("/discovery")
    await page.keyboard.press("Tab")
    assert await page.evaluate(FOCUSED) == "Skip to the content"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await page.evaluate(FOCUSED) == "Add"


async def test_printer_is_found_and_forget_can_be_refused(visitor: Visitor) -> None:
    page = await visitor.open("/")
    await tab_to(page, "Printers")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/printers")
    await filled(page)
    await page.focus("#search")
    await page.keyboard.type("xerox")
    await tab_to(page, "Xerox")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/printers/*")
    await filled(page)
    await tab_to(page, "Delete")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    for _ in range(5):  # the dialog keeps the keyboard, apart from the browser's own bars
        await page.keyboard.press("Tab")
        assert await page.evaluate("() => !document.activeElement.closest('main')")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert await page.evaluate(FOCUSED) == "Delete"


async def test_entry_is_added_by_keyboard(visitor: Visitor) -> None:
    page = await visitor.open("/discovery", "de")
    await tab_to(page, "Hinzufügen")
    await page.keyboard.press("Enter")
    await page.keyboard.type("127.0.0.300")
    await page.keyboard.press("Enter")
    await expect(page.locator("#addresses-problem")).to_contain_text("127.0.0.300")
    await page.keyboard.press("Escape")
    assert await page.evaluate(FOCUSED) == "Hinzufügen"
    visitor.expect("422")


async def test_menu_on_a_phone(visitor: Visitor) -> None:
    page = await visitor.open("/", width=360)
    await expect(page.locator("#side")).to_be_hidden()
    await page.get_by_role("button", name="Menu").press("Enter")
    await expect(page.get_by_role("link", name="Discovery").first).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#side")).to_be_hidden()
    await expect(page.get_by_role("button", name="Menu")).to_be_focused()
