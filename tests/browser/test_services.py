"""The services: what may be pressed on the box, after a question; elsewhere why there is nothing to press."""

import json
from pathlib import Path

from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Visitor, filled
from tests.browser.plug import SCRIPT

DESCRIBED = json.loads((Path(__file__).parents[2] / "webui/openapi.json").read_text())["components"][
    "schemas"
]
SERVICES = {"poller": "active", "traps": "failed", "web": "active"}


class Box:
    """What the API of an installed Plug says; its pages are the same, this computer has no such units."""

    def __init__(self) -> None:
        self.states = dict(SERVICES)
        self.asked: list[str] = []

    async def stand_in(self, page: Page) -> None:
        await page.route("**/api/services**", self._answer)
        await page.route("**/api/services/**", self._answer)

    async def _answer(self, route: Route) -> None:
        path = route.request.url.partition("/api/services")[2].partition("?")[0]
        if path.endswith("/log"):
            await route.fulfill(json=self._log(path.split("/")[1]))
        elif route.request.method == "POST":
            self.asked.append(path)
            _, name, action = path.split("/")
            self.states[name] = "inactive" if action == "stop" else "active"
            await route.fulfill(status=202, json={"text": "It was asked for.", "id": "0123456789abcdef"})
        else:
            shown = [self._service(name, state) for name, state in self.states.items()]
            await route.fulfill(json={"available": True, "text": "", "services": shown})

    def _service(self, name: str, state: str) -> dict[str, object]:
        service = {
            "name": name,
            "unit": f"printmonitor-{name}.service",
            "state": state,
            "detail": "running",
            "since": "2026-03-01T09:30:00Z",
            "memory_bytes": 41_000_000,
            "restarts": 2,
            "actions": ["stop", "restart"] if state == "active" else ["start", "restart"],
        }
        assert set(service) == set(DESCRIBED["Service"]["required"])
        return service

    def _log(self, name: str) -> dict[str, object]:
        lines = [
            {"at": "2026-03-01T09:30:00Z", "level": "info", "text": f"{name} begins"},
            {"at": "2026-03-01T09:31:00Z", "level": "error", "text": SCRIPT},
        ]
        return {"available": True, "text": "", "lines": lines}


async def test_page_says_what_it_cannot_do_here(visitor: Visitor) -> None:
    page = await visitor.open("/services", "de")
    for name in ("Lesen", "Traps", "Diese Seite"):
        await expect(page.get_by_role("heading", name=name)).to_be_visible()
    if await page.locator("#services button").count() == 0:
        await expect(page.locator("#elsewhere")).to_be_visible()


async def test_services_are_stopped_and_started(visitor: Visitor) -> None:
    box, page = Box(), await visitor.blank(storage_state=visitor.cookies)
    await box.stand_in(page)
    await page.goto("/services")
    await filled(page)
    reading = page.locator("section.service").first
    await reading.get_by_role("button", name="Stop").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Cancel").click()
    assert box.asked == []
    await reading.get_by_role("button", name="Stop").click()
    await dialog.get_by_role("button", name="Stop").click()
    await expect(reading.get_by_role("button", name="Start: Reading", exact=True)).to_be_visible()
    # Nothing is lost by a start: no question.
    await reading.get_by_role("button", name="Start: Reading", exact=True).click()
    await expect(reading.get_by_role("button", name="Stop")).to_be_visible()
    assert box.asked == ["/poller/stop", "/poller/start"]


async def test_log_lines_are_chosen_by_service_and_level(visitor: Visitor) -> None:
    box, page = Box(), await visitor.blank(storage_state=visitor.cookies)
    await box.stand_in(page)
    await page.goto("/services")
    await filled(page)
    log = page.locator("#log")
    await page.locator("#level").select_option("info")
    await expect(log).to_contain_text("poller begins")
    await expect(log).to_contain_text(SCRIPT)
    await page.locator("#service").select_option("traps")
    await expect(log).to_contain_text("traps begins")
    await page.locator("#level").select_option("error")
    await expect(log.locator("li")).to_have_count(1)
