"""A fleet server's action from the offer to the restart: over real HTTPS, against a strict server."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.poller import auto_update
from appliance.poller.auto_update import AutoUpdater, UpdateEnvironment
from appliance.settings.schema import Config
from appliance.storage import database, events, key_value
from appliance.updates import bundle_store, hawkbit_agent
from tests.fakes.hawkbit import Action, Hawkbit
from tests.updates.rooted import Rooted

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
BUNDLE = b"1.1.0\n" + bytes(600_000)
OK = [
    ("proceeding", "none", "fetches version 1.1.0"),
    ("proceeding", "none", "the bundle is here, its checksum is right"),
    ("proceeding", "none", "is being installed"),
]


class Plug:
    """A box, its poller's part, and what the server is called there."""

    def __init__(self, box: Rooted, server: Hawkbit, db: sqlite3.Connection) -> None:
        self.box, self.server, self.db = box, server, db
        self.config = Config()
        plug = replace(self.config.plug, name=server.controller, site="Bern")
        hawkbit = replace(self.config.update.hawkbit, url=server.url, token=server.login.split()[1])
        update = replace(self.config.update, ca_file=str(server.ca_file), hawkbit=hawkbit)
        self.config = replace(self.config, plug=plug, update=update)
        self.start()

    def start(self) -> None:
        """Also after a restart: nothing is remembered but what is on the disk."""
        self.updating = AutoUpdater(
            self.db,
            UpdateEnvironment(self.box.home, self.box.root, max_first_delay_s=0, check_interval_s=0.05),
            lambda: NOW,
        )

    async def poll(self) -> None:
        """The server is asked now, whatever it said about when."""
        self.updating._next_check_in = 0
        await self.updating.check_in_with_hawkbit(self.config)

    async def look(self) -> None:
        await self.updating.check(self.config)

    def restart(self, slot: str, version: str, *, good: bool) -> None:
        self.box.boot(slot, version)
        self.box.judge(NOW, good=good)
        self.start()

    def window(self, text: str) -> None:
        self.config = replace(self.config, update=replace(self.config.update, window=text))

    def events(self) -> list[str]:
        return [event.text for event in reversed(events.list_recent(self.db))]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Hawkbit]:
    async with Hawkbit(tmp_path) as running:
        yield running
    assert running.problems == []


@pytest.fixture
def plug(tmp_path: Path, server: Hawkbit) -> Iterator[Plug]:
    box = Rooted(tmp_path / "root")
    db = database.open_database(box.home.database)
    yield Plug(box, server, db)
    db.close()


async def test_an_action_is_done_when_the_new_version_is_well(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE))
    await plug.poll()
    assert server.attributes == {
        "version": "1.0.0",
        "name": server.controller,
        "site": "Bern",
        "slot": "A",
    }
    assert action.feedback == OK
    plug.box.work(NOW)
    assert plug.box.restarts == 1, "it was forced"
    await plug.poll()
    assert action.feedback[3:] == [("proceeding", "none", "is installed; the restart comes next")]
    assert action.state == "running", "not before it has proved itself"
    plug.restart("B", "1.1.0", good=False)
    await plug.poll()
    assert action.state == "running"
    plug.box.judge(NOW, good=True)
    await plug.poll()
    assert action.feedback[-1] == ("closed", "success", "version 1.1.0 runs, and is well")
    assert action.state == "finished"
    await plug.look()
    assert plug.events() == ["the Plug was updated from version 1.0.0 to 1.1.0"]
    assert bundle_store.find_bundle(plug.box.home.updates) is None
    await plug.poll()
    await plug.look()
    assert len(plug.events()) == 1


async def test_a_fall_back_is_a_failure_with_its_reason(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE))
    await plug.poll()
    plug.box.work(NOW)
    plug.restart("A", "1.0.0", good=True)
    await plug.poll()
    assert action.feedback[-1] == ("closed", "failure", "back to version 1.0.0: it did not start well")
    await plug.look()
    assert plug.events() == ["version 1.1.0 did not start correctly, 1.0.0 runs again"]


