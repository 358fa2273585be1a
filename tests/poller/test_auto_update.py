"""What a channel offers is installed by itself: once, in the right hours, and never what fell back before."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.poller.auto_update import AutoUpdater, UpdateEnvironment
from appliance.settings.schema import Config
from appliance.storage import database, events, key_value
from appliance.updates import channel
from tests.updates.rooted import Rooted
from tests.updates.test_channel import GOOD, Site, site

__all__ = ["site"]  # the fixture

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


class Plug:
    def __init__(self, box: Rooted, site: Site, db: sqlite3.Connection) -> None:
        self.box, self.site, self.db, self.now = box, site, db, NOW
        self.config = Config()
        self.set(channel=site.url, ca_file="", automatic=True)
        self.start()

    def set(self, **changed: object) -> None:
        self.config = replace(self.config, update=replace(self.config.update, **changed))  # type: ignore[arg-type]

    def start(self) -> None:
        self.updating = AutoUpdater(
            self.db, UpdateEnvironment(self.box.home, self.box.root), lambda: self.now
        )

    async def look(self, later: timedelta = timedelta(0)) -> list[str]:
        """The requests that this leads to, done."""
        self.now += later
        await self.updating.check(self.config)
        folder = self.box.home.run / "requests"
        asked = [path.read_text() for path in folder.glob("*.json")] if folder.exists() else []
        self.box.work(self.now)
        return asked

    def offer(self, version: str) -> None:
        """As if the channel had said so, just now."""
        url = "https://updates.example.com/plug.raucb"
        channel.save_offer(self.db, channel.UpdateOffer(self.site.url, "", version, url, ""))
        key_value.put_time(self.db, channel.NEXT_CHECK_KEY, self.now + timedelta(days=1))

    def events(self) -> list[str]:
        return [event.text for event in reversed(events.list_recent(self.db))]


@pytest.fixture
def plug(tmp_path: Path, site: Site) -> Iterator[Plug]:
    box = Rooted(tmp_path / "root")
    db = database.open_database(box.home.database)
    yield Plug(box, site, db)
    db.close()


async def test_the_channel_is_asked_daily(plug: Plug, site: Site) -> None:
    plug.set(ca_file=str(site.ca_file), automatic=False)
    assert await plug.look() == []
    await plug.look(timedelta(hours=23))
    assert len(site.asked) == 1
    await plug.look(timedelta(hours=4))
    assert len(site.asked) == 2
    key_value.put(plug.db, channel.NEXT_CHECK_KEY, None)  # the page's "look now"
    await plug.look()
    assert len(site.asked) == 3
    found = channel.load_offer(plug.db)
    assert found
    assert found.version == "1.1.0"
    plug.set(channel="")
    await plug.look()
    assert channel.load_offer(plug.db) is None


async def test_a_channel_that_does_not_answer_is_told_once(plug: Plug, site: Site) -> None:
    plug.set(ca_file=str(site.ca_file))
    site.status = 500
    for _ in range(3):
        await plug.look(timedelta(hours=3))
    assert len(site.asked) == 3
    assert plug.events() == [
        "the channel cannot be read: 127.0.0.1: the server answered 500 Internal Server Error"
    ]
    assert [event.ended_at for event in events.list_recent(plug.db)] == [None]
    site.status, site.text = 200, GOOD.replace("1.1.0", "0.1.0")
    await plug.look(timedelta(hours=3))
    assert [event.ended_at for event in events.list_recent(plug.db)] == [plug.now]


async def test_a_newer_version_is_installed_and_the_plug_restarts_in_its_hours(plug: Plug) -> None:
    plug.set(window="02:00-04:00")
    plug.offer("1.1.0")
    asked = await plug.look()
    assert len(asked) == 1
    assert '"source": "https://updates.example.com/plug.raucb"' in asked[0]
    assert '"reboot": "no"' in asked[0]
    assert await plug.look() == []
    assert plug.box.restarts == 0
    assert await plug.look(timedelta(hours=11, minutes=30)) == ['{"do": "reboot"}']  # 02:30 in Zürich
    assert plug.box.restarts == 1
    plug.box.boot("B", "1.1.0")
    plug.box.judge(plug.now, good=True)
    plug.start()
    assert await plug.look() == []
    assert plug.events() == ["the Plug was updated from version 1.0.0 to 1.1.0"]


@pytest.mark.parametrize("version", ["1.0.0", "0.9.0"])
async def test_what_is_not_newer_is_left_alone(plug: Plug, version: str) -> None:
    plug.offer(version)
    assert await plug.look() == []


async def test_what_fell_back_is_not_tried_again(plug: Plug) -> None:
    plug.offer("1.1.0")
    assert len(await plug.look()) == 1
    plug.box.boot("A", "1.0.0")
    plug.box.judge(plug.now, good=True)
    plug.start()
    for _ in range(3):
        plug.offer("1.1.0")
        assert await plug.look(timedelta(days=2)) == []
    plug.offer("1.1.1")
    assert len(await plug.look()) == 1


async def test_what_is_refused_is_tried_again_the_next_day_at_the_soonest(plug: Plug) -> None:
    plug.box.fault = "signature verification failed: Verify error: unable to get local issuer certificate"
    plug.offer("1.1.0")
    assert len(await plug.look()) == 1
    assert await plug.look(timedelta(hours=5)) == []
    plug.offer("1.1.0")
    assert len(await plug.look(timedelta(hours=20))) == 1
    await plug.look()
    assert set(plug.events()) == {"an update was not installed: it is not signed by this Plug's provider"}


async def test_a_bundle_that_rauc_cannot_reach_is_fetched_first(plug: Plug, site: Site) -> None:
    plug.set(ca_file=str(site.ca_file))
    plug.offer("1.1.0")
    (asked,) = await plug.look()
    url = "https://updates.example.com/plug.raucb"
    order = {"do": "update", "source": url, "fetch": "yes", "older": "no", "reboot": "no", "action": ""}
    assert json.loads(asked) == order


async def test_a_refused_request_is_an_event(plug: Plug) -> None:
    plug.offer("1.1.0")
    plug.box.busy = True
    assert len(await plug.look()) == 1
    await plug.look()
    await plug.look()
    assert plug.events() == ["an update was not installed: another update is being installed"]


async def test_nothing_happens_by_itself_where_nobody_wants_it(plug: Plug) -> None:
    plug.set(automatic=False)
    plug.offer("1.1.0")
    assert await plug.look() == []
