"""What stands on the LAN besides the Plug: printers, and a provider with a cloud and a mail server."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

from tests.children import ROOT
from tests.fakes.agent import Agent
from tests.fakes.cloud import Cloud
from tests.fakes.lan import Lan as Printers
from tests.fakes.lan import fill
from tests.fakes.mailserver import RealServer
from tests.image.lan import FIRST_PRINTER, PRINTERS, PROVIDER, Lan
from tests.image.page import Page
from tests.provider.authority import Authority, Pair

VENDOR = Pair(ROOT / "image/development/ca.pem", ROOT / "image/development/ca.key")
VENDOR_ON_THE_PLUG = (
    "/usr/share/printmonitor/vendor-ca.pem"  # readable, and it vouches for the cloud of the tests
)
KEY = "key of the tests"
MAIL_PORT, UPDATES_PORT = 2525, 8080


@dataclass
class Provider:
    """Who sells the licences, and takes the parcels."""

    lan: Lan
    cloud: Cloud
    mail: RealServer
    authority: Authority

    def licence(self, request: bytes) -> str:
        """The file for a Plug's request."""
        now = datetime.now(UTC)
        terms = {
            "customer": "Muster AG",
            "partner": "Example Partner",
            "printers": 200,
            "upload_url": self.cloud.url,
            "transmission_key": KEY,
        }
        begin, end = now - timedelta(days=2), now + timedelta(days=365)
        return self.authority.licence(request, terms, begin, end).decode()

    def sign_up(self, page: Page) -> None:
        """The Plug gets its licence by file, and sends over HTTPS."""
        request = page.post("/api/licence/request")
        assert page.put("/api/licence", {"licence": self.licence(request)})["state"] == "valid"
        page.patch("/api/transmission", {"mode": "https", "https": {"ca_file": VENDOR_ON_THE_PLUG}})

    def write_to(self, page: Page) -> None:
        """From now on by mail."""
        mail = {
            "host": PROVIDER,
            "port": MAIL_PORT,
            "security": "none",
            "sender": "plug@customer.test",
            "recipient": "parcels@provider.test",
        }
        page.patch("/api/transmission", {"mode": "mail", "key": KEY, "mail": mail})

    def arrived(self) -> set[str]:
        """Parcels that the cloud has acknowledged."""
        return {key for key, status in self.cloud.requests if status in (200, 409)}


@contextmanager
def provider(lan: Lan, folder: Path) -> Iterator[Provider]:
    folder.mkdir(exist_ok=True)
    vendor = trustme.CA.from_pem(VENDOR.certificate.read_bytes(), VENDOR.key.read_bytes())
    shown = folder / "cloud.pem"
    vendor.issue_cert(PROVIDER, "provider.test").private_key_and_cert_chain_pem.write_to_path(shown)
    with ExitStack() as stack:
        cloud = stack.enter_context(lan.serving(Cloud(folder, host=PROVIDER, shown=shown)))
        cloud.trust(VENDOR.certificate)
        mail = stack.enter_context(lan.serving(RealServer(folder, host=PROVIDER, port=MAIL_PORT)))
        yield Provider(lan, cloud, mail, Authority(folder / "authority", root=VENDOR))


@contextmanager
def printers(lan: Lan, count: int) -> Iterator[Printers]:
    """So many printers that answer at UDP 161, each at an address of its own."""
    with lan.serving(Agent(161, network=PRINTERS)) as agent:
        office = Printers(agent)

        async def move_in() -> None:
            fill(office, count, first=FIRST_PRINTER, variety=False, delay=0.02)

        lan.do(move_in())
        yield office


@contextmanager
def web_server(lan: Lan, folder: Path) -> Iterator[str]:
    """A web server with Range, as RAUC's streaming wants it; gives its address."""
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, PROVIDER, UPDATES_PORT, reuse_address=True).start()

    lan.do(start())
    try:
        yield f"http://{PROVIDER}:{UPDATES_PORT}"
    finally:
        lan.do(runner.cleanup())


def last_printer(count: int) -> str:
    start, _, last = FIRST_PRINTER.rpartition(".")
    return f"{start}.{int(last) + count - 1}"


def look_for(page: Page, count: int) -> None:
    """The addresses of these printers become a discovery entry."""
    page.post("/api/discovery/entries", {"addresses": f"{FIRST_PRINTER}-{last_printer(count)}"})


def printable(answer: Any) -> str:
    return json.dumps(answer, indent=1)[:3000]
