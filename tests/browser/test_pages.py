"""Every page in both languages, light and dark: it says what it is, fits, stands still, axe finds nothing."""

import json
import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.async_api import Page

from tests.browser.conftest import Visitor, filled

PAGES = {
    "/": ("Overview", "Übersicht"),
    "/printers": ("Printers", "Drucker"),
    "/printers/2": ("LANIER MP C305", "LANIER MP C305"),
    "/discovery": ("Discovery", "Suche"),
    "/transmission": ("Transmission", "Übertragung"),
    "/traps": ("Traps", "Traps"),
    "/services": ("Services", "Dienste"),
    "/network": ("Network", "Netzwerk"),
    "/updates": ("Updates", "Updates"),
    "/system": ("System", "System"),
}
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
KEYS = set(json.loads((Path(__file__).parents[2] / "webui/i18n/en.json").read_text()))
MOST_BYTES = 150_000
SHIFTS = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
    .observe({ type: 'layout-shift', buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
})"""


async def axe(page: Page, rules: str = "") -> list[str]:
    """What axe finds, one line each; with all rules, or with those of a tag or a name."""
    await page.evaluate("source => window.axe || eval(source)", AXE)
    only = {"runOnly": [rules]} if rules else {}
    found = await page.evaluate("only => axe.run({ resultTypes: ['violations'], ...only })", only)
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary', '')}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def unfinished(text: str) -> list[str]:
    """What nobody should read: keys instead of texts, values that are none."""
    keys = sorted(set(re.split(r"\s+", text)) & {key for key in KEYS if "." in key})
    return keys + re.findall(r"\{\w+\}|undefined|\bNaN\b|\bnull\b|\[object", text)


@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_page(visitor: Visitor, language: str) -> None:
    """In the language of the browser, for everyone, light and dark."""
    page = await visitor.open("/", language, bypass_csp=True)  # axe itself comes from outside
    for path, headings in PAGES.items():
        await page.goto(path)
        await filled(page)
        heading = headings[language == "de"]
        assert await page.inner_text("h1") == heading
        assert await page.get_attribute("html", "lang") == language
        assert heading in await page.title()
        assert unfinished(await page.inner_text("body")) == [], path
        assert await axe(page) == [], path
        if language == "de":  # what is dark differs in its colours alone
            await page.emulate_media(color_scheme="dark")
            assert await axe(page, "color-contrast") == [], f"{path}, dark"
            await page.emulate_media(color_scheme="light")


async def test_axe_would_find_something(visitor: Visitor) -> None:
    page = await visitor.open("/traps", bypass_csp=True)
    await page.evaluate("""() => {
        document.querySelector('label[for=port]').remove();
        document.querySelector('.lead').style.color = '#ddd';
    }""")
    assert {line.partition(":")[0] for line in await axe(page)} == {"label", "color-contrast"}


async def test_nothing_sticks_out(visitor: Visitor) -> None:
    page = await visitor.open("/")
    for path in PAGES:
        await page.goto(path)
        await filled(page)
        for width in (320, 360, 768, 1024, 3840):
            await page.set_viewport_size({"width": width, "height": 900})
            wide = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is {wide} pixels too wide at {width}"


@pytest.mark.parametrize("path", ["/", "/printers", "/printers/2", "/system"])
async def test_first_view_is_small_and_stands_still(visitor: Visitor, path: str) -> None:
    page = await visitor.blank(storage_state=visitor.cookies)
    sizes = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()))
    await page.goto(path)
    await filled(page)
    assert await page.evaluate(SHIFTS) < 0.01
    measured = [await size for size in sizes]
    loaded = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in measured)
    print(f"{path}: {loaded:,} bytes")
    assert 10_000 < loaded < MOST_BYTES


async def test_without_javascript_a_page_says_what_it_needs(visitor: Visitor) -> None:
    page = await visitor.blank(storage_state=visitor.cookies, java_script_enabled=False)
    await page.goto("/printers")
    assert "needs JavaScript" in await page.inner_text("body")


async def test_printers_page_is_made_for_paper(visitor: Visitor) -> None:
    page = await visitor.open("/printers/2")
    await page.emulate_media(media="print")
    assert await page.is_visible("#supplies")
    for gone in ("#side", "#bar", "#read", "#group"):
        assert not await page.is_visible(gone)


async def test_back_leads_back(visitor: Visitor) -> None:
    page = await visitor.open("/printers?state=warning&sort=pages&down=")
    first = await page.inner_text("#rows tr:first-child")
    await page.click("#rows tr:first-child a")
    await page.wait_for_url("**/printers/*")
    await page.go_back()
    await page.wait_for_selector("#rows tr")
    assert await page.inner_text("#rows tr:first-child") == first
