import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from appliance.settings.schema import Home
from appliance.storage import database, jobs, save_reading
from appliance.web import websocket
from tests.web.conftest import Browser, Page, validator


@pytest.fixture
async def socket(browser: Browser) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with browser.session.ws_connect(
        f"{browser.base}/api/live", headers={"Origin": browser.base}
    ) as opened:
        yield opened


async def changed(socket: aiohttp.ClientWebSocketResponse, topic: str) -> None:
    """Waits for the message that names a topic."""
    async with asyncio.timeout(5):
        while topic not in (await socket.receive_json()).get("changed", []):
            pass


async def test_changes_arrive_by_their_topics(
    fleet: list[int], socket: aiohttp.ClientWebSocketResponse, browser: Browser, plug: Home, page: Page
) -> None:
    db = database.open_database(plug.database)
    save_reading.store_poll_failure(db, fleet[0], "silent", datetime.now(UTC))
    await changed(socket, "printers")
    await browser.ask("PATCH", f"/api/printers/{fleet[0]}", {"ignore": True})
    await changed(socket, "printers")
    page.change(plug={"site": "Zurich"})
    await changed(socket, "settings")
    await browser.ask("POST", "/api/jobs", {"kind": "query"})
    await changed(socket, "jobs")
    db.close()


async def test_a_run_is_told_while_it_goes_on(socket: aiohttp.ClientWebSocketResponse, plug: Home) -> None:
    db = database.open_database(plug.database)
    number = jobs.enqueue(db, "discover", datetime.now(UTC))
    jobs.start_next(db, datetime.now(UTC))
    for asked in (10, 20):
        jobs.update_progress(db, number, {"scan": {"total": 30, "asked": asked}})
        async with asyncio.timeout(5):
            while True:
                message = await socket.receive_json()
                if message.get("job", {}).get("progress", {}).get("asked") == asked:
                    break
        validator("Job").validate(message["job"])
    db.close()


async def test_it_closes_when_the_session_ends(
    socket: aiohttp.ClientWebSocketResponse, browser: Browser
) -> None:
    await browser.ask("DELETE", "/api/session")
    async with asyncio.timeout(5):
        message = await socket.receive()
    assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, websocket.CLOSE_SESSION_ENDED)


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {}, {"Origin": "null"}])
async def test_other_sites_do_not_listen(browser: Browser, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.session.ws_connect(f"{browser.base}/api/live", headers=headers)
    assert refused.value.status == 403


async def test_strangers_do_not_listen(stranger: Browser) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await stranger.session.ws_connect(f"{stranger.base}/api/live", headers={"Origin": stranger.base})
    assert refused.value.status == 401


async def test_it_is_a_websocket(browser: Browser) -> None:
    answer = await browser.ask("GET", "/api/live")
    assert (answer.status, answer.error) == (400, "This is a WebSocket.")


async def test_nothing_that_is_sent_does_anything(
    socket: aiohttp.ClientWebSocketResponse, browser: Browser
) -> None:
    await socket.send_str('{"kind": "query"}')
    assert (await browser.get("/api/jobs"))["jobs"] == []
    await socket.send_str("x" * 5000)  # more than anybody may say
    async with asyncio.timeout(5):
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_places_are_bounded(browser: Browser) -> None:
    opened = []
    for _ in range(websocket.MAX_WEBSOCKETS):
        url = f"{browser.base}/api/live"
        opened.append(await browser.session.ws_connect(url, headers={"Origin": browser.base}))
    answer = await browser.ask("GET", "/api/live", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert answer.status == 503
    await asyncio.gather(*(each.close() for each in opened))
