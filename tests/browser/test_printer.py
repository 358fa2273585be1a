"""A printer's page: true states, the chart, reading, ignoring, grouping, forgetting."""

import contextlib
import re
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from appliance.domain.messages import Message
from appliance.domain.model import (
    Counter,
    CounterName,
    Details,
    Identity,
    PartFailure,
    Reading,
    Target,
    VagueAmount,
)
from appliance.storage import database, printers, save_reading
from tests.browser.conftest import Visitor, filled, saved
from tests.browser.plug import known


async def test_supplies_say_what_is_known(visitor: Visitor) -> None:
    page = await visitor.open("/printers/2")
    supplies = page.locator("#supplies")
    await expect(supplies.locator("li").filter(has_text="Magenta Toner")).to_contain_text("left")
    await expect(supplies).to_contain_text("runs out about")
    await expect(supplies).to_contain_text(re.compile(r"\d+(\.\d)? of 240 g"))  # said in tenths of grams
    vague = next(
        printer
        for printer in known(visitor.plug.home)
        if any(s.row.level == -3 or isinstance(s.row.level, VagueAmount) for s in printer.supplies)
    )
    await page.goto(f"/printers/{vague.id}")
    await filled(page)
    await expect(page.locator("#supplies .bar.some, #supplies .bar.vague").first).to_be_visible()
    assert "some left" in await supplies.inner_text() or "level unknown" in await supplies.inner_text()


async def test_history_is_drawn_and_told(visitor: Visitor) -> None:
    page = await visitor.open("/printers/2", "de")
    for what in ("Gedruckte Seiten", "Zählerstände", "Verbrauchsmaterial"):
        await page.get_by_role("radio", name=what).check()
        for span in ("Tag", "Monat", "Jahr"):
            await page.get_by_role("radio", name=span, exact=True).check()
            await expect(page.locator("#chart-text")).to_contain_text(f"{span}:")
            await expect(page.locator("#chart canvas")).to_have_attribute(
                "aria-label", await page.inner_text("#chart-text")
            )
    await page.get_by_text("Als Tabelle zeigen").click()
    assert await page.locator("#chart-rows tbody tr").count() > 5
    await expect(page.locator("#chart-rows")).to_contain_text("%")


async def test_printer_is_read_now(visitor: Visitor) -> None:
    page = await visitor.open("/printers/2")
    await page.get_by_role("button", name="Read now").click()
    await expect(page.locator("#reading")).to_contain_text("1 printer read", timeout=20_000)


async def test_silent_printer_says_why_it_was_not_read(visitor: Visitor) -> None:
    page = await visitor.open("/printers", "de")
    await page.get_by_role("link", name="<script>").first.click()
    await filled(page)
    await expect(page.locator("#failure")).to_contain_text("Das letzte Lesen schlug fehl")
    await page.get_by_role("button", name="Jetzt abfragen").click()
    await expect(page.locator("#reading")).to_contain_text("Nicht gelesen:", timeout=20_000)


async def test_printer_is_ignored_grouped_and_forgotten(visitor: Visitor) -> None:
    victim = known(visitor.plug.home)[4]
    page = await visitor.open(f"/printers/{victim.id}")
    await page.get_by_role("button", name="Ignore").click()
    await expect(page.locator("#states")).to_contain_text("Ignored")
    await page.get_by_role("button", name="No longer ignore").click()
    await expect(page.locator("#states")).not_to_contain_text("Ignored")
    await page.get_by_label("Number of the group").fill("-1")
    await page.locator("#group").get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Must be from 0 to")).to_be_visible()
    await page.get_by_label("Number of the group").fill("42")
    await page.locator("#group").get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    with contextlib.closing(database.open_database(visitor.plug.home.database)) as db:
        kept = printers.get_printer(db, victim.id)
        assert kept is not None
        assert kept.device_group == 42
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert victim.id in {printer.id for printer in known(visitor.plug.home)}
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.wait_for_url("**/printers")
    assert victim.id not in {printer.id for printer in known(visitor.plug.home)}


async def test_counter_that_is_held_is_believed_after_a_question(visitor: Visitor) -> None:
    now = datetime.now(UTC)
    who, where = Identity("HP", "Held back", "HELD1"), Target("192.0.2.90", snmp_version="2")
    with contextlib.closing(database.open_database(visitor.plug.home.database)) as db:
        for pages, ago in ((20_000, 2), (150, 1)):
            reading = Reading(where, who, Details(), (Counter(CounterName.TOTAL, pages, "test"),))
            held = save_reading.store_reading(db, reading, now - timedelta(hours=ago))
    page = await visitor.open(f"/printers/{held}")
    line = page.locator("#counters tbody tr")
    await expect(line).to_contain_text("implausible")
    await line.get_by_role("button", name="Accept").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Total becomes 150 (was 20,000)")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(line).to_contain_text("20,000")
    await line.get_by_role("button", name="Accept").click()
    await dialog.get_by_role("button", name="Accept").click()
    await expect(line).not_to_contain_text("implausible")
    await expect(line.locator(".number")).to_have_text("150")
    with contextlib.closing(database.open_database(visitor.plug.home.database)) as db:
        printers.delete_printer(db, held)


async def test_what_the_last_reading_left_out_is_shown(visitor: Visitor) -> None:
    reading = Reading(
        Target("192.0.2.91", snmp_version="2"),
        Identity("Brother", "Half read", "HALF1"),
        Details(),
        failures=(PartFailure("alerts", Message("snmp.stopped_answering")),),
        notes=(Message("ews.other_device"),),
    )
    with contextlib.closing(database.open_database(visitor.plug.home.database)) as db:
        half = save_reading.store_reading(db, reading, datetime.now(UTC))
    page = await visitor.open(f"/printers/{half}", "de")
    await expect(page.locator("#incomplete li")).to_have_text(
        "Meldungen: hat während der Abfrage aufgehört zu antworten"
    )
    await expect(page.locator("#notes li")).to_have_text("die Webseite gehört zu einem anderen Gerät")
    await page.goto("/printers/2")
    await filled(page)
    await expect(page.locator("#incomplete")).to_be_hidden()
    await expect(page.locator("#notes")).to_be_hidden()
    with contextlib.closing(database.open_database(visitor.plug.home.database)) as db:
        printers.delete_printer(db, half)


async def test_printer_is_recorded_and_the_file_fetched(visitor: Visitor) -> None:
    page = await visitor.open("/printers/2", "de")
    serial = next(each for each in known(visitor.plug.home) if each.id == 2).identity.serial_number
    assert serial
    for masked in (True, False):
        await page.get_by_role("checkbox", name="Seriennummern").set_checked(masked)
        await page.get_by_role("button", name="Aufzeichnen").click()
        await expect(page.locator("#recorded")).to_contain_text("Aufgezeichnet", timeout=40_000)
        async with page.expect_download() as started:
            await page.get_by_role("link", name="Aufzeichnung herunterladen").click()
        data = (await saved(await started.value)).decode()
        assert "1.3.6.1.2.1.1.1.0|4" in data
        assert (serial in data) is not masked
    await page.get_by_role("button", name="Verwerfen").click()
    await expect(page.locator("#recorded")).to_be_empty()
    await expect(page.get_by_role("button", name="Aufzeichnen")).to_be_focused()


async def test_printer_that_is_not_there_is_said(visitor: Visitor) -> None:
    page = await visitor.blank("de", storage_state=visitor.cookies)
    await page.goto("/printers/999999")
    await expect(page.get_by_role("alert")).to_have_text("Drucker 999999 gibt es nicht.")
    visitor.expect("404")
    visitor.expect("999999")
