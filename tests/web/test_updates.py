"""Updates by the page: a bundle is brought and ordered, what came of it is told."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import __version__
from appliance.privileged import update_trial
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.storage import database, key_value
from appliance.updates import bundle_store, channel
from appliance.updates.channel import UpdateOffer
from tests.web.conftest import Answer, Browser, Page, password_hash, running

BUNDLE = "/api/updates/bundle"
OCTETS = {"Content-Type": "application/octet-stream"}
SLOTS = {
    "booted": "A",
    "version": "1.0.0",
    "other": "B",
    "other_version": "0.9.0",
    "other_state": "good",
    "boot": "1",
}


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Page]:
    """A page that takes itself for the one of a box."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    home = Home(tmp_path / "var/lib/printmonitor")
    home.create_folders()
    standard = Config()
    plug, web = replace(standard.plug, mdns=False), replace(standard.web, password_hash=password_hash())
    schema.save_settings(home, replace(standard, plug=plug, web=web))
    async with running(home, root=tmp_path) as page:
        tell(page, "slots", SLOTS)
        yield page


@pytest.fixture
async def visitor(box: Page) -> AsyncIterator[Browser]:
    async with box.browser() as browser:
        assert (await browser.log_in()).status == 200
        yield browser


def tell(page: Page, name: str, what: object) -> None:
    """As root does."""
    (page.home.run / "answers").mkdir(exist_ok=True)
    (page.home.run / f"answers/{name}.json").write_text(json.dumps(what))


def root(page: Page) -> Path:
    return page.home.folder.parents[2]


def orders(page: Page) -> list[object]:
    return [json.loads(path.read_text()) for path in (page.home.run / "requests").glob("*.json")]


async def put(browser: Browser, data: object, headers: dict[str, str] = OCTETS) -> Answer:
    return await browser.ask("PUT", BUNDLE, data=data, headers=headers)


def offer(page: Page, version: str) -> None:
    url = "https://updates.example.com/plug.json"
    page.change(update={"channel": url})
    with closing(database.open_database(page.home.database)) as db:
        channel.save_offer(
            db, UpdateOffer(url, "", version, "https://updates.example.com/plug.raucb", "What is new.")
        )


async def test_elsewhere_it_says_so_and_takes_nothing(browser: Browser, page: Page) -> None:
    found = await browser.get("/api/updates")
    assert (found["box"], found["version"], found["slots"]) == (False, __version__, None)
    assert "not run on a Plug" in found["box_text"]
    for answer in (
        await put(browser, b"bundle"),
        await browser.ask("POST", "/api/updates/install", {"source": "upload", "when": "now"}),
        await browser.ask("DELETE", BUNDLE),
    ):
        assert (answer.status, answer.json["code"]) == (409, "elsewhere")
    assert not page.home.updates.exists()


async def test_what_runs_and_what_is_in_the_other_slot(visitor: Browser, box: Page) -> None:
    found = await visitor.get("/api/updates")
    assert (found["box"], found["version"]) == (True, "1.0.0")
    assert found["slots"] == {
        "booted": "A",
        "other": "B",
        "other_version": "0.9.0",
        "other_good": True,
        "on_trial": False,
    }
    assert (found["waiting"], found["progress"], found["outcome"], found["bundle"]) == (
        None,
        None,
        None,
        None,
    )


async def test_a_bundle_is_brought_and_ordered(visitor: Browser, box: Page) -> None:
    data = bytes(range(256)) * 8_192  # two megabytes: more than any other body may have
    answer = await put(visitor, io.BytesIO(data))
    assert (answer.status, answer.json["bundle"]["bytes"]) == (200, len(data))
    assert (box.home.updates / bundle_store.BUNDLE_FILENAME).read_bytes() == data
    answer = await visitor.ask("POST", "/api/updates/install", {"source": "upload", "when": "window"})
    assert answer.status == 202
    order = {"do": "update", "source": "upload", "fetch": "no", "older": "no", "reboot": "no", "action": ""}
    assert orders(box) == [order]


async def test_a_url_and_the_channels_offer_are_ordered(visitor: Browser, box: Page) -> None:
    order = {"source": "channel", "when": "now", "older": True}
    answer = await visitor.ask("POST", "/api/updates/install", order)
    assert (answer.status, answer.error) == (409, "The channel has not named a version yet.")
    offer(box, "1.1.0")
    assert (await visitor.ask("POST", "/api/updates/install", order)).status == 202
    url = "http://192.168.1.9/plug.raucb"
    answer = await visitor.ask("POST", "/api/updates/install", {"source": "url", "url": url, "when": "now"})
    assert answer.status == 202
    assert sorted((each["source"], each["older"], each["reboot"]) for each in orders(box)) == [  # type: ignore[index]
        (url, "no", "yes"),
        ("https://updates.example.com/plug.raucb", "yes", "yes"),
    ]


