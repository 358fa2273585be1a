"""The system: names and language, password, backup and restore, metrics, support."""

from pathlib import Path

from playwright.async_api import Browser, expect

from appliance.settings import schema
from tests.browser.conftest import Visitor, filled, log_in, saved
from tests.browser.plug import PASSWORD, empty, serving


async def test_name_and_language(visitor: Visitor) -> None:
    before = schema.load_settings(visitor.plug.home)
    page = await visitor.open("/system")
    await page.get_by_label("Name of this Plug").fill("no good name")
    await page.locator("#names").get_by_role("button", name="Save").click()
    await expect(page.locator("#names .problem")).to_be_visible()
    await page.get_by_label("Name of this Plug").fill("plug-7")
    await page.get_by_label("Site").fill("Bürgi & Söhne <b>")
    await page.get_by_label("Language", exact=True).select_option("de")
    await page.locator("#names").get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Name dieses Plugs")).to_have_value("plug-7")
    await expect(page.locator("#whose")).to_have_text("Bürgi & Söhne <b> · plug-7")
    assert schema.load_settings(visitor.plug.home).plug.language == "de"
    other = await visitor.open("/")
    assert await other.inner_text("h1") == "Übersicht", "the setting holds for who has not chosen"
    schema.save_settings(visitor.plug.home, before)


async def test_password_is_changed(chromium: Browser, tmp_path: Path) -> None:
    async with serving(empty(tmp_path)) as plug:
        visitor = Visitor(chromium, plug, await log_in(chromium, plug))
        page = await visitor.open("/system")
        form = page.locator("#password")
        await form.get_by_label("Current password").fill("wrong wrong wrong")
        await form.get_by_label("New password", exact=True).fill("another password")
        await form.get_by_label("New password again").fill("another passw0rd")
        await form.get_by_role("button").click()
        await expect(form.locator(".problem")).to_have_text("The passwords do not match.")
        await form.get_by_label("New password again").fill("another password")
        await form.get_by_role("button").click()
        await expect(form.locator(".problem")).to_have_text("is not the current password.")
        await form.get_by_label("Current password").fill(PASSWORD)
        await form.get_by_role("button").click()
        await expect(page.get_by_text("The password was changed.")).to_be_visible()
        await log_in(chromium, plug, "another password")
        await page.context.close()
        visitor.expect("422")
        visitor.check()


async def test_backup_is_made_and_restored(visitor: Visitor, tmp_path: Path) -> None:
    before = schema.load_settings(visitor.plug.home)
    page = await visitor.open("/system", "de")
    backup, restore = page.locator("#backup"), page.locator("#restore")
    await backup.get_by_label("Passwort für die Datei").fill("short")
    await backup.get_by_role("button").click()
    await expect(backup.locator(".problem")).to_contain_text("Mindestens 10 Zeichen")
    await backup.get_by_label("Passwort für die Datei").fill("long enough now")
    async with page.expect_download() as started:
        await backup.get_by_role("button").click()
    file = tmp_path / "backup.zip"
    await (await started.value).save_as(file)
    await page.get_by_label("Standort").fill("Elsewhere")
    await page.locator("#names").get_by_role("button", name="Speichern").click()
    await expect(page.locator("#whose")).to_contain_text("Elsewhere")
    await restore.get_by_label("Sicherungsdatei").set_input_files(file)
    await restore.get_by_label("Passwort der Datei").fill("not the password")
    await restore.get_by_role("button", name="Wiederherstellen").click()
    await page.get_by_role("dialog").get_by_role("button", name="Wiederherstellen").click()
    await expect(restore.locator(".problem")).to_have_text("öffnet diese Sicherung nicht.")
    await restore.get_by_label("Passwort der Datei").fill("long enough now")
    await restore.get_by_role("button", name="Wiederherstellen").click()
    await page.get_by_role("dialog").get_by_role("button", name="Wiederherstellen").click()
    await expect(page.get_by_label("Standort")).to_have_value(before.plug.site)
    assert schema.load_settings(visitor.plug.home).plug.site == before.plug.site
    schema.save_settings(visitor.plug.home, before)
    visitor.expect("422")


async def test_metrics_and_support(visitor: Visitor) -> None:
    page = await visitor.open("/system")
    await page.get_by_role("button", name="Switch on").click()
    token = await page.inner_text("#token code")
    assert token == schema.load_settings(visitor.plug.home).web.metrics_token
    await page.get_by_role("button", name="Switch off").click()
    await page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    await expect(page.locator("#token")).to_be_empty()
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download the support bundle").click()
    assert (await saved(await started.value)).startswith(b"PK")


async def test_typing_survives_a_change_by_somebody_else(visitor: Visitor) -> None:
    before = schema.load_settings(visitor.plug.home)
    page = await visitor.open("/system")
    other = await visitor.open("/system")
    await page.get_by_label("Site").fill("half a sen")
    await other.get_by_label("Site").fill("by somebody else")
    await other.locator("#names").get_by_role("button", name="Save").click()
    await expect(page.locator("#whose")).to_contain_text("by somebody else")
    await expect(page.get_by_label("Site")).to_have_value("half a sen")
    schema.save_settings(visitor.plug.home, before)
    await page.reload()
    await filled(page)


async def test_a_factory_reset_is_typed(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    home = empty(tmp_path / "var/lib/printmonitor")
    async with serving(home, root=tmp_path) as plug:
        visitor = Visitor(chromium, plug, await log_in(chromium, plug))
        page = await visitor.open("/system")
        form = page.locator("#reset")
        await form.get_by_label("To be sure, type the Plug's name").fill("another plug")
        await form.get_by_role("button", name="Delete everything").click()
        await expect(form.locator(".problem")).to_have_text("is not the name of this Plug.")
        assert not list((home.run / "requests").glob("*.json"))
        await form.get_by_label("To be sure, type the Plug's name").fill(schema.load_settings(home).plug.name)
        await form.get_by_role("button", name="Delete everything").click()
        await expect(page.get_by_text("All data is deleted and the Plug restarts.")).to_be_visible()
        (order,) = (home.run / "requests").glob("*.json")
        assert order.read_text() == '{"do": "factory-reset"}'
        await page.context.close()
        visitor.expect("422")
        visitor.check()


async def test_elsewhere_there_is_no_factory_reset(visitor: Visitor) -> None:
    page = await visitor.open("/system")
    await expect(page.locator("#about")).to_be_visible()
    await expect(page.locator("#reset-card")).to_be_hidden()
