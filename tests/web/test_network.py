"""The network by the API; where it takes root, root's own part does it, on files of its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.privileged import network_rollback, request_handler
from appliance.privileged.network_rollback import Places
from appliance.settings import schema
from appliance.settings.network import NetworkConfig, WlanConfig
from appliance.settings.schema import Home
from appliance.storage import database, events
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError
from appliance.web.handlers import ApiRequest
from appliance.web.network import INTERRUPTED_TEXT, ROLLED_BACK_TEXT, NetworkApi
from appliance.web.settings_store import SettingsStore
from tests.command_line import until
from tests.web.conftest import Browser, Page

STATIC = {"method": "static", "address": "10.0.0.5/24", "gateway": "10.0.0.1"}
PASSPHRASE = "Zq7-passphrase"


async def test_the_network_as_it_is(browser: Browser) -> None:
    found = await browser.get("/api/network")
    assert (found["box"], bool(found["box_text"]), found["trial"]["state"]) == (False, True, "none")
    assert found["settings"]["method"] == "dhcp"
    assert all(link["name"] != "lo" for link in found["interfaces"])


async def test_elsewhere_nothing_is_tried(browser: Browser, plug: Home) -> None:
    before = plug.settings.read_bytes()
    for method, path, body in (
        ("POST", "/api/network/trial", STATIC),
        ("DELETE", "/api/network/trial", None),
        ("POST", "/api/network/trial/confirmation", None),
    ):
        answer = await browser.ask(method, path, body)
        assert (answer.status, answer.json["code"]) == (409, "elsewhere")
    assert plug.settings.read_bytes() == before
    assert not list(plug.run.rglob("*.json"))


async def test_the_passphrase_is_never_read_back(browser: Browser, page: Page) -> None:
    page.change(network={"wlan": WlanConfig("Office", PASSPHRASE)})
    answer = await browser.ask("GET", "/api/network")
    assert answer.json["settings"]["wlan"] == {"ssid": "Office", "passphrase": {"set": True}, "country": ""}
    assert PASSPHRASE.encode() not in answer.body


async def test_a_trial_is_offered_to_whoever_comes_in(browser: Browser, plug: Home) -> None:
    assert (await browser.get("/api/session"))["network_trial"] is False
    root = Root(plug)
    request_handler.try_network(
        root, {"trial": "0" * 16, "settings": json.dumps({"dns": ["10.0.0.1"]})}, root.places.root
    )
    assert (await browser.get("/api/session"))["network_trial"] is True


class Root:
    """Root's part, without systemd: the units that it starts are run at once."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.places = Places(home.run, home.folder / "networks", home.folder / "root")
        self.verbs = {
            **request_handler.VERBS,
            "network-try": request_handler.Verb(
                lambda run, order: request_handler.try_network(run, order, self.places.root),
                texts=("settings", "trial"),
            ),
        }

    def __call__(self, *command: str) -> str:
        match command[-1]:
            case "printmonitor-network-trial.service":
                network_rollback.attempt(self.home.folder, self.places, self)
            case "printmonitor-network.service":
                network_rollback.settle(self.home.folder, self.places, self)
        return ""

    def work(self) -> None:
        (self.home.run / "requests").mkdir(exist_ok=True)
        request_handler.work_off(self.home.run, {self.home.folder.stat().st_uid}, self, self.verbs)

    @property
    def network(self) -> str:
        return (self.places.networks / network_rollback.FILE).read_text()


class Person:
    """Who asks for a new network, on the Plug itself."""

    def __init__(self, network: NetworkApi) -> None:
        self._functions = {(method, path): function for method, path, function in network.routes()}

    async def ask(self, method: str, path: str = "", body: dict | None = None) -> dict:
        answer = await self._functions[method, f"/api/network{path}"](ApiRequest({}, body or {}, None))
        assert isinstance(answer, dict)
        return answer

    async def trial(self) -> dict:
        return (await self.ask("GET"))["trial"]


@asynccontextmanager
async def on_the_box(plug: Home) -> AsyncIterator[Person]:
    store = DatabaseThread(plug.database)
    network = NetworkApi(plug, SettingsStore(plug), store, lambda: datetime.now(UTC), installed=True)
    try:
        async with network.run_watcher():
            yield Person(network)
    finally:
        await store.close()


def told(plug: Home) -> list[tuple[str, bool]]:
    """The events, the newest first, and whether they go on."""
    with suppress(database.DatabaseUnavailableError):
        db = database.open_database(plug.database)
        try:
            return [(each.text, each.ended_at is None) for each in events.list_recent(db)]
        finally:
            db.close()
    return []


