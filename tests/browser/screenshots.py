"""`make screenshots`: every page in light, dark and on a phone, in docs/screenshots; PAGES= names some."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.browser import plug as plugs
from tests.browser.conftest import ARGUMENTS, CHROMIUM, LOCALES, filled, log_in
from tests.browser.plug import Plug
from tests.browser.test_network import Box
from tests.browser.test_updates import on_a_box

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
PAGES = {
    "overview": "/",
    "printers": "/printers",
    "printer": "/printers/2",
    "discovery": "/discovery",
    "transmission": "/transmission",
    "traps": "/traps",
    "services": "/services",
    "system": "/system",
    "guide": "/guide#at-range",
}
ON_A_BOX = {"network": "/network", "updates": "/updates"}  # elsewhere they have little to show
LOOKS = {  # language, colour scheme, width, height
    "light": ("en", "light", 1280, 860),
    "dark": ("de", "dark", 1280, 860),
    "phone": ("en", "light", 375, 740),
}


async def take(folder: Path, names: set[str]) -> None:
    """One file for each page of these names and each look."""
    (folder / "full").mkdir()
    async with async_playwright() as playwright, plugs.full(folder / "full") as plug:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        async with on_a_box(browser, folder / "box") as visitor:
            for look in LOOKS:
                for where, pages in ((plug, PAGES), (visitor.plug, ON_A_BOX)):
                    wanted = {name: path for name, path in pages.items() if name in names}
                    await _look(browser, where, look, wanted)
        await browser.close()


async def _look(browser: Browser, plug: Plug, look: str, pages: dict[str, str]) -> None:
    language, scheme, width, height = LOOKS[look]
    context = await browser.new_context(
        base_url=plug.base,
        locale=LOCALES[language],
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        storage_state=await log_in(browser, plug),  # type: ignore[arg-type]
    )
    page = await context.new_page()
    if pages.keys() & ON_A_BOX:
        await Box().stand_in(page)
    for name, path in pages.items():
        await page.goto(path)
        await filled(page)
        await page.screenshot(path=FOLDER / f"{name}-{look}.png")
    await context.close()


if __name__ == "__main__":
    if not CHROMIUM.exists():
        sys.exit(f"no {CHROMIUM}: as root, apt-get install chromium")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="printmonitor-screenshots-") as place:
        asyncio.run(take(Path(place), set(sys.argv[1:]) or {*PAGES, *ON_A_BOX}))
