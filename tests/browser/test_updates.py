"""An update on a box: brought, confirmed, followed, and what came of it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from appliance.domain.messages import Message, to_json
from appliance.privileged import update_trial
from appliance.settings import schema
from appliance.storage import database
from appliance.updates import bundle_store, channel
from tests.browser.conftest import Visitor, log_in
from tests.browser.plug import empty, serving
from tests.browser.test_pages import axe, unfinished

SLOTS = {
    "booted": "A",
    "version": "1.0.0",
    "other": "B",
    "other_version": "",
    "other_state": "good",
    "boot": "1",
}
PROGRESS = {"percent": 0, "step": "", "text": "", "version": "1.1.0", "reboot": "yes", "at": 1_763_000_000}


@asynccontextmanager
async def on_a_box(chromium: Browser, root: Path) -> AsyncIterator[Visitor]:
    (root / "run/systemd/system").mkdir(parents=True)
    home = empty(root / "var/lib/printmonitor")
    async with serving(home, root=root) as plug:
        visitor = Visitor(chromium, plug, await log_in(chromium, plug))
        tell(visitor, "slots", SLOTS)
        yield visitor
        for context in visitor.contexts:
            await context.close()
        visitor.check()


def tell(visitor: Visitor, name: str, what: Mapping[str, object]) -> None:
    """As root does."""
    answers = visitor.plug.home.run / "answers"
    answers.mkdir(exist_ok=True)
    (answers / f"{name}.json").write_text(json.dumps(what))


def orders(visitor: Visitor) -> list[object]:
    return [json.loads(path.read_text()) for path in (visitor.plug.home.run / "requests").glob("*.json")]


async def look(page: Page) -> None:
    """Sooner than the page would by itself."""
    await page.reload()


async def test_elsewhere_there_is_nothing_to_press(visitor: Visitor) -> None:
    page = await visitor.open("/updates")
    await expect(page.locator("#elsewhere")).to_contain_text("not run on a Plug")
    await expect(page.locator("#installing")).to_be_hidden()


async def test_a_file_is_brought_confirmed_and_followed(chromium: Browser, tmp_path: Path) -> None:
    async with on_a_box(chromium, tmp_path) as visitor:
        page = await visitor.open("/updates", bypass_csp=True)
        await expect(page.locator("#now")).to_contain_text("1.0.0")
        await expect(page.locator("#now")).to_contain_text("as it was flashed")
        data = bytes(3_000_000)
        await page.get_by_label("Update file", exact=True).set_input_files(
            {"name": "plug.raucb", "mimeType": "application/octet-stream", "buffer": data}
        )
        await page.get_by_role("button", name="Upload").click()
        await expect(page.locator("#bundle")).to_contain_text("3 MB")
        assert (visitor.plug.home.updates / bundle_store.BUNDLE_FILENAME).read_bytes() == data
        assert await axe(page) == []
        await page.locator("#bundle").get_by_role("button", name="Install").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("restarts at the end")
        await dialog.get_by_role("button", name="Install").click()
        await expect(page.get_by_text("The update is under way.")).to_be_visible()
        assert orders(visitor) == [
            {"do": "update", "source": "upload", "fetch": "no", "older": "no", "reboot": "yes", "action": ""}
        ]
        tell(visitor, "update", {**PROGRESS, "state": "installing", "percent": 40, "step": "Updating slots"})
        await expect(page.locator("#progress")).to_contain_text("40% · Updating slots")
        await expect(page.locator("#progress progress")).to_have_attribute("value", "40")
        await expect(page.locator("#ways")).to_be_hidden()
        assert await axe(page) == []
        tell(visitor, "update", {**PROGRESS, "state": "fetching", "percent": 0})
        await expect(page.locator("#progress")).to_contain_text("fetched before it is installed")
        await expect(page.locator("#ways")).to_be_hidden()
        marker = update_trial.UpdateMarker(
            "1.0.0", "B", "1.1.0", "2026-11-22T02:00:00+00:00", "1", installed=True
        )
        update_trial.write_marker(marker, tmp_path)
        tell(visitor, "update", {**PROGRESS, "state": "installed", "percent": 100})
        await expect(page.locator("#progress")).to_contain_text("Version 1.1.0 is installed")
        await expect(page.locator("#progress")).to_contain_text("The Plug restarts.")


async def test_what_came_of_it_is_told_in_german_too(chromium: Browser, tmp_path: Path) -> None:
    async with on_a_box(chromium, tmp_path) as visitor:
        marker = update_trial.UpdateMarker(
            "1.0.0", "B", "1.1.0", "2026-11-22T02:00:00+00:00", "0", installed=True
        )
        tell(
            visitor, "slots", {**SLOTS, "booted": "B", "version": "1.1.0", "other": "A", "other_state": "bad"}
        )
        update_trial.write_marker(marker, tmp_path)
        page = await visitor.open("/updates", "de", bypass_csp=True)
        await expect(page.locator("#now")).to_contain_text("Auf Probe")
        await expect(page.locator("#now")).to_contain_text("Sie startet nicht")
        told = {"came": "fell back", "at": "2026-11-22T02:20:00+00:00", "booted": "1"}
        (tmp_path / update_trial.OUTCOME_PATH).write_text(
            json.dumps({**told, "trial": {**json.loads((tmp_path / update_trial.MARKER_PATH).read_text())}})
        )
        update_trial.remove_marker(tmp_path)
        refusal = Message("update.other_provider")
        tell(
            visitor,
            "update",
            {**PROGRESS, "state": "refused", "text": refusal, "text_message": to_json(refusal)},
        )
        await look(page)
        await expect(page.locator("#outcome")).to_contain_text("Zur alten Version zurückgekehrt")
        await expect(page.locator("#outcome")).to_contain_text(
            "1.1.0 ist nicht richtig gestartet; 1.0.0 läuft wieder."
        )
        await expect(page.locator("#progress")).to_contain_text("nicht vom Anbieter dieses Plugs")
        assert unfinished(await page.inner_text("body")) == []
        assert await axe(page) == []


async def test_channel_and_window(chromium: Browser, tmp_path: Path) -> None:
    async with on_a_box(chromium, tmp_path) as visitor:
        url = "https://updates.example.com/plug.json"
        page = await visitor.open("/updates")
        await page.get_by_label("Hours in which").fill("2 am")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#sources .problem:visible")).to_contain_text("must be a time span such as")
        await page.get_by_label("Hours in which").fill("02:00-04:00")
        await page.get_by_label("Update channel").fill(url)
        await page.get_by_role("switch", name="Install updates from the channel automatically").check()
        await page.get_by_text("Fleet server").click()
        await page.get_by_label("Server", exact=True).fill("https://fleet.example.com")
        await page.get_by_label("Token", exact=True).fill("s3cret")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved.")).to_be_visible()
        found = schema.load_settings(visitor.plug.home).update
        assert (found.window, found.channel, found.automatic) == ("02:00-04:00", url, True)
        assert found.hawkbit.token == "s3cret"
        await expect(page.locator("#offer")).to_contain_text("The channel has not answered yet")
        with closing(database.open_database(visitor.plug.home.database)) as db:
            bundle = "https://updates.example.com/plug.raucb"
            channel.save_offer(db, channel.UpdateOffer(url, "", "1.1.0", bundle, "Reads <b>Oki</b> better."))
        await look(page)
        await expect(page.locator("#offer")).to_contain_text("Version 1.1.0 is there")
        await expect(page.locator("#offer")).to_contain_text("Reads <b>Oki</b> better.")
        await page.locator("#offer").get_by_role("button", name="Install").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("restarts between 02:00-04:00")
        await dialog.get_by_role("button", name="Install").click()
        await expect(page.get_by_text("The update is under way.")).to_be_visible()
        assert orders(visitor) == [
            {"do": "update", "source": bundle, "fetch": "no", "older": "no", "reboot": "no", "action": ""}
        ]
        visitor.expect("422")
