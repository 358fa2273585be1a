"""The import list: seen before it counts, insisted on where it is doubtful, bad lines by their numbers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from appliance.domain.model import DiscoveryEntry
from appliance.settings import schema
from tests.browser.conftest import Visitor, log_in
from tests.browser.plug import SCRIPT, empty, serving


@pytest_asyncio.fixture(loop_scope="session")
async def here(chromium: Browser, tmp_path: Path) -> AsyncIterator[Visitor]:
    home = empty(tmp_path, entries=tuple(DiscoveryEntry(f"10.0.0.{n}", source="import") for n in range(1, 5)))
    async with serving(home) as plug:
        visitor = Visitor(chromium, plug, await log_in(chromium, plug))
        yield visitor
        for context in visitor.contexts:
            await context.close()
        visitor.check()


async def look(page: Page, text: str, button: str, exclusions: str = "") -> None:
    """Choose the lists, and ask what they would change."""
    for field, data in (("list", text), ("exclusion-list", exclusions)):
        file: Any = {"name": f"{field}.csv", "mimeType": "text/csv", "buffer": data.encode()}
        await page.set_input_files(f"#{field}", file if data else [])
    await page.get_by_role("button", name=button).click()


def addresses(visitor: Visitor) -> list[str]:
    return [entry.addresses for entry in schema.load_settings(visitor.plug.home).discovery.entries]


async def test_list_is_looked_at_and_imported(here: Visitor) -> None:
    page = await here.open("/discovery", "de")
    lines = f"IP;read;write\n10.0.0.1;other\n10.0.0.2\n10.0.0.3\n10.0.0.9\n10.0.0.7\n{SCRIPT}\n;x\n"
    await look(page, lines, "Vorschau", "10.0.0.7\n")
    preview = page.locator("#preview")
    await expect(page.locator("#preview-title")).to_be_focused()
    for said in (
        "1 Eintrag kommt hinzu",
        "1 Eintrag ändert sich",
        "1 Eintrag fällt weg",
        "Ausschlussliste aus",
    ):
        await expect(preview).to_contain_text(said)
    await expect(preview).to_contain_text("Zeile 7: ")
    await expect(preview).to_contain_text("Zeile 8: in der ersten Spalte steht keine Adresse")
    assert "<script>" in await preview.inner_text()
    assert addresses(here) == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]
    await page.get_by_role("button", name="Importieren", exact=True).click()
    await expect(page.get_by_text("Die Liste wurde importiert.")).to_be_visible()
    assert sorted(addresses(here)) == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9"]
    await expect(page.locator("#entries")).to_contain_text("10.0.0.9")
    await expect(preview).to_be_empty()
    await expect(page.locator("#list")).to_be_focused()


async def test_doubtful_list_is_insisted_on(here: Visitor) -> None:
    page = await here.open("/discovery")
    await look(page, "10.0.0.1\n", "Preview")
    await expect(page.locator("#preview .notice-line")).to_contain_text("lacks 3 of the 4 entries")
    await page.get_by_role("button", name="Import anyway").click()
    await expect(page.get_by_text("The list was imported.")).to_be_visible()
    assert addresses(here) == ["10.0.0.1"]
    await look(page, "10.0.0.1\n", "Preview")
    await expect(page.locator("#preview")).to_contain_text("The list changes nothing.")
    assert await page.locator("[data-key=take-over]").count() == 0
    await page.set_input_files("#list", [])
    await expect(page.locator("#preview"), "it was for another file").to_be_empty()


async def test_what_is_no_list_is_said_beside_its_field(here: Visitor) -> None:
    page = await here.open("/discovery")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.locator("#list-problem")).to_have_text("Please fill this in.")
    await look(page, "x" * 740_001, "Preview")
    await expect(page.locator("#list-problem")).to_contain_text("740 KB")
    assert len(addresses(here)) == 4
