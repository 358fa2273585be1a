"""A real browser on a running Plug. Whatever a page complains about, fails the test that opened it."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Download, Page, async_playwright

from tests.browser import plug as plugs
from tests.browser.plug import PASSWORD, Plug

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
LOCALES = {"en": "en-GB", "de": "de-DE"}
THERE = CHROMIUM.exists()
PATIENCE = 15_000  # milliseconds; two cores are shared by the browser, the Plug and its printers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One loop for all tests of the browser: it serves the Plug that they look at."""
    for item in items:
        ours = Path(__file__).parent in Path(item.path).parents
        if ours and isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@dataclass
class Visitor:
    """Somebody who looks at a Plug, logged in unless said otherwise."""

    browser: Browser
    plug: Plug
    cookies: dict[str, list[dict[str, str]]]
    complaints: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    async def open(
        self, path: str, language: str = "en", *, scheme: str = "light", width: int = 1280, **more: object
    ) -> Page:
        """A page that has been filled, in a browser of its own."""
        page = await self.blank(language, scheme=scheme, width=width, storage_state=self.cookies, **more)
        await page.goto(path)
        await filled(page)
        return page

    async def blank(
        self, language: str = "en", *, scheme: str = "light", width: int = 1280, **more: object
    ) -> Page:
        """An empty page of a browser that knows nothing of the Plug."""
        more.setdefault("viewport", {"width": width, "height": 900})
        context = await self.browser.new_context(
            base_url=self.plug.base,
            locale=LOCALES[language],
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            ignore_https_errors=True,  # a Plug's own certificate
            **more,  # type: ignore[arg-type]
        )
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self._sees(request.url))
        return page

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"console: {text}")

    def _sees(self, url: str) -> None:
        if not url.startswith((self.plug.base, "data:", "blob:")):
            self.complaints.append(f"a request to somebody else: {url}")

    def expect(self, text: str) -> None:
        """Forgive complaints with this text: the test provokes them."""
        self.forgiven.append(text)

    def check(self) -> None:
        """Nothing was complained about, but what was expected."""
        assert [each for each in self.complaints if not any(text in each for text in self.forgiven)] == []


async def arrive(page: Page, path: str) -> None:
    """Wait until the browser is at this page, whatever comes after its path."""
    await page.wait_for_url(lambda url: urlsplit(url).path == path)


async def saved(download: Download) -> bytes:
    """What a download brought."""
    return await asyncio.to_thread(Path(await download.path()).read_bytes)


async def filled(page: Page) -> None:
    await page.wait_for_selector("body[data-ready]")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if not THERE:
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def plug(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plug]:
    """The Plug that most tests look at; who changes it, changes it back."""
    async with plugs.full(tmp_path_factory.mktemp("plug")) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cookies(chromium: Browser, plug: Plug) -> dict[str, list[dict[str, str]]]:
    return await log_in(chromium, plug)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(
    chromium: Browser, plug: Plug, cookies: dict[str, list[dict[str, str]]]
) -> AsyncIterator[Visitor]:
    visitor = Visitor(chromium, plug, cookies)
    yield visitor
    for context in visitor.contexts:
        await context.close()
    visitor.check()


async def log_in(browser: Browser, plug: Plug, password: str = PASSWORD) -> dict[str, list[dict[str, str]]]:
    """The cookies of a login."""
    context = await browser.new_context(base_url=plug.base, ignore_https_errors=True)
    answer = await context.request.post(
        "/api/session",
        headers={"Origin": plug.base, "Content-Type": "application/json"},
        data=json.dumps({"username": "admin", "password": password}),
    )
    assert answer.ok, await answer.text()
    cookies = await context.storage_state()
    await context.close()
    return cookies  # type: ignore[return-value]
