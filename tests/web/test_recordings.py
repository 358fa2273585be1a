import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from appliance.settings.schema import Home
from appliance.storage import database, save_reading
from tests.fakes.agent import Agent, Device
from tests.web.conftest import Browser, reading
from tests.web.test_discovery import printer

SERIAL = "SN77"


@pytest.fixture
def known(plug: Home, agent: Agent) -> int:
    """A printer that answers."""
    agent.add("127.0.0.21", printer())
    return keep(plug, 1, agent.port)


def keep(plug: Home, number: int, port: int, host: str = "127.0.0.21") -> int:
    made = reading(number)
    db = database.open_database(plug.database)
    try:
        target = replace(made.target, host=host, port=port)
        return save_reading.store_reading(db, replace(made, target=target), datetime.now(UTC))
    finally:
        db.close()


async def recorded(browser: Browser, path: str, **order: bool) -> dict:
    begun = await browser.ask("POST", path, {"mask": False, **order})
    assert (begun.status, begun.json["state"]) == (202, "running")
    async with asyncio.timeout(30):
        while (state := await browser.get(path))["state"] == "running":  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.05)
    return state


async def test_a_printer_is_recorded_and_the_file_fetched(browser: Browser, known: int) -> None:
    path = f"/api/printers/{known}/recording"
    assert (await browser.get(path))["state"] == "none"
    assert (await browser.ask("GET", f"{path}/file")).status == 404
    state = await recorded(browser, path)
    assert (state["state"], state["complete"], state["masked"], state["objects"]) == ("done", True, False, 5)
    answer = await browser.ask("GET", f"{path}/file")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="printer-{known}.snmprec"'
    lines = answer.body.decode().splitlines()
    assert len(lines) == 5
    assert f"1.3.6.1.2.1.43.5.1.1.17.1|4|{SERIAL}" in lines
    assert (await browser.ask("DELETE", path)).status == 204
    assert (await browser.ask("GET", f"{path}/file")).status == 404


async def test_a_masked_recording_tells_no_serial_number(browser: Browser, known: int) -> None:
    path = f"/api/printers/{known}/recording"
    assert (await recorded(browser, path, mask=True))["masked"] is True
    answer = await browser.ask("GET", f"{path}/file")
    assert "masked" in answer.headers["Content-Disposition"]
    assert SERIAL.encode() not in answer.body


async def test_one_at_a_time_and_it_can_be_ended(
    browser: Browser, agent: Agent, known: int, plug: Home
) -> None:
    agent.add("127.0.0.22", Device({}, asleep=True))  # it is waited for, for seconds
    silent = keep(plug, 2, agent.port, "127.0.0.22")
    path = f"/api/printers/{silent}/recording"
    assert (await browser.ask("POST", path, {"mask": False})).status == 202
    busy = await browser.ask("POST", f"/api/printers/{known}/recording", {"mask": False})
    assert (busy.status, busy.json["code"]) == (503, "busy")
    assert (await browser.get(f"/api/printers/{known}/recording"))["state"] == "none"
    assert (await browser.ask("DELETE", path)).status == 204
    assert (await recorded(browser, f"/api/printers/{known}/recording"))["state"] == "done"


async def test_one_that_says_nothing_is_told(browser: Browser, plug: Home, agent: Agent) -> None:
    nowhere = keep(plug, 3, agent.port, "no-such-name.invalid")
    state = await recorded(browser, f"/api/printers/{nowhere}/recording")
    assert state["state"] == "failed"
    assert "no-such-name.invalid" in state["text"]


async def test_bad_orders(browser: Browser, known: int) -> None:
    assert (await browser.ask("POST", "/api/printers/99/recording", {"mask": True})).status == 404
    for method in ("GET", "DELETE"):
        assert (await browser.ask(method, "/api/printers/99/recording")).status == 404
    assert (await browser.ask("GET", "/api/printers/99/recording/file")).status == 404
    for body in ({}, {"mask": 1}, {"mask": True, "host": "127.0.0.1"}):
        assert (await browser.ask("POST", f"/api/printers/{known}/recording", body)).status == 422


async def test_strangers_record_nothing(stranger: Browser, known: int) -> None:
    path = f"/api/printers/{known}/recording"
    assert (await stranger.ask("POST", path, {"mask": False})).status == 401
    for where in (path, f"{path}/file"):
        assert (await stranger.ask("GET", where)).status == 401
