"""Read the counters of one printer from its embedded web server."""

from collections.abc import Awaitable, Callable

from appliance.domain.messages import message_of
from appliance.ews import brother, canon, lexmark
from appliance.ews.errors import EwsError
from appliance.ews.http_client import EwsClient
from appliance.ews.models import EwsCredentials, EwsData, EwsPorts, ScrapeResult, UrlScheme

SCRAPERS: dict[str, Callable[[EwsClient, str, int | None], Awaitable[EwsData]]] = {
    "Brother": brother.read_counters,
    "Canon": canon.read_counters,
    "Lexmark": lexmark.read_counters,
}


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
    """Read the vendor's page. Never raises EwsError: the result has the reason."""
    client = EwsClient(host, ports, credentials, scheme=scheme, credentials_rejected=credentials_rejected)
    data: EwsData | None = None
    reason = ""
    try:
        async with client:
            data = await SCRAPERS[vendor](client, path, total)
    except EwsError as error:
        reason = message_of(error)
    return ScrapeResult(data, reason, client.scheme, client.credentials_rejected)
