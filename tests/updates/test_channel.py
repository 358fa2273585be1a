"""A channel's document, from a real HTTPS server: read, remembered, and never believed too much."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from appliance.storage import database
from appliance.updates import channel
from appliance.updates.channel import UpdateOffer
from appliance.updates.http_client import UpdateClient, UpdateFetchError

GOOD = '{"version": "1.1.0", "url": "plug-1.1.0.raucb", "notes": "Reads Oki better.\\nAnd\\u0007 more."}'


@dataclass
class Site:
    ca_file: Path
    port: int = 0
    text: str = GOOD
    status: int = 200
    asked: list[str] = field(default_factory=list)  # If-None-Match of each request

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/updates/plug.json"

    @property
    def client(self) -> UpdateClient:
        return UpdateClient(ca_file=str(self.ca_file))

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.headers.get("If-None-Match", ""))
        etag = f'"{hash(self.text):x}"'
        if self.asked[-1] == etag:
            return web.Response(status=304)
        return web.Response(status=self.status, text=self.text, headers={"ETag": etag})


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    authority = trustme.CA()
    made = Site(tmp_path / "ca.pem")
    authority.cert_pem.write_to_path(made.ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    app = web.Application()
    app.router.add_get("/updates/plug.json", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


async def test_it_names_a_version_and_where_its_bundle_is(site: Site, tmp_path: Path) -> None:
    offer = await channel.fetch_offer(site.client, site.url, None)
    assert (offer.version, offer.notes) == ("1.1.0", "Reads Oki better.\nAnd  more.")
    assert offer.url == f"https://127.0.0.1:{site.port}/updates/plug-1.1.0.raucb"
    db = database.open_database(tmp_path / "db")
    assert channel.load_offer(db) is None
    channel.save_offer(db, offer)
    assert channel.load_offer(db) == offer
    channel.save_offer(db, None)
    assert channel.load_offer(db) is None
    db.close()


async def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    first = await channel.fetch_offer(site.client, site.url, None)
    assert await channel.fetch_offer(site.client, site.url, first) == first
    assert site.asked == ["", first.etag]
    other = UpdateOffer("https://other.example.com/", first.etag, "9.9.9", "https://x/y", "")
    assert (await channel.fetch_offer(site.client, site.url, other)).version == "1.1.0"
    assert site.asked[-1] == "", "the mark of another channel says nothing here"
    site.text = GOOD.replace("1.1.0", "1.2.0")
    assert (await channel.fetch_offer(site.client, site.url, first)).version == "1.2.0"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "has no version or url"),
        ("[]", "has no version or url"),
        ('{"version": "1.1.0"}', "has no version or url"),
        ('{"version": 1, "url": "x"}', "has no version or url"),
        ('{"version": "newest", "url": "x"}', "'newest' is not a version such as 1.4.2"),
        ('{"version": "1.1", "url": "file:///etc/shadow"}', "has no address of a bundle"),
        ('{"version": "1.1", "url": "https://a b/"}', "has no address of a bundle"),
        (f'{{"version": "1.1", "url": "https://{"a" * 2000}"}}', "has no address of a bundle"),
        (" " * 70_000, "larger than 65536 bytes"),
        ("[" * 60_000, "has no version or url"),
    ],
)
async def test_a_document_that_is_none(site: Site, text: str, line: str) -> None:
    site.text = text
    with pytest.raises(UpdateFetchError, match=line):
        await channel.fetch_offer(site.client, site.url, None)


async def test_a_server_that_says_no_or_is_somebody_else(site: Site) -> None:
    site.status = 404
    with pytest.raises(UpdateFetchError, match="the server answered 404 Not Found"):
        await channel.fetch_offer(site.client, site.url, None)
    with pytest.raises(UpdateFetchError, match="TLS certificate not trusted"):
        await channel.fetch_offer(UpdateClient(), site.url, None)
    with pytest.raises(UpdateFetchError, match="ca_file /nowhere: No such file"):
        await channel.fetch_offer(UpdateClient(ca_file="/nowhere"), site.url, None)
    with pytest.raises(UpdateFetchError, match=r"127.0.0.1:1: Connect call failed|connection refused"):
        await channel.fetch_offer(site.client, "https://127.0.0.1:1/", None)
