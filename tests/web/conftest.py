"""A running page on real sockets, and a browser's way of talking to it; answers are checked as described."""

import base64
import hashlib
import json
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema_rs
import pytest

from appliance.domain.model import (
    Alert,
    Counter,
    CounterName,
    Details,
    Identity,
    InputTray,
    OutputTray,
    PollCost,
    Reading,
    Storage,
    Supply,
    Target,
    VagueAmount,
)
from appliance.settings import schema
from appliance.settings.schema import Config, Home
from appliance.storage import database, save_reading
from appliance.web import listeners, service
from appliance.web.listeners import ListenSockets
from appliance.web.mdns_service import MdnsEnvironment
from appliance.web.static_files import find_webui_dir

PASSWORD = "correct horse battery"
SCRIPT = "<script>alert('model')</script>"


@cache
def password_hash() -> str:
    """Of the password, by a scrypt that takes no time: there are hundreds of logins here."""
    salt = b"0123456789abcdef"
    digest = hashlib.scrypt(PASSWORD.encode(), salt=salt, n=2, r=1, p=1, dklen=32)
    return f"scrypt$2$1$1${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


@cache
def description() -> dict[str, Any]:
    return json.loads((find_webui_dir() / "openapi.json").read_bytes())


@cache
def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    schemas = description()["components"]["schemas"]
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}, validate_formats=True
    )


@cache
def described(method: str, path: str) -> dict[str, Any]:
    """The operation that a concrete path belongs to."""
    for pattern, operations in description()["paths"].items():
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(pattern)), path):
            return operations.get(method.lower(), {})
    return {}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json["error"])