async def test_behind_a_proxy_the_bundle_of_the_channel_is_fetched_first(visitor: Browser, box: Page) -> None:
    offer(box, "1.1.0")
    box.change(update={"ca_file": "/etc/ssl/own.pem"})
    order = {"source": "channel", "when": "window"}
    assert (await visitor.ask("POST", "/api/updates/install", order)).status == 202
    url = "https://updates.example.com/plug.raucb"
    asked = {"do": "update", "source": url, "fetch": "yes", "older": "no", "reboot": "no", "action": ""}
    assert orders(box) == [asked]


INSTALL = {"source": "url", "url": "http://192.168.1.9/plug.raucb", "when": "now"}


async def test_a_refused_request_is_shown_as_soon_as_it_is_answered(visitor: Browser, box: Page) -> None:
    tell(box, "update", {"state": "failed", "text": "an earlier one", "percent": 0, "at": 1_763_000_000})
    asked = (await visitor.ask("POST", "/api/updates/install", INSTALL)).json["id"]
    assert (await visitor.get("/api/updates"))["progress"]["text"] == "an earlier one"
    tell(box, asked, {"state": "refused", "text": "another update is being installed", "at": 1_763_000_001})
    found = (await visitor.get("/api/updates"))["progress"]
    assert (found["state"], found["text"]) == ("refused", "another update is being installed")
    tell(box, "update", {"state": "looking", "percent": 0, "at": 1_763_000_002})
    assert (await visitor.get("/api/updates"))["progress"]["state"] == "looking"


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"source": "url", "when": "now"}, "url"),
        ({"source": "url", "url": "file:///etc/shadow", "when": "now"}, "url"),
        ({"source": "url", "url": "https://a b", "when": "now"}, "url"),
        ({"source": "upload", "when": "later"}, "when"),
        ({"source": "upload"}, "when"),
    ],
)
async def test_an_order_is_refused_beside_its_field(
    visitor: Browser, box: Page, order: dict[str, str], field: str
) -> None:
    answer = await visitor.ask("POST", "/api/updates/install", order)
    assert (answer.status, answer.json["field"]) == (422, field)
    assert orders(box) == []


async def test_nothing_is_ordered_where_nothing_was_brought(visitor: Browser, box: Page) -> None:
    answer = await visitor.ask("POST", "/api/updates/install", {"source": "upload", "when": "now"})
    assert (answer.status, answer.error) == (409, "No bundle was uploaded.")
    assert orders(box) == []


