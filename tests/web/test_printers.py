import asyncio
import csv
import io
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from appliance.domain.model import PartFailure, Reading
from appliance.settings.schema import Home
from appliance.storage import database, printers, save_reading
from tests.web.conftest import SCRIPT, Browser, Page, reading


async def test_list_has_a_line_for_each_printer(fleet: list[int], browser: Browser) -> None:
    listed = await browser.get("/api/printers")
    first, second, third = listed["printers"]
    assert (first["state"], second["state"], third["state"]) == ("ok", "error", "silent")
    assert listed["counts"] == {"ok": 1, "warning": 0, "error": 1, "silent": 1, "ignored": 0}
    assert first["pages"] == 1500
    assert first["lowest_supply"]["percent"] == 40
    assert second["errors"] == ["jammed", "lowToner"]
    assert second["lowest_supply"]["state"] == "low"
    assert third["failure"] == "silent"


async def test_list_is_sent_again_only_when_it_changed(
    fleet: list[int], browser: Browser, plug: Home
) -> None:
    first = await browser.ask("GET", "/api/printers")
    same = await browser.ask("GET", "/api/printers", headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status, same.body) == (304, b"")
    db = database.open_database(plug.database)
    printers.set_ignore(db, fleet[0], True)
    db.close()
    other = await browser.ask("GET", "/api/printers", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status == 200
    assert other.json["counts"]["ignored"] == 1


async def test_a_model_that_is_a_script_stays_text(fleet: list[int], browser: Browser) -> None:
    answer = await browser.ask("GET", f"/api/printers/{fleet[2]}")
    assert answer.json["model"] == SCRIPT
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_three_thousand_printers_come_in_time(plug: Home, browser: Browser) -> None:
    db = database.open_database(plug.database)
    now = datetime.now(UTC)
    with database.transaction(db):
        for number in range(3000):
            one = reading(number % 250 + 1)
            save_reading.store_reading(db, _renumbered(one, number), now)
    db.close()
    began = time.monotonic()
    answer = await browser.ask("GET", "/api/printers")
    seconds = time.monotonic() - began
    assert len(answer.json["printers"]) == 3000
    assert seconds < 2  # 0.3 on a machine that does nothing else
    began = time.monotonic()
    await browser.ask("GET", "/api/printers", headers={"If-None-Match": answer.headers["ETag"]})
    assert time.monotonic() - began < 0.3


def _renumbered(one, number):
    return replace(
        one,
        target=replace(one.target, host=f"127.{number // 250 + 2}.0.{number % 250 + 1}"),
        identity=replace(one.identity, serial_number=f"N{number}", mac_address=f"{number:012X}"),
    )


async def test_csv_opens_in_a_spreadsheet(fleet: list[int], browser: Browser) -> None:
    answer = await browser.ask("GET", "/api/printers.csv?separator=semicolon")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="printers.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig")), delimiter=";"))
    assert [row["serial_number"] for row in rows] == ["SN1", "SN2", "SN3"]
    assert rows[1]["errors"] == "jammed lowToner"
    assert rows[1]["lowest_percent"] == "5.0"


