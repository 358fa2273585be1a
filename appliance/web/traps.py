"""Traps: the receiver's settings, and what came lately."""

import sqlite3
from dataclasses import replace

from appliance.settings.schema import Config, Home
from appliance.storage import database, printers, traps
from appliance.storage.traps import KeptTrap
from appliance.web import privileged_client
from appliance.web.db_thread import Store
from appliance.web.handlers import Asked, Routes
from appliance.web.json_fields import Json, Object, number, truth
from appliance.web.services import receiver_state
from appliance.web.settings_store import Settings
from appliance.web.timestamps import stamp

STATES = {
    "off": "The trap receiver is switched off.",
    "running": "The trap receiver runs.",
    "stopped": "The trap receiver does not run.",
    "unknown": "Whether the trap receiver runs is not known here.",
}


class Traps:
    """The API of the page of the traps."""

    def __init__(self, home: Home, settings: Settings, store: Store) -> None:
        self._home = home
        self._settings = settings
        self._store = store

    def routes(self) -> Routes:
        return [("GET", "/api/traps", self._show), ("PATCH", "/api/traps", self._change)]

    async def _show(self, _asked: Asked) -> Object:
        return await self._shaped(self._settings.now)

    async def _change(self, asked: Asked) -> Object:
        body = asked.body

        def change(config: Config) -> Config:
            wanted = config.traps
            if (enabled := truth(body, "enabled")) is not None:
                wanted = replace(wanted, enabled=enabled)
            if (port := number(body, "port")) is not None:
                wanted = replace(wanted, port=port)
            communities = body.get("communities")
            if isinstance(communities, list):
                wanted = replace(wanted, communities=tuple(str(each) for each in communities))
            return replace(config, traps=wanted)

        config = await self._settings.change(change, "traps")
        privileged_client.apply(self._home)
        return await self._shaped(config)

    async def _shaped(self, config: Config) -> dict[str, Json]:
        state = await receiver_state(config.traps)
        return {
            "enabled": config.traps.enabled,
            "port": config.traps.port,
            "communities": list(config.traps.communities),
            "state": state,
            "state_text": STATES[state],
            "traps": await self._store.ask(_recent),
        }


def _recent(db: sqlite3.Connection) -> list[Json]:
    with database.snapshot(db):
        names = {known.id: known.identity.model or known.target.host for known in printers.known(db)}
        return [_row(kept, names.get(kept.printer_id or 0)) for kept in traps.recent(db)]


def _row(kept: KeptTrap, name: str | None) -> dict[str, Json]:
    return {
        "id": kept.id,
        "at": stamp(kept.last_at),
        "first_at": stamp(kept.first_at),
        "times": kept.times,
        "sender": kept.sender,
        "printer": kept.printer_id,
        "printer_name": name,
        "kind": kept.trap.kind,
        "text": kept.trap.text,
        "severity": kept.trap.severity,
        "objects": list(kept.trap.objects),
    }