async def test_what_is_confirmed_is_saved(plug: Home) -> None:
    root = Root(plug)
    async with on_the_box(plug) as person:
        answer = await person.ask("POST", "/trial", STATIC)
        assert answer["trial"]["state"] == "ordered"
        assert answer["trial"]["hosts"] == ["10.0.0.5"]
        root.work()
        trial = await person.trial()
        assert (trial["state"], 110 < trial["seconds"] <= 120) == ("trying", True)
        assert "Address=10.0.0.5/24" in root.network
        assert schema.load(plug).network == NetworkConfig()
        confirming = person.ask("POST", "/trial/confirmation")
        answer = await with_root(root, confirming)
        assert answer["trial"]["state"] == "kept"
        assert answer["settings"]["address"] == "10.0.0.5/24"
        assert schema.load(plug).network.gateway == "10.0.0.1"
        line = "new network settings were confirmed: eth0, 10.0.0.5/24"
        await until(lambda: told(plug)[:1] == [(line, False)])
    assert not any(on for _, on in told(plug))
    assert not (plug.run / "network-trial.json").exists()


async def with_root(root: Root, question: object) -> dict:
    """Ask, while root does what it is asked."""
    asked = asyncio.ensure_future(question)  # type: ignore[call-overload]
    while not asked.done():
        root.work()
        await asyncio.sleep(0.02)
    return await asked


async def test_what_nobody_confirms_goes_again(plug: Home) -> None:
    root = Root(plug)
    async with on_the_box(plug) as person:
        await person.ask("POST", "/trial", STATIC)
        root.work()
        root("printmonitor-network.service")  # as the timer does
        await until(lambda: told(plug)[:1] == [(ROLLED_BACK_TEXT, False)])
        answer = await person.ask("GET")
        assert (answer["trial"]["state"], answer["settings"]["method"]) == ("rolled-back", "dhcp")
        assert "10.0.0.5" not in root.network
        with pytest.raises(ApiError):
            await person.ask("POST", "/trial/confirmation")
    assert schema.load(plug).network == NetworkConfig()


async def test_a_person_may_give_up(plug: Home) -> None:
    root = Root(plug)
    async with on_the_box(plug) as person:
        await person.ask("POST", "/trial", STATIC)
        root.work()
        assert (await person.ask("DELETE", "/trial"))["trial"]["state"] == "ending"
        root.work()
        assert (await person.trial())["state"] == "rolled-back"


async def test_while_root_is_slow_it_is_said_that_it_ends(plug: Home) -> None:
    root = Root(plug)
    async with on_the_box(plug) as person:
        await person.ask("POST", "/trial", STATIC)
        root.work()
        assert (await person.ask("POST", "/trial/confirmation"))["trial"]["state"] == "ending"
        with pytest.raises(ApiError):
            await person.ask("DELETE", "/trial")
        root.work()
        assert (await person.trial())["state"] == "kept"


async def test_the_page_may_be_restarted_meanwhile(plug: Home) -> None:
    root = Root(plug)
    async with on_the_box(plug) as person:
        await person.ask("POST", "/trial", STATIC | {"wlan": {"ssid": "Office", "passphrase": PASSPHRASE}})
        root.work()
    candidate = plug.run / "network-trial.json"
    assert candidate.stat().st_mode & 0o077 == 0
    async with on_the_box(plug) as person:
        assert (await person.trial())["state"] == "trying"
        assert (await with_root(root, person.ask("POST", "/trial/confirmation")))["trial"]["state"] == "kept"
    assert schema.load(plug).network.wlan == WlanConfig("Office", PASSPHRASE)


async def test_a_plug_that_was_restarted_meanwhile_says_so(plug: Home) -> None:
    async with on_the_box(plug) as person:
        await person.ask("POST", "/trial", STATIC)
        Root(plug).work()
    for path in [*plug.run.rglob("*.json")]:
        path.unlink()  # /run is memory
    async with on_the_box(plug) as person:
        assert (await person.trial())["state"] == "none"
        await until(lambda: told(plug)[:1] == [(INTERRUPTED_TEXT, False)])


async def test_what_root_refuses_has_failed(plug: Home) -> None:
    root = Root(plug)
    root.verbs["network-try"] = request_handler.VERBS["apply"]  # another version that knows no such texts
    async with on_the_box(plug) as person:
        await person.ask("POST", "/trial", STATIC)
        root.work()
        trial = await person.trial()
        assert (trial["state"], trial["text"]) == ("failed", "says more or less than it should")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"method": "static"}, "address"),
        ({"address": "10.0.0.5"}, "address"),
        ({**STATIC, "gateway": "10.0.1.1"}, "gateway"),
        ({"dns": ["10.0.0.1", "x"]}, "dns"),
        ({"ntp": ["a b"]}, "ntp"),
        ({"ipv6": {"method": "static"}}, "ipv6.address"),
        ({"interface": "wlan0"}, "wlan.ssid"),
        ({"wlan": {"passphrase": "short"}}, "wlan.passphrase"),
        ({"wlan": {"country": "Switzerland"}}, "wlan.country"),
        ({"interface": "../../etc"}, "interface"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(plug: Home, body: dict, field: str) -> None:
    async with on_the_box(plug) as person:
        with pytest.raises(ApiError) as caught:
            await person.ask("POST", "/trial", body)
    assert (caught.value.status, caught.value.field) == (422, field)
    assert not list(plug.run.rglob("*.json"))


def test_the_timer_is_as_long_as_it_is_told() -> None:
    unit = Path(__file__).parents[2] / "systemd/printmonitor-network-trial.timer"
    assert f"\nOnActiveSec={network_rollback.SECONDS}\n" in unit.read_text()
