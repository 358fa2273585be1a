"""The licence on the page of the system: by file, by code, refused with the reason beside the field."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from appliance.settings import schema
from appliance.settings.schema import Home
from tests.browser.conftest import Visitor, log_in, saved
from tests.browser.plug import SCRIPT, empty, serving
from tests.licensing.licences import HOUR, NOW
from tests.provider import server
from tests.provider.authority import Authority
from tests.provider.server import Offer

CODE = "code-4711"
UPLOAD = "https://127.0.0.1/parcels"


@pytest.fixture
def home(tmp_path: Path, authority: Authority) -> Home:
    """A Plug that believes this vendor, and trusts its server."""
    made = empty(tmp_path / "plug")
    now = schema.load_settings(made)
    https = replace(now.transmission.https, ca_file=str(authority.ca_file))
    schema.save_settings(made, replace(now, transmission=replace(now.transmission, https=https)))
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def system(chromium: Browser, home: Home) -> AsyncIterator[Visitor]:
    async with serving(home) as plug:
        visitor = Visitor(chromium, plug, await log_in(chromium, plug))
        yield visitor
        for context in visitor.contexts:
            await context.close()
        visitor.check()


def licence(authority: Authority, asked: bytes, customer: str = "Example AG") -> bytes:
    known = {"customer": customer, "printers": 50, "upload_url": UPLOAD, "transmission_key": "a-secret-key"}
    return authority.licence(asked, known, NOW - HOUR, NOW + timedelta(days=365))


async def upload(page: Page, name: str, data: bytes, button: str) -> None:
    await page.locator("#licence-file").set_input_files({"name": name, "mimeType": "", "buffer": data})
    await page.get_by_role("button", name=button, exact=True).click()


async def test_by_file(system: Visitor, authority: Authority) -> None:
    page = await system.open("/system", "de")
    async with page.expect_download() as started:
        await page.get_by_role("button", name="Anforderung herunterladen").click()
    asked = await saved(await started.value)
    assert asked.startswith(b"-----BEGIN CERTIFICATE REQUEST")
    await expect(page.locator("#licence-facts")).to_contain_text("angefordert")
    await upload(page, "hello.txt", b"hello", "Installieren")
    await expect(page.locator("#licence-file-problem")).to_contain_text("keine Lizenzdatei")
    await expect(page.locator("#licence-file")).to_be_focused()
    await upload(page, "licence.pem", licence(authority, asked, SCRIPT), "Installieren")
    await expect(page.get_by_text("Die Lizenz ist installiert.")).to_be_visible()
    facts = page.locator("#licence-facts")
    await expect(facts).to_contain_text(SCRIPT)
    await expect(facts).to_contain_text("Gültig bis")
    await expect(page.locator("#licence-means")).to_contain_text("Es ist nichts zu tun")
    assert (await page.title()).startswith("System ")
    system.expect("422")


async def test_by_code(system: Visitor, authority: Authority) -> None:
    async with server.Enrolment(authority, {CODE}, Offer(UPLOAD)) as provider:
        page = await system.open("/system")
        await page.get_by_label("Address of the provider").fill("no address")
        await page.get_by_role("button", name="Get the licence").click()
        await expect(page.locator("#enrolment-url-problem")).to_have_text(
            "An address that begins with https://."
        )
        await page.get_by_label("Address of the provider").fill(provider.url)
        await page.get_by_label("Code").fill("guessed")
        await page.keyboard.press("Enter")
        await expect(page.locator("#enrolment .problem")).to_contain_text("unknown enrolment code")
        await page.get_by_label("Code").fill(CODE)
        await page.keyboard.press("Enter")
        await expect(page.locator("#licence-facts")).to_contain_text("Example AG")
        await expect(page.get_by_text("The licence of Example AG is installed.")).to_be_visible()
        await page.get_by_role("button", name="Renew now").click()
        await expect(page.get_by_text("The licence of Example AG is installed.")).to_have_count(2)
        assert [status for _, _, status in provider.asked] == [403, 200, 200]
