"""What somebody should look at, for the Plug's light: a file that is empty where there is nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from appliance.delivery import licence_policy, outbox
from appliance.privileged import led
from appliance.settings.schema import Config, Home
from appliance.storage import events

# Troubles of the Plug itself; a printer without paper is no matter of its light.
KINDS = frozenset({"licence", "disk nearly full", "outbox growing", "database not usable"})


def tell(db: sqlite3.Connection, home: Home, config: Config, now: datetime) -> None:
    """Written only where it changes."""
    text = "".join(f"{line}\n" for line in _lines(db, home, config, now))
    path = home.run / led.ATTENTION
    with suppress(OSError):  # /run is full, or not ours: a light is not worth more
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def _lines(db: sqlite3.Connection, home: Home, config: Config, now: datetime) -> Iterator[str]:
    if config.transmission.mode == "off":
        yield "nothing is sent: the transmission is switched off"
    elif obstacle := licence_policy.blocking_reason(home, now):
        yield obstacle
    elif not licence_policy.apply_licence(home, config).transmission.key:
        yield "nothing is sent: there is no licence"
    if outbox.count_by_state(db, "refused"):
        yield "the receiver refuses parcels"
    yield from (event.text for event in events.list_ongoing(db) if event.kind in KINDS)
