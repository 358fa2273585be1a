"""The network's page: what is there; on the box new settings, the two minutes, and that somebody confirms."""

import json
import re
from pathlib import Path

from playwright.async_api import Page, Route, expect

from appliance.domain.messages import Message, to_json
from tests.browser.conftest import Visitor, filled
from tests.browser.test_pages import axe

DESCRIBED = json.loads((Path(__file__).parents[2] / "webui/openapi.json").read_text())["components"][
    "schemas"
]


class Box:
    """What the API of an installed Plug says; this computer's own network is not to be changed."""

    def __init__(self) -> None:
        self.settings = {
            "interface": "eth0",
            "method": "dhcp",
            "address": "",
            "gateway": "",
            "dns": [],
            "ntp": [],
            "ipv6": {"method": "auto", "address": "", "gateway": ""},
            "wlan": {"ssid": "Office", "passphrase": {"set": True}, "country": "CH"},
        }
        self.trial = {"state": "none", "text": "", "seconds": 0, "hosts": []}
        self.asked: list[tuple[str, str, object]] = []
        self.refuses: dict[str, object] = {}

    async def stand_in(self, page: Page) -> None:
        await page.route("**/api/network", self._answer)
        await page.route("**/api/network/**", self._answer)

    async def open(self, visitor: Visitor, language: str = "en") -> Page:
        page = await visitor.blank(language, storage_state=visitor.cookies)
        await self.stand_in(page)
        await page.goto("/network")
        await filled(page)
        return page

    async def _answer(self, route: Route) -> None:
        request = route.request
        path = request.url.partition("/api/network")[2]
        if request.method != "GET":
            self.asked.append((request.method, path, request.post_data_json))
            if self.refuses:
                await route.fulfill(status=422, json=self.refuses)
                return
            self._take(request.method, path)
        await route.fulfill(json=self.told())

    def _take(self, method: str, path: str) -> None:
        if path.endswith("confirmation"):
            self.trial = {**self.trial, "state": "kept"}
        elif method == "DELETE":
            self.trial = {**self.trial, "state": "rolled-back"}
        else:
            self.trial = {
                "state": "trying",
                "text": "",
                "seconds": 117,
                "hosts": ["10.0.0.5", "[2001:db8::5]"],
            }

    def told(self) -> dict[str, object]:
        link = {
            "name": "eth0",
            "kind": "ethernet",
            "mac_address": "B8:27:EB:4F:2A:91",
            "carrier": True,
            "speed": 100,
            "addresses": ["192.168.1.5/24", "fe80::1/64"],
            "gateways": ["192.168.1.1"],
        }
        told = {
            "box": True,
            "box_text": "",
            "name": "printmonitor-4f2a91",
            "settings": self.settings,
            "interfaces": [link, {**link, "name": "wlan0", "kind": "wlan", "carrier": False, "speed": None}],
            "name_servers": ["192.168.1.1"],
            "synchronised": True,
            "trial": self.trial,
        }
        for name, value in (("Network", told), ("Link", link), ("NetworkTrial", self.trial)):
            assert set(value) == set(DESCRIBED[name]["required"])
        return told


async def test_elsewhere_the_network_is_shown_and_nothing_can_be_set(visitor: Visitor) -> None:
    page = await visitor.open("/network", "de")
    await expect(page.locator("#elsewhere")).to_contain_text("Netzwerk")
    await expect(page.locator("#network")).to_be_hidden()
    await expect(page.locator("#trial")).to_be_hidden()


async def test_new_settings_are_tried_and_kept(visitor: Visitor) -> None:
    box = Box()
    page = await box.open(visitor)
    await expect(page.locator("#address")).to_be_hidden()
    await expect(page.locator("#ssid")).to_be_hidden()
    await page.locator("#method").select_option("static")
    await page.locator("#address").fill("10.0.0.5/24")
    await page.locator("#gateway").fill("10.0.0.1")
    await page.locator("#dns").fill("10.0.0.1\n10.0.0.2\n")
    await page.get_by_role("button", name="Try for two minutes").click()
    await expect(page.locator("#countdown")).to_contain_text("seconds left")
    method, path, body = box.asked[0]
    assert (method, path) == ("POST", "/trial")
    assert body == {
        "interface": "eth0",
        "method": "static",
        "address": "10.0.0.5/24",
        "gateway": "10.0.0.1",
        "dns": ["10.0.0.1", "10.0.0.2"],
        "ntp": [],
        "ipv6": {"method": "auto"},
    }
    port = visitor.plug.base.rpartition(":")[2]
    await expect(page.locator("#reopen a").first).to_have_attribute("href", f"http://10.0.0.5:{port}/network")
    await expect(page.locator("#reopen a").last).to_have_attribute(
        "href", f"http://[2001:db8::5]:{port}/network"
    )
    await page.get_by_role("button", name="Keep these settings").click()
    await expect(page.locator("#trial-state")).to_contain_text("are kept")
    await expect(page.locator("#countdown")).to_be_hidden()
    await expect(page.locator("#trial-acts")).to_be_hidden()
    assert box.asked[1][:2] == ("POST", "/trial/confirmation")


