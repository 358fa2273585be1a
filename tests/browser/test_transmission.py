"""The transmission: settings whose secrets are never read back, the test step by step, the outbox."""

import re

from playwright.async_api import expect

from appliance.settings import schema
from tests.browser import plug as plugs
from tests.browser.conftest import Visitor, saved


async def test_settings_are_saved_and_secrets_stay_secret(visitor: Visitor) -> None:
    before = schema.load(visitor.plug.home)
    page = await visitor.open("/transmission")
    form = page.locator("#transmission")
    assert before.transmission.key not in await page.content()
    await expect(form.get_by_label("Transmission key")).to_have_attribute(
        "placeholder", re.compile("^set .* leave empty")
    )
    await form.get_by_label("URL of the receiver").fill("ftp://example.test")
    await form.get_by_role("button", name="Save").click()
    await expect(form.locator(".problem")).to_be_visible()
    await expect(form.get_by_label("URL of the receiver")).to_have_value("ftp://example.test")
    await form.get_by_role("radio", name="Mail Where").check()
    await expect(form.get_by_label("URL of the receiver")).to_be_hidden()
    await form.get_by_role("radio", name="HTTPS To").check()
    await form.get_by_label("URL of the receiver").fill("https://example.test/parcels")
    await form.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    now = schema.load(visitor.plug.home).transmission
    assert now.https.url == "https://example.test/parcels"
    assert now.key == before.transmission.key
    schema.save(visitor.plug.home, before)
    visitor.expect("422")


async def test_key_is_removed_after_a_question(visitor: Visitor) -> None:
    before = schema.load(visitor.plug.home)
    page = await visitor.open("/transmission", "de")
    await page.locator("[data-forget=key]").click()
    await page.get_by_role("dialog").get_by_role("button", name="Entfernen").click()
    await expect(page.get_by_label("Übertragungsschlüssel")).to_have_attribute("placeholder", "nicht gesetzt")
    assert schema.load(visitor.plug.home).transmission.key == ""
    schema.save(visitor.plug.home, before)


async def test_transmission_is_tried_step_by_step(visitor: Visitor) -> None:
    page = await visitor.open("/transmission")
    await page.get_by_role("button", name="Test the transmission").click()
    await expect(page.locator("#tested")).to_contain_text("Everything works.", timeout=30_000)
    assert await page.locator(".steps-tried .good").count() >= 5


async def test_step_that_fails_is_named_with_advice(visitor: Visitor) -> None:
    before = schema.load(visitor.plug.home)
    page = await visitor.open("/transmission", "de")
    await page.get_by_label("URL des Empfängers").fill("https://127.0.0.1:9/parcels")
    await page.locator("#transmission").get_by_role("button", name="Speichern").click()
    await expect(page.get_by_text("Gespeichert.")).to_be_visible()
    await page.get_by_role("button", name="Übertragung testen").click()
    failed = page.locator(".steps-tried .bad")
    await expect(failed).to_contain_text("Port öffnet sich", timeout=30_000)
    await expect(failed).to_contain_text("Ist eine Firewall dazwischen?")
    schema.save(visitor.plug.home, before)


async def test_refused_parcel_is_downloaded_and_sent_again(visitor: Visitor) -> None:
    plugs.refuse_parcel(visitor.plug.home, "printmonitor-4f2a91-again")  # its own: others look at the first
    page = await visitor.open("/transmission")
    line = page.locator("#outbox tbody tr").filter(has_text="printmonitor-4f2a91-again")
    await expect(line).to_contain_text("the receiver cannot read it")
    async with page.expect_download() as started:
        await line.get_by_role("link", name="Download").click()
    assert await saved(await started.value) == b"not really a ZIP"
    await line.get_by_role("button", name="Send again").click()
    await expect(line).to_contain_text(re.compile("waits|delivered"))
