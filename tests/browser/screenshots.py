"""`make screenshots`: every page in light, dark and on a phone, kept in docs/screenshots."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.browser import plug as plugs
from tests.browser.conftest import ARGUMENTS, CHROMIUM, LOCALES, filled, log_in
from tests.browser.plug import Plug

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
PAGES = {
    "overview": "/",
    "printers": "/printers",
    "printer": "/printers/2",
    "discovery": "/discovery",
    "transmission": "/transmission",
    "traps": "/traps",
    "services": "/services",
    "network": "/network",
    "system": "/system",
    "guide": "/guide#at-range",
}
LOOKS = {  # language, colour scheme, width, height
    "light": ("en", "light", 1280, 860),
    "dark": ("de", "dark", 1280, 860),
    "phone": ("en", "light", 375, 740),
}


async def take(folder: Path) -> None:
    """One file for each page and look."""
    async with async_playwright() as playwright, plugs.full(folder) as plug:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for look in LOOKS:
            await _look(browser, plug, look)
        await browser.close()


async def _look(browser: Browser, plug: Plug, look: str) -> None:
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
    for name, path in PAGES.items():
        await page.goto(path)
        await filled(page)
        await page.screenshot(path=FOLDER / f"{name}-{look}.png")
    await context.close()


if __name__ == "__main__":
    if not CHROMIUM.exists():
        sys.exit(f"no {CHROMIUM}: as root, apt-get install chromium")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="printmonitor-screenshots-") as place:
        asyncio.run(take(Path(place)))
