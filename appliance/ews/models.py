"""Define what is given to and returned from a visit to a printer's embedded web server.

This module stands apart from the HTTP client, since polls of most printers never need aiohttp.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from appliance.domain.model import CounterName

UrlScheme = Literal["http", "https"]


@dataclass(frozen=True, slots=True)
class EwsPorts:
    """The ports of a printer's web server; no other TCP port of a printer is ever contacted."""

    http: int = 80
    https: int = 443

    @classmethod
    def from_environment(cls) -> "EwsPorts":
        """Return 80 and 443, or the ports of a simulated printer, as tests set them."""
        ports = os.environ.get("PRINTMONITOR_PAGE_PORTS")
        return cls(*map(int, ports.split())) if ports else cls()


@dataclass(frozen=True, slots=True)
class EwsCredentials:
    """User name and password of the discovery entry for the printers' web pages."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class EwsData:
    """The values of one page."""

    path: str
    counters: Mapping[CounterName, int] = field(default_factory=dict)
    serial_number: str | None = None
    firmware: str | None = None
    levels: Mapping[str, int] = field(default_factory=dict)  # percent left, by the supply's name


@dataclass(frozen=True, slots=True)
class ScrapeResult:
    """The data of a page, or else the reason why there is none."""

    data: EwsData | None
    reason: str
    scheme: UrlScheme  # by which the printer was reached
    credentials_rejected: bool  # now or earlier
