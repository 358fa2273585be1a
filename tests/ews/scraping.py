"""A visit to a simulated web server, as a reading makes it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from appliance.ews.http_client import EwsClient
from appliance.ews.models import EwsCredentials, EwsPorts, ScrapeResult
from appliance.ews.scrape import scrape_printer
from tests.fakes.website import Handler, Website

ADDRESS = "127.0.9.1"


def ports(site: Website) -> EwsPorts:
    return EwsPorts(site.http, site.https)


async def visited(
    maker: str, site: Website, password: str = "", username: str = "", **more: object
) -> ScrapeResult:
    credentials = EwsCredentials(username, password) if password else None
    return await scrape_printer(maker, site.address, ports(site), credentials, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def client_of(
    handler: Handler, seconds: float = 5.0, **how: bool
) -> AsyncIterator[tuple[Website, EwsClient]]:
    async with (
        Website(handler, ADDRESS, **how) as site,
        EwsClient(site.address, ports(site), EwsCredentials("admin", "s3cret"), timeout_s=seconds) as client,
    ):
        yield site, client