def head(browser: Browser, box: Page, length: int) -> bytes:
    """What a browser sends before the bundle."""
    return (
        f"PUT {BUNDLE} HTTP/1.1\r\nHost: 127.0.0.1:{box.port}\r\nOrigin: {box.base}\r\n"
        f"Cookie: {cookies(browser)}\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


async def test_an_upload_that_breaks_off_leaves_nothing(visitor: Browser, box: Page) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", box.port)
    writer.write(head(visitor, box, 1_000_000) + b"x" * 300_000)
    await until(lambda: any(box.home.updates.glob("*")))
    writer.close()
    await until(lambda: not any(box.home.updates.iterdir()))
    assert (await visitor.get("/api/updates"))["bundle"] is None


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110  what another task does to the disk
            await asyncio.sleep(0.01)


async def test_an_upload_may_be_too_large_empty_or_no_bundle(visitor: Browser, box: Page) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", box.port)
    writer.write(head(visitor, box, bundle_store.MAX_BUNDLE_BYTES + 1))
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()
    answer = await put(visitor, b"")
    assert (answer.status, answer.error) == (400, "The bundle is empty.")
    answer = await put(visitor, b"{}", {"Content-Type": "application/json"})
    assert answer.status == 415
    assert list(box.home.updates.iterdir()) == []


def cookies(browser: Browser) -> str:
    return "; ".join(f"{each.key}={each.value}" for each in browser.session.cookie_jar)


async def test_a_stranger_brings_nothing(box: Page) -> None:
    async with box.browser() as stranger:
        assert (await put(stranger, b"bundle")).status == 401
    assert not box.home.updates.exists()


async def test_another_site_brings_nothing(visitor: Browser, box: Page) -> None:
    headers = {**OCTETS, "Origin": "https://evil.example.com"}
    assert (await put(visitor, b"bundle", headers)).status == 403
    assert not box.home.updates.exists()


async def test_while_it_is_installed_nothing_is_pulled_away(visitor: Browser, box: Page) -> None:
    assert (await put(visitor, b"bundle")).status == 200
    progress = {
        "state": "installing",
        "percent": 40,
        "step": "Updating slots",
        "version": "1.1.0",
        "reboot": "yes",
    }
    tell(box, "update", {**progress, "at": 1_763_000_000})
    found = (await visitor.get("/api/updates"))["progress"]
    assert (found["state"], found["percent"], found["step"], found["version"]) == (
        "installing",
        40,
        "Updating slots",
        "1.1.0",
    )
    for answer in (
        await put(visitor, b"another"),
        await visitor.ask("DELETE", BUNDLE),
        await visitor.ask("POST", "/api/updates/install", {"source": "upload", "when": "now"}),
    ):
        assert (answer.status, answer.error) == (409, "An update is being installed.")
    assert (box.home.updates / bundle_store.BUNDLE_FILENAME).read_bytes() == b"bundle"
    tell(box, "update", {**progress, "state": "refused", "text": "it is too old", "at": 1_763_000_000})
    answer = await visitor.ask("DELETE", BUNDLE)
    assert (answer.status, answer.json["bundle"], answer.json["progress"]["text"]) == (
        200,
        None,
        "it is too old",
    )


async def test_what_waits_for_the_restart_and_what_came_of_it(visitor: Browser, box: Page) -> None:
    marker = update_trial.UpdateMarker(
        "1.0.0", "B", "1.1.0", "2026-11-22T02:00:00+00:00", "1", installed=True
    )
    update_trial.write_marker(marker, root(box))
    assert (await visitor.get("/api/updates"))["waiting"] == "1.1.0"
    tell(box, "slots", {**SLOTS, "booted": "B", "version": "1.1.0", "boot": "2"})
    found = await visitor.get("/api/updates")
    assert (found["waiting"], found["version"], found["slots"]["on_trial"]) == (None, "1.1.0", True)
    (root(box) / update_trial.OUTCOME_PATH).write_text(
        json.dumps(
            {
                "came": "fell back",
                "trial": {
                    **json.loads((root(box) / update_trial.MARKER_PATH).read_text()),
                    "why": "the page is down",
                },
                "at": "2026-11-22T02:20:00+00:00",
                "booted": "3",
            }
        )
    )
    update_trial.remove_marker(root(box))
    assert (await visitor.get("/api/updates"))["outcome"] == {
        "came": "fell back",
        "from_version": "1.0.0",
        "to_version": "1.1.0",
        "why": "the page is down",
        "at": "2026-11-22T02:20:00Z",
    }


async def test_where_updates_come_from_is_set_and_secrets_are_not_told(visitor: Browser, box: Page) -> None:
    wanted = {
        "channel": "https://updates.example.com/plug.json",
        "automatic": True,
        "window": "02:00-04:00",
        "hawkbit": {"url": "https://fleet.example.com", "token": "s3cret", "token_kind": "gateway"},
    }
    answer = await visitor.ask("PATCH", "/api/updates", wanted)
    assert answer.status == 200
    assert b"s3cret" not in answer.body
    assert (answer.json["automatic"], answer.json["has_window"]) == (True, True)
    assert answer.json["hawkbit"]["token"] == {"set": True}
    found = schema.load_settings(box.home).update
    assert (found.channel, found.window) == (wanted["channel"], "02:00-04:00")
    assert (found.hawkbit.token, found.hawkbit.token_kind, found.hawkbit.tenant) == (
        "s3cret",
        "gateway",
        "DEFAULT",
    )
    answer = await visitor.ask("PATCH", "/api/updates", {"window": "2 am"})
    assert (answer.status, answer.json["field"]) == (422, "window")
    answer = await visitor.ask("PATCH", "/api/updates", {"hawkbit": {"token": ""}})
    assert (answer.status, answer.json["field"]) == (422, "hawkbit.token")


async def test_an_offer_counts_for_its_channel(visitor: Browser, box: Page) -> None:
    offer(box, "1.1.0")
    expected = {"version": "1.1.0", "notes": "What is new.", "newer": True}
    assert (await visitor.get("/api/updates"))["offer"] == expected
    offer(box, "1.0.0")
    assert (await visitor.get("/api/updates"))["offer"]["newer"] is False
    box.change(update={"channel": "https://other.example.com/"})
    assert (await visitor.get("/api/updates"))["offer"] is None


async def test_the_channel_is_asked_when_somebody_wants_to_know(visitor: Browser, box: Page) -> None:
    answer = await visitor.ask("POST", "/api/updates/look")
    assert (answer.status, answer.error) == (409, "No channel is set.")
    offer(box, "1.1.0")
    with closing(database.open_database(box.home.database)) as db:
        key_value.put(db, channel.NEXT_CHECK_KEY, "99999999999999")
        assert (await visitor.ask("POST", "/api/updates/look")).status == 202
        assert key_value.get(db, channel.NEXT_CHECK_KEY) is None
