"""The first steps: after the first login, by keyboard alone, left and gone on with, not offered twice."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from appliance.host import network_info
from appliance.settings import schema
from tests import children
from tests.browser.conftest import Visitor, arrive, filled, log_in
from tests.browser.plug import empty, serving
from tests.browser.test_login import NEW
from tests.browser.test_login import log_in as type_login
from tests.browser.test_pages import axe, unfinished
from tests.fakes.agent import Agent
from tests.fakes.lan import Lan, fill

STEPS = ("site", "range", "schedule", "transmission", "licence", "finish")


async def at(page: Page, step: str) -> None:
    """This step is shown, alone, and has the keyboard."""
    await expect(page.locator(f"#step-{step} h2")).to_be_focused()
    assert await page.locator("[id^=step-]:visible").count() == 1
    await expect(page.locator("[aria-current=step]")).to_have_attribute("href", f"#at-{step}")


async def type_into(page: Page, field: str, text: str) -> None:
    """Go there by Tab, and type."""
    for _ in range(30):
        if await page.evaluate("document.activeElement.name") == field:
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Control+A")
    await page.keyboard.type(text)


async def press(page: Page, name: str) -> None:
    """Go to a button by Tab, and press it."""
    for _ in range(30):
        if await page.evaluate("document.activeElement.textContent") == name:
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")


async def test_first_login_leads_through_the_steps_by_keyboard_alone(
    chromium: Browser, tmp_path: Path
) -> None:
    home = empty(tmp_path, factory=True)
    with children.running(children.printmonitor("poller", state=home.folder)):
        async with serving(home) as plug, Agent() as agent:
            fill(Lan(agent), 3, first="127.24.0.1")
            visitor = Visitor(chromium, plug, {})
            page = await visitor.blank()
            await page.goto("/")
            await type_login(page, "printmonitor")
            await arrive(page, "/password")
            for field, text in (("current", "printmonitor"), ("new", NEW), ("again", NEW)):
                await page.fill(f"[name={field}]", text)
            await page.keyboard.press("Enter")
            await arrive(page, "/guide")
            await filled(page)
            await type_into(page, "site", "Muster AG, Bern")
            await page.keyboard.press("Enter")
            await at(page, "range")
            own = network_info.detect_lan_network()
            await expect(page.locator("#addresses")).to_have_value(f"{own[1]}-{own[-2]}" if own else "")
            await type_into(page, "addresses", "127.24.0.300")
            await page.keyboard.press("Enter")
            await expect(page.locator("[name=addresses]")).to_be_focused()
            await expect(page.locator("#addresses-problem")).to_contain_text("127.24.0.300")
            await type_into(page, "addresses", "127.24.0.1-127.24.0.4")
            await page.keyboard.press("Enter")
            await at(page, "schedule")
            await type_into(page, "amount", "3")
            await page.keyboard.press("Enter")
            await at(page, "transmission")
            await page.reload()  # whoever leaves goes on where they were
            await filled(page)
            await expect(page.locator("#step-transmission")).to_be_visible()
            await press(page, "Skip")
            await at(page, "licence")
            await press(page, "Go on")
            await at(page, "finish")
            now = schema.load_settings(home)
            assert now.plug.site == "Muster AG, Bern"
            assert now.schedule.query_every[:1] == "3"
            assert [entry.addresses for entry in now.discovery.entries] == ["127.24.0.1-127.24.0.4"]
            assert now.transmission.mode == "off"
            here = tuple(replace(entry, port=agent.port) for entry in now.discovery.entries)
            schema.save_settings(home, replace(now, discovery=replace(now.discovery, entries=here)))
            await press(page, "Look for printers now")
            await expect(page.locator("#run progress, #found ul").first).to_be_visible()
            await expect(page.locator("#found li")).to_have_count(3, timeout=30_000)
            await expect(page.locator("#test")).to_be_disabled()
            await press(page, "To the overview")
            await arrive(page, "/")
            await filled(page)
            visitor.expect("422")
            visitor.check()
            await page.context.close()


async def test_steps_are_not_offered_again_to_who_left_them(chromium: Browser, tmp_path: Path) -> None:
    async with serving(empty(tmp_path)) as plug:
        visitor = Visitor(chromium, plug, await log_in(chromium, plug))
        page = await visitor.blank("de", storage_state=visitor.cookies)
        await page.goto("/")
        await arrive(page, "/guide")
        await filled(page)
        await page.get_by_role("button", name="Erste Schritte beenden").click()
        await arrive(page, "/")
        await filled(page)
        await page.get_by_role("link", name="Schritt für Schritt einrichten").click()
        await arrive(page, "/guide")
        await page.context.close()
        visitor.check()


async def test_a_plug_that_is_set_up_does_not_ask(visitor: Visitor) -> None:
    page = await visitor.open("/")
    assert await page.inner_text("h1") == "Overview"


@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_step_is_for_everyone(visitor: Visitor, language: str) -> None:
    page = await visitor.open("/guide", language, bypass_csp=True, width=360)
    for step in STEPS:
        await page.evaluate("step => { location.hash = `at-${step}`; }", step)
        await at(page, step)
        assert unfinished(await page.inner_text("body")) == [], step
        if language == "de":  # what axe looks at is the same in English
            assert await axe(page) == [], step
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), step


async def test_a_test_delivery_ends_the_steps(visitor: Visitor) -> None:
    page = await visitor.open("/guide#at-finish", "de")
    await page.get_by_role("button", name="Übertragung testen").click()
    await expect(page.locator("#tested")).to_contain_text("Alles funktioniert", timeout=30_000)