class Browser:
    """Sends what a browser on the Plug's own page sends."""

    def __init__(self, base: str, session: aiohttp.ClientSession) -> None:
        self.base = base
        self.session = session

    async def ask(self, method: str, path: str, body: object = None, **more: Any) -> Answer:
        headers = {"Origin": self.base, **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        more.setdefault("allow_redirects", False)
        async with self.session.request(method, f"{self.base}{path}", headers=headers, **more) as response:
            answer = Answer(response.status, response.headers, await response.read())
        check(method, path.partition("?")[0], answer)
        return answer

    async def get(self, path: str, **more: Any) -> Any:
        answer = await self.ask("GET", path, **more)
        assert answer.status == 200, answer.body
        return answer.json

    async def log_in(self, password: str = PASSWORD) -> Answer:
        return await self.ask("POST", "/api/session", {"username": "admin", "password": password})


def check(method: str, path: str, answer: Answer) -> None:
    """An answer of the API is as described: status, type, and every field."""
    operation = described("GET" if method == "HEAD" else method, path)
    if not operation:
        return
    known = operation["responses"].get(str(answer.status))
    assert known is not None or answer.status == 405, f"{method} {path}: {answer.status} is not described"
    if known is None or not answer.body:
        return
    if "$ref" in known:
        known = description()["components"]["responses"][known["$ref"].rpartition("/")[2]]
    media_type = answer.headers["Content-Type"].partition(";")[0]
    assert media_type in known.get("content", {}), f"{method} {path}: {media_type} is not described"
    if media_type == "application/json":
        validator(known["content"][media_type]["schema"]["$ref"].rpartition("/")[2]).validate(answer.json)


@dataclass
class Page:
    """A page that runs."""

    home: Home
    base: str
    port: int
    tls_port: int | None

    @property
    def secure(self) -> str:
        return f"https://127.0.0.1:{self.tls_port}"

    @asynccontextmanager
    async def browser(self, base: str | None = None) -> AsyncIterator[Browser]:
        jar = aiohttp.CookieJar(unsafe=True)
        connector = aiohttp.TCPConnector(ssl=False)
        async with aiohttp.ClientSession(cookie_jar=jar, connector=connector) as session:
            yield Browser(base or self.base, session)

    def change(self, **sections: Any) -> Config:
        """Settings, as if somebody edited the file."""
        now = schema.load_settings(self.home)
        changed = replace(now, **{key: replace(getattr(now, key), **more) for key, more in sections.items()})
        schema.save_settings(self.home, changed)
        return changed


@asynccontextmanager
async def running(
    home: Home,
    *,
    tls: bool = False,
    patience: float = listeners.REQUEST_HEAD_TIMEOUT_S,
    air: MdnsEnvironment | None = None,
    root: Path = Path("/"),
) -> AsyncIterator[Page]:
    plain, secure = _socket(), _socket() if tls else None
    async with service.start_service(
        home, ListenSockets(plain, secure), patience, mdns=air, root=root
    ) as ways:
        assert ways.port
        yield Page(home, f"http://127.0.0.1:{ways.port}", ways.port, ways.tls_port)


def _socket() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


@pytest.fixture
def plug(tmp_path: Path) -> Home:
    """A Plug whose password was changed, and which says nothing to the LAN that the tests run in."""
    made = Home(tmp_path / "plug")
    made.create_folders()
    standard = Config()
    schema.save_settings(
        made,
        replace(
            standard,
            plug=replace(standard.plug, mdns=False),
            web=replace(standard.web, password_hash=password_hash()),
        ),
    )
    return made


@pytest.fixture
async def page(plug: Home) -> AsyncIterator[Page]:
    async with running(plug) as made:
        yield made


@pytest.fixture
async def stranger(page: Page) -> AsyncIterator[Browser]:
    """A browser that is not logged in."""
    async with page.browser() as browser:
        yield browser


@pytest.fixture
async def browser(stranger: Browser) -> Browser:
    """A browser that is logged in."""
    assert (await stranger.log_in()).status == 200
    return stranger


def reading(
    number: int,
    *,
    model: str = "LaserJet 9",
    errors: tuple[str, ...] = (),
    level: int | VagueAmount = 60,
    pages: int = 1000,
) -> Reading:
    """One printer with something of everything."""
    return Reading(
        Target(f"127.0.1.{number}", port=16100, snmp_version="2"),
        Identity("HP", model, f"SN{number}", f"{number:012X}", "1.3.6.1.4.1.11.2.3.9.1"),
        Details(f"printer-{number}", "Room 1", None, "HP ETHERNET", "2.1", "Ready", 3, 2, errors, 360_000),
        counters=(Counter(CounterName.TOTAL, pages, "prtMarkerLifeCount.1.1"),),
        supplies=(
            Supply(1, 3, 3, "black", "Black Toner", 19, 100, level),
            Supply(2, 4, 4, None, "Waste Toner", 19, 100, VagueAmount.SOME_LEFT),
            Supply(3, None, 99, None, None, None, VagueAmount.UNKNOWN, VagueAmount.OTHER),
        ),
        alerts=(Alert(1, 4, 3, 8, 1, None, 808, "Tray 1 low", 100),),
        inputs=(InputTray(1, 3, 4, 11000, 8500, 297000, 210000, 8, 500, 250, 0, "iso-a4", name="Tray 1"),),
        outputs=(OutputTray(1, 3, 8, 100, VagueAmount.UNKNOWN, 21),),
        storages=(Storage(1, "1.3.6.1.2.1.25.2.1.2", "RAM", 1024, 4096, 1024, 0),),
        cost=PollCost(8, 4000, 0.2),
    )


@pytest.fixture
def fleet(plug: Home) -> list[int]:
    """Three printers: one is well, one jammed, one silent with a script for a name."""
    now = datetime.now(UTC)
    db = database.open_database(plug.database)
    try:
        ids = [
            save_reading.store_reading(db, reading(1), now - timedelta(days=2)),
            save_reading.store_reading(db, reading(2, errors=("jammed", "lowToner"), level=5), now),
            save_reading.store_reading(db, reading(3, model=SCRIPT), now - timedelta(hours=3)),
        ]
        save_reading.store_reading(db, reading(1, level=40, pages=1500), now - timedelta(minutes=10))
        save_reading.store_poll_failure(db, ids[2], "silent", now)
    finally:
        db.close()
    return ids