async def test_csv_holds_no_formula(plug: Home, browser: Browser) -> None:
    db = database.open_database(plug.database)
    save_reading.store_reading(db, reading(1, model="=HYPERLINK(1)"), datetime.now(UTC))
    db.close()
    answer = await browser.ask("GET", "/api/printers.csv")
    row = next(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
    assert row["model"] == "'=HYPERLINK(1)"


async def test_one_printer_is_told_in_full(fleet: list[int], browser: Browser) -> None:
    printer = await browser.get(f"/api/printers/{fleet[0]}")
    assert printer["counters"] == [
        {"name": "total", "value": 1500, "source": "prtMarkerLifeCount.1.1", "dispute": None, "held": None}
    ]
    black, waste, odd = printer["supplies"]
    assert (black["type"], black["percent"], black["state"], black["kind"]) == ("toner", 40, "ok", "consumed")
    assert (waste["level"], waste["percent"], waste["state"]) == ("some left", None, "some-left")
    assert (odd["type"], odd["max_capacity"], odd["level"], odd["state"]) == (
        "99",
        "unknown",
        "other",
        "unknown",
    )
    assert printer["trays"][0]["width_mm"] == 210
    assert printer["outputs"][0]["status"] == {
        "availability": "unknown",
        "noncritical_alerts": False,
        "critical_alerts": True,
        "offline": False,
        "transitioning": False,
    }
    assert printer["storages"][0]["size_bytes"] == 4096 * 1024
    assert printer["alerts"][0]["group"] == "input"
    assert printer["addresses"][0]["address"] == "127.0.1.1"
    assert printer["uptime_seconds"] == 3600


async def test_a_held_counter_is_shown_beside_the_last_good_one(
    fleet: list[int], browser: Browser, plug: Home
) -> None:
    db = database.open_database(plug.database)
    db.execute(
        "UPDATE counters SET held_value = 3, held_reason = 'runs backwards', held_at = 1760000000000"
        " WHERE printer_id = ?",
        (fleet[0],),
    )
    db.close()
    counter = (await browser.get(f"/api/printers/{fleet[0]}"))["counters"][0]
    assert counter["value"] == 1500
    assert counter["held"] == {"value": 3, "reason": "runs backwards", "since": "2025-10-09T08:53:20Z"}


async def test_what_a_reading_left_out_is_told(fleet: list[int], browser: Browser, plug: Home) -> None:
    assert (await browser.get(f"/api/printers/{fleet[0]}"))["incomplete"] == []
    db = database.open_database(plug.database)
    before = printers.get_printer(db, fleet[0])
    assert before is not None
    partly = Reading(
        before.target,
        before.identity,
        before.details,
        failures=(PartFailure("alerts", "stopped answering"),),
        notes=("the web page wants a password",),
    )
    save_reading.store_reading(db, partly, datetime.now(UTC))
    db.close()
    printer = await browser.get(f"/api/printers/{fleet[0]}")
    assert printer["incomplete"] == [{"part": "alerts", "reason": "stopped answering"}]
    assert printer["notes"] == ["the web page wants a password"]


@pytest.mark.parametrize("span", ["day", "month", "year"])
async def test_history_holds_what_was_read(fleet: list[int], browser: Browser, span: str) -> None:
    history = await browser.get(f"/api/printers/{fleet[0]}/history?range={span}")
    series = {each["key"]: each for each in history["series"]}
    assert series["total"]["values"][-1] == 1500
    assert series["supply:1"]["values"][-1] == 40
    assert series["supply:1"]["label"] == "Black Toner"
    assert all(len(each["values"]) == len(history["times"]) <= 200 for each in history["series"])
    if span == "day":
        assert series["total"]["values"][0] == 1000


async def test_history_knows_its_ranges(fleet: list[int], browser: Browser) -> None:
    answer = await browser.ask("GET", f"/api/printers/{fleet[0]}/history?range=decade")
    assert (answer.status, answer.json["field"]) == (400, "range")


async def test_change_ignores_and_groups(fleet: list[int], browser: Browser) -> None:
    answer = await browser.ask("PATCH", f"/api/printers/{fleet[0]}", {"ignore": True, "device_group": 7})
    assert (answer.json["ignore"], answer.json["device_group"], answer.json["state"]) == (True, 7, "ignored")
    answer = await browser.ask("PATCH", f"/api/printers/{fleet[0]}", {"ignore": False})
    assert (answer.json["ignore"], answer.json["device_group"]) == (False, 7)


@pytest.mark.parametrize(
    "body", [{}, {"ignore": 1}, {"device_group": -1}, {"device_group": 2**31}, {"model": "x"}, [], "x"]
)
async def test_change_refuses_what_is_not_described(fleet: list[int], browser: Browser, body: object) -> None:
    answer = await browser.ask("PATCH", f"/api/printers/{fleet[0]}", json=body)
    assert answer.status == 422
    assert "\n" not in answer.error


async def test_forget_drops_it(fleet: list[int], browser: Browser) -> None:
    assert (await browser.ask("DELETE", f"/api/printers/{fleet[0]}")).status == 204
    assert (await browser.ask("DELETE", f"/api/printers/{fleet[0]}")).status == 404
    assert len((await browser.get("/api/printers"))["printers"]) == 2


async def test_read_puts_a_job_in_line_once(fleet: list[int], browser: Browser) -> None:
    first = await browser.ask("POST", f"/api/printers/{fleet[0]}/read")
    again = await browser.ask("POST", f"/api/printers/{fleet[0]}/read")
    assert (first.status, first.json["printer"], first.json["state"]) == (202, fleet[0], "waiting")
    assert again.json["id"] == first.json["id"]


@pytest.mark.parametrize("number", ["0", "-1", "1e3", "99999999999", "x", "1%00", "%2e%2e", "٣", "01"])
@pytest.mark.parametrize(
    ("method", "tail"), [("GET", ""), ("GET", "/history"), ("POST", "/read"), ("DELETE", "")]
)
async def test_ids_are_bounded_numbers(browser: Browser, number: str, method: str, tail: str) -> None:
    answer = await browser.ask(method, f"/api/printers/{number}{tail}")
    assert answer.status in (404, 405)


async def test_unknown_printers_are_told_so(browser: Browser) -> None:
    for method, tail in (("GET", ""), ("GET", "/history"), ("POST", "/read"), ("DELETE", "")):
        answer = await browser.ask(method, f"/api/printers/77{tail}")
        assert (answer.status, answer.error) == (404, "There is no printer 77.")


async def test_many_at_once_do_not_trip_over_each_other(
    fleet: list[int], browser: Browser, page: Page
) -> None:
    answers = await asyncio.gather(*(browser.ask("GET", f"/api/printers/{fleet[n % 3]}") for n in range(60)))
    assert {answer.status for answer in answers} == {200}


async def test_a_held_counter_is_confirmed(browser: Browser, plug: Home, fleet: list[int]) -> None:
    path = f"/api/printers/{fleet[0]}"
    db = database.open_database(plug.database)
    save_reading.store_reading(db, reading(1, pages=200), datetime.now(UTC))  # 1,500 were told before
    db.close()
    (held,) = (await browser.get(path))["counters"]
    assert (held["value"], held["held"]["value"]) == (1500, 200)
    answer = await browser.ask("POST", f"{path}/counters/total/confirm")
    assert answer.status == 200
    (counter,) = answer.json["counters"]
    assert (counter["value"], counter["held"]) == (200, None)
    again = await browser.ask("POST", f"{path}/counters/total/confirm")
    assert (again.status, "No value of this counter is held" in again.error) == (409, True)


async def test_only_what_is_held_can_be_confirmed(browser: Browser, fleet: list[int]) -> None:
    assert (await browser.ask("POST", "/api/printers/99/counters/total/confirm")).status == 404
    assert (await browser.ask("POST", f"/api/printers/{fleet[0]}/counters/pages/confirm")).status == 404
    assert (await browser.ask("POST", f"/api/printers/{fleet[0]}/counters/fax/confirm")).status == 409
    answer = await browser.ask("POST", f"/api/printers/{fleet[0]}/counters/total/confirm", {"value": 1})
    assert answer.status == 400


async def test_strangers_confirm_nothing(stranger: Browser, fleet: list[int]) -> None:
    assert (await stranger.ask("POST", f"/api/printers/{fleet[0]}/counters/total/confirm")).status == 401
