"""The discovery: entries, their test, a run with what it found, schedule and exclusions."""

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from appliance.settings import schema
from appliance.web.mdns_service import MdnsEnvironment
from tests.browser.conftest import Visitor, log_in
from tests.browser.plug import FIRST, SCRIPT, empty, serving
from tests.discovery.on_air import LOOPBACK, WAIT, printer


async def test_entry_is_added_tested_changed_and_removed(visitor: Visitor) -> None:
    plug = visitor.plug
    assert plug.lan
    before = schema.load(plug.home).discovery.entries
    page = await visitor.open("/discovery")
    await page.get_by_role("button", name="Add", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Addresses").fill("127.0.0.1-nonsense")
    await dialog.get_by_role("button", name="Save").click()
    problem = dialog.locator("#addresses-problem")
    await expect(problem).to_contain_text("127.0.0.1-nonsense")
    await expect(dialog.get_by_label("Addresses")).to_be_focused()
    await expect(dialog.get_by_label("Addresses")).to_have_value("127.0.0.1-nonsense")
    await dialog.get_by_label("Addresses").fill(FIRST)
    await dialog.get_by_label("UDP port").fill(str(plug.lan.agent.port))
    await dialog.get_by_role("button", name="Test").click()
    await expect(dialog.locator("#tested")).to_contain_text("1 printer answered.")
    await dialog.get_by_role("button", name="Save").click()
    line = page.locator("#entries tbody tr").filter(has=page.locator(f"b:text-is('{FIRST}')"))
    await expect(line).to_be_visible()
    await line.get_by_role("button", name="Change").click()
    await dialog.get_by_label("Community", exact=True).fill("secret")
    await dialog.get_by_role("button", name="Save").click()
    await expect(line).to_contain_text("secret")
    await line.get_by_role("button", name="Remove").click()
    await page.get_by_role("dialog", name="Remove this entry?").get_by_role("button", name="Remove").click()
    await expect(line).to_have_count(0)
    assert schema.load(plug.home).discovery.entries == before
    visitor.expect("422")


async def test_run_shows_what_it_found_and_what_not(visitor: Visitor) -> None:
    page = await visitor.open("/discovery", "de")
    await page.get_by_role("button", name="Jetzt Drucker suchen").click()
    await expect(page.locator("#run progress")).to_be_visible()
    await expect(page.locator("#run progress")).to_have_count(0, timeout=40_000)
    await expect(page.locator("#which option").first).to_contain_text("Suche nach Druckern")
    await expect(page.locator("#result")).to_contain_text("Adressen gefragt")


@pytest.mark.parametrize(
    ("language", "save", "saved", "wrong"),
    [("en", "Save", "Saved.", "must be"), ("de", "Speichern", "Gespeichert.", "muss")],
)
async def test_schedule_and_exclusions(
    visitor: Visitor, language: str, save: str, saved: str, wrong: str
) -> None:
    before = schema.load(visitor.plug.home)
    page = await visitor.open("/discovery", language)
    schedule = page.locator("#schedule")
    await schedule.locator("[name=discover_at]").fill("25:00")
    await schedule.get_by_role("button", name=save).click()
    await expect(schedule.locator(".problem")).to_be_visible()
    await schedule.locator("[name=discover_at]").fill("03:30, 14:00")
    await schedule.locator("[name=amount]").fill("2")
    await schedule.locator("[name=unit]").select_option("h")
    await schedule.get_by_role("button", name=save).click()
    await expect(page.get_by_text(saved)).to_be_visible()
    limits = page.locator("#limits")
    await limits.locator("[name=exclusions]").fill("10.0.0.1\n\n  00:11:22:33:44:55 \n")
    await limits.get_by_role("button", name=save).click()
    await expect(page.get_by_text(saved)).to_have_count(2)
    now = schema.load(visitor.plug.home)
    assert now.schedule.discover_at == ("03:30", "14:00")
    assert now.schedule.query_every == "2h"
    assert now.discovery.exclusions == ("10.0.0.1", "00:11:22:33:44:55")
    schema.save(visitor.plug.home, before)
    visitor.expect("422")


async def test_printers_that_announce_themselves_are_taken_over(chromium: Browser, tmp_path: Path) -> None:
    name = f"pm-{secrets.token_hex(5)}"  # other tests may be on the same air
    home = empty(tmp_path)
    now = schema.load(home)
    schema.save(home, replace(now, plug=replace(now.plug, name=name, mdns=True)))
    async with (
        printer(f"{name}-p", "192.0.2.40", {"ty": SCRIPT, "note": "Room 3"}, "ipp", "uscan"),
        serving(home, air=MdnsEnvironment(lambda: ("192.0.2.7",), LOOPBACK, check_interval_s=0.05)) as plug,
    ):
        visitor = Visitor(chromium, plug, await log_in(chromium, plug))
        page = await visitor.open("/traps")
        async with asyncio.timeout(WAIT):
            while "192.0.2.40" not in await (await page.request.get("/api/discovery/heard")).text():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await page.goto("/discovery")
        line = page.locator("#heard tbody tr").filter(has_text="192.0.2.40")
        await expect(line).to_contain_text(SCRIPT)
        await expect(line).to_contain_text("Room 3")
        await line.get_by_role("button", name="Add").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_label("Addresses")).to_have_value("192.0.2.40")
        await dialog.get_by_role("button", name="Save").click()
        await expect(line).to_contain_text("is searched already")
        assert [entry.addresses for entry in schema.load(home).discovery.entries] == ["192.0.2.40"]
        await page.context.close()
        visitor.check()