async def test_what_is_refused_is_a_failure_with_its_reason(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", b"0.9.0\n" + bytes(1000), version="0.9.0"))
    await plug.poll()
    plug.box.work(NOW)
    assert plug.box.restarts == 0
    await plug.poll()
    assert action.feedback[-1] == ("closed", "failure", "it is version 0.9.0, older than the installed 1.0.0")
    await plug.look()
    await plug.look()
    assert plug.events() == [
        "an update was not installed: it is version 0.9.0, older than the installed 1.0.0"
    ]


async def test_the_end_is_told_as_soon_as_the_line_is_up(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE))
    await plug.poll()
    plug.box.work(NOW)
    plug.restart("B", "1.1.0", good=True)
    server.down = True
    await plug.poll()
    assert "503" in (key_value.get(plug.db, hawkbit_agent.PROBLEM_KEY) or "")
    await plug.poll()
    server.down = False
    plug.start()
    await plug.poll()
    assert action.state == "finished"
    assert key_value.get(plug.db, hawkbit_agent.PROBLEM_KEY) is None
    going_on = [event for event in events.list_recent(plug.db) if event.ended_at is None]
    assert going_on == []
    assert len([text for text in plug.events() if "fleet server cannot be queried" in text]) == 1


async def test_an_attempt_waits_for_the_hours_of_the_plug(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE, download="attempt", update="attempt"))
    plug.window("02:00-04:00")
    await plug.poll()
    await plug.poll()
    assert action.feedback == OK[:2], "it is here, and waits"
    plug.window("14:00-16:00")  # in Zürich it is 15:00
    await plug.poll()
    plug.box.work(NOW)
    assert plug.box.restarts == 0, "that is the poller's, in its hours"
    await plug.look()
    plug.box.work(NOW)
    await plug.look()
    plug.box.work(NOW)
    assert plug.box.restarts == 1, "asked for once"


async def test_a_maintenance_window_of_the_server(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE, update="skip", window="unavailable"))
    await plug.poll()
    await plug.poll()
    assert action.feedback == OK[:2]
    action.update, action.window = "forced", "available"
    await plug.poll()
    assert action.feedback == OK


async def test_another_bundle_in_its_place_is_not_installed_for_it(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE, update="skip", window="unavailable"))
    await plug.poll()
    with bundle_store.receive_bundle(plug.box.home.updates, None) as other:
        other.write(b"1.0.5\n")
    action.update, action.window = "forced", "available"
    await plug.poll()
    await plug.poll()
    assert action.feedback[-3:] == OK, "it is fetched once more"
    plug.box.work(NOW)
    await plug.poll()
    assert action.feedback[-1][2] == "is installed; the restart comes next"


async def test_only_fetched(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE, update="skip"))
    await plug.poll()
    assert action.feedback[-1] == ("downloaded", "success", "the bundle is here")
    assert action.state == "downloaded"
    assert bundle_store.find_bundle(plug.box.home.updates) is not None
    plug.box.work(NOW)
    assert plug.box.restarts == 0


async def test_nothing_is_fetched_before_it_may_be(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE, download="skip", update="skip", window="unavailable"))
    await plug.poll()
    assert action.feedback == []
    assert bundle_store.find_bundle(plug.box.home.updates) is None


async def test_cancelled_before_it_is_installed(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE, update="skip", window="unavailable"))
    await plug.poll()
    action.state = "cancelling"
    await plug.poll()
    assert action.feedback[-1] == ("closed", "success", "cancelled")
    assert action.state == "cancelled"
    assert bundle_store.find_bundle(plug.box.home.updates) is None
    await plug.poll()
    assert len(action.feedback) == 3


async def test_cancelled_while_it_comes(plug: Plug, server: Hawkbit) -> None:
    action, server.hold = server.assign(Action("17", BUNDLE)), asyncio.Event()
    polling = asyncio.create_task(plug.poll())
    async with asyncio.timeout(5):
        while server.polls < 3:  # noqa: ASYNC110  what the Plug asks meanwhile
            await asyncio.sleep(0.01)
        action.state = "cancelling"
        await polling
    server.hold.set()
    assert list(plug.box.home.updates.iterdir()) == []
    await plug.poll()
    assert action.state == "cancelled"


async def test_what_has_begun_is_not_cancelled(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE))
    await plug.poll()
    action.state = "cancelling"
    await plug.poll()
    assert action.feedback[-1] == ("rejected", "none", "the installation has begun")
    plug.box.work(NOW)
    plug.restart("B", "1.1.0", good=True)
    await plug.poll()
    assert action.state == "finished"


async def test_an_unknown_action_is_cancelled_all_the_same(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("16", BUNDLE, state="cancelling"))
    await plug.poll()
    assert action.state == "cancelled"


