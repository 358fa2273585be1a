"""One visit to a printer's web pages, and what is to be remembered of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from appliance.ews import brother, canon, lexmark
from appliance.ews.http_client import EwsClient, EwsCredentials, UrlScheme
from appliance.ews.result import EwsData, EwsError, EwsPorts

SCRAPERS: dict[str, Callable[[EwsClient, str, int | None], Awaitable[EwsData]]] = {
    "Brother": brother.read_counters,
    "Canon": canon.read_counters,
    "Lexmark": lexmark.read_counters,
}


@dataclass(frozen=True, slots=True)
class ScrapeResult:
    """A page, or else why there is none."""

    data: EwsData | None
    reason: str
    scheme: UrlScheme  # by which the printer was reached
    credentials_rejected: bool  # whether it turned the credentials down, now or earlier


async def scrape_printer(
    vendor: str,
    host: str,
    ports: EwsPorts,
    credentials: EwsCredentials | None,
    *,
    path: str = "",
    scheme: UrlScheme = "http",
    credentials_rejected: bool = False,
    total: int | None = None,
) -> ScrapeResult:
    """Reads the maker's page; never raises for what a printer does."""
    client = EwsClient(host, ports, credentials, scheme=scheme, credentials_rejected=credentials_rejected)
    page: EwsData | None = None
    reason = ""
    try:
        async with client:
            page = await SCRAPERS[vendor](client, path, total)
    except EwsError as error:
        reason = str(error)
    return ScrapeResult(page, reason, client.scheme, client.credentials_rejected)
