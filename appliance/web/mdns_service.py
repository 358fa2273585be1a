"""What is around the Plug: it announces itself by mDNS, and shows printers that do the same."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from appliance import __version__
from appliance.delivery import licence_policy
from appliance.discovery.address_ranges import BadEntry
from appliance.discovery.entries import Coverage, Exclusions
from appliance.discovery.mdns import LOOK_SECONDS, Neighbours
from appliance.discovery.mdns_cache import HeardPrinter
from appliance.discovery.mdns_txt import Notice
from appliance.domain.model import Target
from appliance.host.lan_addresses import own_addresses
from appliance.settings.schema import Config, Home
from appliance.storage import printers
from appliance.web.db_thread import Store
from appliance.web.handlers import Asked, Routes
from appliance.web.json_fields import Json, Object
from appliance.web.settings_store import Settings
from appliance.web.timestamps import stamp

ON = "Printers that announce themselves by mDNS are listed here."
OFF = "mDNS is switched off in the settings (plug.mdns)."
NOT_HERE = "mDNS cannot be used here just now."


@dataclass(frozen=True, slots=True)
class Air:
    """The network that the Plug stands in."""

    addresses: Callable[[], tuple[str, ...]] = own_addresses
    interfaces: tuple[str, ...] = ()  # by their addresses; none: all of ours
    look: float = LOOK_SECONDS


class Around:
    """The API of what is heard."""

    def __init__(
        self, home: Home, settings: Settings, store: Store, port: int | None, air: Air | None
    ) -> None:
        self._home = home
        self._settings = settings
        self._store = store
        self._port = port
        self._neighbours = (
            Neighbours(self._notice, air.addresses, interfaces=air.interfaces, look=air.look) if air else None
        )

    def routes(self) -> Routes:
        return [("GET", "/api/discovery/heard", self._show)]

    @asynccontextmanager
    async def on_air(self) -> AsyncIterator[None]:
        """Announced, while the block runs; goodbye in the end."""
        if self._neighbours is None:
            yield
            return
        staying = asyncio.create_task(self._neighbours.stay())
        try:
            yield
        finally:
            staying.cancel()
            with suppress(asyncio.CancelledError):
                await staying

    def _notice(self) -> Notice | None:
        config = self._settings.now
        if not config.plug.mdns or self._port is None:
            return None
        plug_id = licence_policy.plug_id(self._home, config)
        return Notice(plug_id, config.plug.name, config.plug.site, __version__, self._port)

    async def _show(self, _asked: Asked) -> Object:
        config, neighbours = self._settings.now, self._neighbours
        on = config.plug.mdns and neighbours is not None and neighbours.host is not None
        heard = neighbours.heard.printers() if on and neighbours else []
        known = await self._store.ask(_known)
        return {
            "on": on,
            "text": ON if on else NOT_HERE if config.plug.mdns else OFF,
            "name": neighbours.host if on and neighbours else None,
            "printers": _shaped(heard, config, known),
        }


def _known(db: sqlite3.Connection) -> dict[str, int]:
    return {known.target.host: known.id for known in printers.known(db)}


def _shaped(heard: list[HeardPrinter], config: Config, known: dict[str, int]) -> list[Json]:
    try:
        covered = Coverage(config.discovery.entries)
    except BadEntry:
        covered = Coverage(())
    exclusions = Exclusions(config.discovery.exclusions)
    return [
        {
            "address": each.address,
            "name": each.name,
            "model": each.model,
            "location": each.location,
            "services": list(each.services),
            "heard_at": stamp(each.heard_at),
            "covered": Target(each.address) in covered,
            "excluded": exclusions.excludes_name(each.address),
            "printer": known.get(each.address),
        }
        for each in heard
    ]
