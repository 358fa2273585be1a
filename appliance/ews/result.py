"""What a printer's web page said, or why it could not be had.

PageError
├── NoPage         not there, not answering, too large, or not what was expected
└── Locked         there, but it wants a password
    └── Refused    it does not take the password that the entry holds
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.domain.model import CounterName


class EwsError(Exception):
    """No page; the text says why in one line."""


class EwsUnavailableError(EwsError):
    """Not there, not answering, too large, or not what was expected."""


class EwsLoginRequiredError(EwsError):
    """It wants a password, and the entry holds none."""


class EwsLoginRejectedError(EwsLoginRequiredError):
    """It does not take the password that the entry holds."""


@dataclass(frozen=True, slots=True)
class EwsPorts:
    """Where a printer's web server listens; nothing else of it is ever asked by TCP."""

    http: int = 80
    https: int = 443

    @classmethod
    def from_environment(cls) -> "EwsPorts":
        """80 and 443; tests name others, as those of a simulated printer are this computer's own."""
        named = os.environ.get("PRINTMONITOR_PAGE_PORTS")
        return cls(*map(int, named.split())) if named else cls()


@dataclass(frozen=True, slots=True)
class EwsData:
    """All that is taken from a page."""

    path: str  # the page that said it
    counters: Mapping[CounterName, int] = field(default_factory=dict)
    serial_number: str | None = None
    firmware: str | None = None
    levels: Mapping[str, int] = field(default_factory=dict)  # percent left, by the supply's name
