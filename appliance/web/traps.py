"""Traps: the receiver's settings, and what came lately."""

import sqlite3
from dataclasses import replace

from appliance.domain.messages import Message
from appliance.settings.schema import Config, Home
from appliance.storage import database, printers, traps
from appliance.storage.traps import StoredTrap
from appliance.web import services
from appliance.web.db_thread import DatabaseThread
from appliance.web.handlers import ApiRequest, Routes
from appliance.web.json_fields import Json, JsonMapping, format_timestamp, get_bool, get_int
from appliance.web.services import trap_receiver_state
from appliance.web.settings_store import SettingsStore

STATE_TEXTS = {
    "off": Message("traps.off"),
    "running": Message("traps.on"),
    "stopped": Message("traps.down"),
    "unknown": Message("traps.unknown"),
}


class TrapsApi:
    """The API of the page of the traps."""

    def __init__(self, home: Home, settings: SettingsStore, store: DatabaseThread) -> None:
        self._home = home
        self._settings = settings
        self._store = store

    def routes(self) -> Routes:
        return [("GET", "/api/traps", self._get_traps), ("PATCH", "/api/traps", self._update_trap_settings)]

    async def _get_traps(self, _request: ApiRequest) -> JsonMapping:
        return await self._serialize_traps(self._settings.current)

    async def _update_trap_settings(self, request: ApiRequest) -> JsonMapping:
        body = request.body

        def change(config: Config) -> Config:
            wanted = config.traps
            if (enabled := get_bool(body, "enabled")) is not None:
                wanted = replace(wanted, enabled=enabled)
            if (port := get_int(body, "port")) is not None:
                wanted = replace(wanted, port=port)
            communities = body.get("communities")
            if isinstance(communities, list):
                wanted = replace(wanted, communities=tuple(str(each) for each in communities))
            return replace(config, traps=wanted)

        config = await self._settings.update(change, "traps")
        services.request_apply_settings(self._home)
        return await self._serialize_traps(config)

    async def _serialize_traps(self, config: Config) -> dict[str, Json]:
        state = await trap_receiver_state(config.traps)
        return {
            "enabled": config.traps.enabled,
            "port": config.traps.port,
            "communities": list(config.traps.communities),
            "state": state,
            "state_text": STATE_TEXTS[state],
            "traps": await self._store.call(_serialize_recent_traps),
        }


def _serialize_recent_traps(db: sqlite3.Connection) -> list[Json]:
    with database.snapshot(db):
        names = {known.id: known.identity.model or known.target.host for known in printers.list_known(db)}
        return [_serialize_trap(kept, names.get(kept.printer_id or 0)) for kept in traps.list_recent(db)]


def _serialize_trap(kept: StoredTrap, name: str | None) -> dict[str, Json]:
    return {
        "id": kept.id,
        "at": format_timestamp(kept.last_at),
        "first_at": format_timestamp(kept.first_at),
        "times": kept.times,
        "sender": kept.sender,
        "printer": kept.printer_id,
        "printer_name": name,
        "kind": kept.trap.kind,
        "text": kept.trap.text,
        "severity": kept.trap.severity,
        "objects": list(kept.trap.objects),
    }
