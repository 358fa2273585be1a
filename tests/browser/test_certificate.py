"""The page's certificate, over HTTPS: an own one is used, refused beside its field, and given up again."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.conftest import Visitor, log_in
from tests.browser.plug import empty, serving
from tests.web.test_system import issued


async def test_own_certificate_is_used_and_given_up(chromium: Browser, tmp_path: Path) -> None:
    async with serving(empty(tmp_path), tls=True) as plug:
        visitor = Visitor(chromium, plug, await log_in(chromium, plug))
        page = await visitor.open("/system")
        shown = page.locator("#certificate")
        await expect(shown).to_contain_text("this Plug itself")
        first = await shown.locator("code").inner_text()
        certificate, key = issued("plug.company.example")
        _, other_key = issued("plug.company.example")
        await page.get_by_text("Use a certificate of your own").click()
        await page.get_by_label("Certificate (PEM)").fill(certificate)
        await page.get_by_label("Private key (PEM)").fill(other_key)
        await page.get_by_role("button", name="Use it").click()
        await expect(page.locator("#own .problem")).to_be_visible()
        await expect(page.get_by_label("Certificate (PEM)")).to_have_value(certificate)
        await page.get_by_label("Private key (PEM)").fill(key)
        await page.get_by_role("button", name="Use it").click()
        await expect(shown).to_contain_text("plug.company.example")
        await expect(page.get_by_label("Private key (PEM)")).to_have_value("")
        await page.get_by_role("button", name="Back to a self-signed one").click()
        await page.get_by_role("dialog").get_by_role("button", name="Back to").click()
        await expect(shown).to_contain_text("this Plug itself")
        assert await shown.locator("code").inner_text() != first
        await page.context.close()
        visitor.expect("422")
        visitor.check()
