"""A visit to a simulated web server, as a reading makes it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.ews.http_client import Client, Credentials
from appliance.ews.result import Ports
from appliance.ews.scrape import Visited, visit
from tests.fakes.website import Handler, Website

ADDRESS = "127.0.9.1"


def ports(site: Website) -> Ports:
    return Ports(site.http, site.https)


async def visited(
    maker: str, site: Website, password: str = "", username: str = "", **more: object
) -> Visited:
    credentials = Credentials(username, password) if password else None
    return await visit(maker, site.address, ports(site), credentials, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def client_of(
    handler: Handler, seconds: float = 5.0, **how: bool
) -> AsyncIterator[tuple[Website, Client]]:
    async with (
        Website(handler, ADDRESS, **how) as site,
        Client(site.address, ports(site), Credentials("admin", "s3cret"), seconds=seconds) as client,
    ):
        yield site, client
