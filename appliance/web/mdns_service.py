"""What is around the Plug: it announces itself by mDNS, and shows printers that do the same."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from appliance import __version__
from appliance.delivery import licence_policy
from appliance.discovery.address_ranges import InvalidEntryError
from appliance.discovery.entries import Coverage, Exclusions
from appliance.discovery.mdns import CHECK_INTERVAL_S, MdnsResponder
from appliance.discovery.mdns_cache import AnnouncedPrinter
from appliance.discovery.mdns_txt import PlugAnnouncement
from appliance.domain.messages import Message
from appliance.domain.model import Target
from appliance.host.network_info import list_lan_addresses
from appliance.settings.schema import Config, Home
from appliance.storage import printers
from appliance.web.db_thread import DatabaseThread
from appliance.web.handlers import ApiRequest, Routes
from appliance.web.json_fields import Json, JsonMapping, format_timestamp
from appliance.web.settings_store import SettingsStore

MDNS_ON_TEXT = Message("mdns.list")
MDNS_OFF_TEXT = Message("mdns.off")
MDNS_UNAVAILABLE_TEXT = Message("mdns.not_available")


@dataclass(frozen=True, slots=True)
class MdnsEnvironment:
    """The network that the Plug stands in."""

    addresses: Callable[[], tuple[str, ...]] = list_lan_addresses
    interfaces: tuple[str, ...] = ()  # by their addresses; none: all of ours
    check_interval_s: float = CHECK_INTERVAL_S


class MdnsApi:
    """The API of what is heard."""

    def __init__(
        self,
        home: Home,
        settings: SettingsStore,
        store: DatabaseThread,
        port: int | None,
        environment: MdnsEnvironment | None,
    ) -> None:
        self._home = home
        self._settings = settings
        self._store = store
        self._port = port
        self._neighbours = (
            MdnsResponder(
                self._build_announcement,
                environment.addresses,
                interfaces=environment.interfaces,
                check_interval=environment.check_interval_s,
            )
            if environment
            else None
        )

    def routes(self) -> Routes:
        return [("GET", "/api/discovery/heard", self._get_announced_printers)]

    @asynccontextmanager
    async def announce(self) -> AsyncIterator[None]:
        """Announced, while the block runs; goodbye in the end."""
        if self._neighbours is None:
            yield
            return
        staying = asyncio.create_task(self._neighbours.run())
        try:
            yield
        finally:
            staying.cancel()
            with suppress(asyncio.CancelledError):
                await staying

    def _build_announcement(self) -> PlugAnnouncement | None:
        config = self._settings.current
        if not config.plug.mdns or self._port is None:
            return None
        plug_id = licence_policy.resolve_plug_id(self._home, config)
        return PlugAnnouncement(plug_id, config.plug.name, config.plug.site, __version__, self._port)

    async def _get_announced_printers(self, _request: ApiRequest) -> JsonMapping:
        config, neighbours = self._settings.current, self._neighbours
        on = config.plug.mdns and neighbours is not None and neighbours.host is not None
        heard = neighbours.cache.list_printers() if on and neighbours else []
        known = await self._store.call(_printer_ids_by_host)
        return {
            "on": on,
            "text": MDNS_ON_TEXT if on else MDNS_UNAVAILABLE_TEXT if config.plug.mdns else MDNS_OFF_TEXT,
            "name": neighbours.host if on and neighbours else None,
            "printers": _serialize_announced_printers(heard, config, known),
        }


def _printer_ids_by_host(db: sqlite3.Connection) -> dict[str, int]:
    return {known.target.host: known.id for known in printers.list_known(db)}


def _serialize_announced_printers(
    announced: list[AnnouncedPrinter], config: Config, ids_by_host: dict[str, int]
) -> list[Json]:
    try:
        covered = Coverage(config.discovery.entries)
    except InvalidEntryError:
        covered = Coverage(())
    exclusions = Exclusions(config.discovery.exclusions)
    return [
        {
            "address": each.address,
            "name": each.name,
            "model": each.model,
            "location": each.location,
            "services": list(each.services),
            "heard_at": format_timestamp(each.heard_at),
            "covered": Target(each.address) in covered,
            "excluded": exclusions.excludes_name(each.address),
            "printer": ids_by_host.get(each.address),
        }
        for each in announced
    ]
