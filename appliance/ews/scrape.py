"""One visit to a printer's web pages, and what is to be remembered of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from appliance.ews import brother, canon, lexmark
from appliance.ews.http_client import Client, Credentials, Scheme
from appliance.ews.result import Page, PageError, Ports

READERS: dict[str, Callable[[Client, str, int | None], Awaitable[Page]]] = {
    "Brother": brother.read,
    "Canon": canon.read,
    "Lexmark": lexmark.read,
}


@dataclass(frozen=True, slots=True)
class Visited:
    """A page, or else why there is none."""

    page: Page | None
    reason: str
    scheme: Scheme  # by which the printer was reached
    refused: bool  # whether it turned the credentials down, now or earlier


async def visit(
    maker: str,
    host: str,
    ports: Ports,
    credentials: Credentials | None,
    *,
    path: str = "",
    scheme: Scheme = "http",
    refused: bool = False,
    total: int | None = None,
) -> Visited:
    """Reads the maker's page; never raises for what a printer does."""
    client = Client(host, ports, credentials, scheme=scheme, refused=refused)
    page: Page | None = None
    reason = ""
    try:
        async with client:
            page = await READERS[maker](client, path, total)
    except PageError as error:
        reason = str(error)
    return Visited(page, reason, client.scheme, client.refused)
