"""The way in: the form, the factory password that has to be changed, with and without JavaScript."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Visitor, arrive
from tests.browser.plug import PASSWORD, empty, serving

NEW = "a much better password"


async def log_in(page: Page, password: str) -> None:
    await page.fill("[name=username]", "admin")
    await page.fill("[name=password]", password)
    await page.press("[name=password]", "Enter")


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
async def test_first_login_leads_to_a_new_password_and_to_nothing_else(
    chromium: Browser, tmp_path: Path, scripts: bool
) -> None:
    async with serving(empty(tmp_path, factory=True)) as plug:
        visitor = Visitor(chromium, plug, {})
        page = await visitor.blank(java_script_enabled=scripts)
        await page.goto("/printers")
        await arrive(page, "/login")
        await log_in(page, "printmonitor")
        await arrive(page, "/password")
        await page.goto("/system")
        await arrive(page, "/password")
        await page.fill("[name=current]", "printmonitor")
        await page.fill("[name=new]", NEW)
        await page.fill("[name=again]", NEW)
        await page.press("[name=again]", "Enter")
        await arrive(page, "/guide" if scripts else "/")
        if scripts:
            await page.get_by_role("button", name="Leave the first steps").click()
            await arrive(page, "/")
            await expect(page.get_by_role("heading", name="No printers yet")).to_be_visible()
            await page.get_by_role("button", name="Log out").click()
            await arrive(page, "/login")
            await log_in(page, NEW)
            await arrive(page, "/")
        await page.context.close()
        visitor.check()


@pytest.mark.parametrize(
    ("language", "said"), [("en", "User name or password is wrong"), ("de", "Benutzername oder Passwort")]
)
async def test_wrong_password_is_said(visitor: Visitor, language: str, said: str) -> None:
    page = await visitor.blank(language)
    await page.goto("/system")
    await log_in(page, "not the password")
    await expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    await log_in(page, PASSWORD)
    await arrive(page, "/system")


async def test_session_that_ends_leads_to_the_login(visitor: Visitor) -> None:
    page = await visitor.blank()
    await page.goto("/login")
    await log_in(page, PASSWORD)
    await arrive(page, "/")
    await page.goto("/printers")
    await page.wait_for_selector("#rows tr")
    await page.request.delete("/api/session", headers={"Origin": visitor.plug.base})
    await arrive(page, "/login")
    assert "next=%2Fprinters" in page.url
    visitor.expect("401")