async def test_another_checksum_is_tried_again_and_given_up(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE, sha256="0" * 64))
    for _ in range(hawkbit_agent.MAX_FETCH_TRIES):
        assert action.state == "running"
        await plug.poll()
    assert action.state == "error"
    assert "the checksum of the download is wrong" in action.feedback[-1][2]
    assert bundle_store.find_bundle(plug.box.home.updates) is None


@pytest.mark.parametrize("names", [(), ("plug.raucb", "other.raucb"), ("readme.txt",)])
async def test_a_plug_needs_exactly_one_bundle(plug: Plug, server: Hawkbit, names: tuple[str, ...]) -> None:
    action = server.assign(Action("17", BUNDLE, filenames=names))
    await plug.poll()
    assert action.feedback == [("closed", "failure", "a Plug needs exactly one .raucb file")]


async def test_a_bundle_by_plain_http_comes_without_the_token(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE, plain=True))
    await plug.poll()
    assert action.feedback == OK


async def test_a_plug_that_was_switched_off_too_early(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE))
    await plug.poll()
    plug.restart("A", "1.0.0", good=True)  # before root has begun
    await plug.poll()
    assert action.state == "running", "perhaps it begins in a moment"
    told = key_value.get(plug.db, hawkbit_agent.ACTION_KEY) or ""
    key_value.put(plug.db, hawkbit_agent.ACTION_KEY, told.replace("14:00:00", "13:00:00"))
    await plug.poll()
    assert action.feedback[-1] == ("closed", "failure", "the Plug was switched off before it was installed")


async def test_an_order_that_root_refuses_is_told_at_the_next_poll(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE))
    await plug.poll()
    plug.box.busy = True
    plug.box.work(NOW)
    await plug.poll()
    assert action.feedback[-1] == ("closed", "failure", "another update is being installed")


async def test_another_installation_goes_first(plug: Plug, server: Hawkbit) -> None:
    action = server.assign(Action("17", BUNDLE, update="skip", window="unavailable"))
    await plug.poll()
    (plug.box.home.run / "answers/update.json").write_text('{"state": "installing", "percent": 3, "at": 0}')
    action.update, action.window = "forced", "available"
    await plug.poll()
    assert action.feedback[-1] == ("rejected", "none", "another update is being installed; later")
    (plug.box.home.run / "answers/update.json").unlink()
    await plug.poll()
    assert action.feedback[-1] == OK[-1]


async def test_a_wrong_token_is_told_once(plug: Plug, server: Hawkbit) -> None:
    server.login = "GatewayToken another"
    await plug.poll()
    await plug.poll()
    assert plug.events() == [
        "the fleet server cannot be queried: 127.0.0.1: the server answered 401 Unauthorized"
    ]


async def test_a_gateway_token_and_a_name_of_its_own(plug: Plug, server: Hawkbit) -> None:
    server.login, server.controller, server.tenant = "GatewayToken s3cret", "plug:7", "acme"
    hawkbit = replace(plug.config.update.hawkbit, token_kind="gateway", tenant="acme", controller="plug:7")
    plug.config = replace(plug.config, update=replace(plug.config.update, hawkbit=hawkbit))
    await plug.poll()
    assert server.attributes["version"] == "1.0.0"


async def test_a_server_that_is_not_trusted_gets_no_token(plug: Plug, server: Hawkbit) -> None:
    plug.config = replace(plug.config, update=replace(plug.config.update, ca_file=""))
    await plug.poll()
    assert server.polls == 0
    assert "certificate not trusted" in (key_value.get(plug.db, hawkbit_agent.PROBLEM_KEY) or "")


async def test_the_server_says_when_it_is_asked_again(plug: Plug, server: Hawkbit) -> None:
    await plug.poll()
    await plug.updating.check_in_with_hawkbit(plug.config)
    assert server.polls == 1
    assert plug.updating._next_check_in > 100
    hawkbit = replace(plug.config.update.hawkbit, url=f"{server.url}/")
    plug.config = replace(plug.config, update=replace(plug.config.update, hawkbit=hawkbit))
    await plug.updating.check_in_with_hawkbit(plug.config)
    assert server.polls == 2, "other settings are tried at once"


async def test_elsewhere_nobody_is_asked(plug: Plug, server: Hawkbit) -> None:
    (plug.box.root / "run/systemd/system").rmdir()
    await plug.poll()
    assert server.polls == 0
    assert auto_update.EVENT_KIND not in {event.kind for event in events.list_recent(plug.db)}