async def test_whoever_comes_in_by_the_new_address_is_offered_to_keep_it(visitor: Visitor) -> None:
    box = Box()
    box.trial = {"state": "trying", "text": "", "seconds": 61, "hosts": []}
    page = await box.open(visitor)
    await expect(page.get_by_role("button", name="Keep these settings")).to_be_visible()
    await page.get_by_role("button", name="Go back now").click()
    await expect(page.locator("#trial-state")).to_contain_text("Nobody confirmed")
    assert box.asked[0][:2] == ("DELETE", "/trial")


async def test_every_page_tells_of_a_trial(visitor: Visitor) -> None:
    page = await visitor.blank(storage_state=visitor.cookies)

    async def session(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json={**await answer.json(), "network_trial": True})

    await page.route("**/api/session", session)
    await page.goto("/services")
    await filled(page)
    link = page.get_by_role("link", name="Look and confirm")
    await expect(link).to_have_attribute("href", "/network")


async def test_while_nobody_answers_the_time_runs_on(visitor: Visitor) -> None:
    visitor.expect("ERR_")
    box = Box()
    page = await box.open(visitor)
    await page.get_by_role("button", name="Try for two minutes").click()
    await expect(page.locator("#countdown")).to_contain_text("left")
    await page.route("**/api/network", lambda route: route.abort())
    before = await page.locator("#countdown").text_content()
    await expect(page.locator("#countdown")).not_to_have_text(str(before))
    await page.unroute("**/api/network")
    box.trial = {"state": "rolled-back", "text": "", "seconds": 0, "hosts": []}
    await box.stand_in(page)
    await expect(page.locator("#trial-state")).to_contain_text("the old ones hold again")


async def test_wlan_has_its_fields_and_another_name_another_passphrase(visitor: Visitor) -> None:
    box = Box()
    page = await box.open(visitor)
    await page.locator("#interface").select_option("wlan0")
    await expect(page.locator("#passphrase")).to_have_attribute("placeholder", re.compile("leave empty"))
    await page.get_by_role("button", name="Try for two minutes").click()
    await expect(page.locator("#countdown")).to_be_visible()
    assert box.asked[0][2]["wlan"] == {"ssid": "Office", "country": "CH"}  # type: ignore[index]
    await page.locator("#ssid").fill("Guests")
    await page.get_by_role("button", name="Try for two minutes").click()
    await expect(page.locator("#ssid")).not_to_have_value("Guests")
    assert box.asked[1][2]["wlan"] == {"ssid": "Guests", "country": "CH", "passphrase": ""}  # type: ignore[index]


async def test_what_is_wrong_stands_beside_its_field(visitor: Visitor) -> None:
    visitor.expect("422")
    box = Box()
    page = await box.open(visitor, "de")
    await page.locator("#v6-method").select_option("static")
    problem = Message("settings.address_prefix", example="2001:db8::5/64")
    error = Message(
        "field_problem",
        field="ipv6.address",
        problem=Message("settings.not_value", value='"x"', problem=problem),
    )
    box.refuses = {"error": error, "message": to_json(error), "field": "ipv6.address", "code": "settings"}
    await page.locator("#v6-address").fill("x")
    await page.get_by_role("button", name="Zwei Minuten lang erproben").click()
    await expect(page.locator("#v6-address-problem")).to_contain_text(
        '"x" muss eine Adresse mit Präfix wie "2001:db8::5/64" sein'
    )
    await expect(page.locator("#v6-address")).to_be_focused()


async def test_everybody_can_use_it(visitor: Visitor) -> None:
    for state in ("none", "trying", "failed"):
        box = Box()
        box.trial = {"state": state, "text": "it broke", "seconds": 99, "hosts": ["10.0.0.5"]}
        page = await box.open(visitor)
        await page.locator("#interface").select_option("wlan0")
        await page.locator("#method").select_option("static")
        await page.locator("#v6-method").select_option("static")
        assert await axe(page) == []
