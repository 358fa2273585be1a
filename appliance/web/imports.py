"""An import list from the browser: what it would change, and its taking over."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from datetime import datetime

from appliance.domain.model import DiscoveryEntry
from appliance.host import file_lock
from appliance.jobs import csv_import
from appliance.jobs.csv_import import ImportList, Result
from appliance.settings.schema import BadSettings, Home
from appliance.storage.printer_list import Line
from appliance.web.db_thread import Store
from appliance.web.errors import Trouble, sentence, wrong
from appliance.web.handlers import Asked, Routes
from appliance.web.jobs import Poller
from appliance.web.json_fields import Json, Object, text, truth
from appliance.web.settings_store import Settings
from appliance.web.timestamps import stamp

MOST_TOLD = 500  # of each kind of change


class Imports:
    """The API of import lists."""

    def __init__(
        self, home: Home, settings: Settings, store: Store, poller: Poller, clock: Callable[[], datetime]
    ) -> None:
        self._home = home
        self._settings = settings
        self._store = store
        self._poller = poller
        self._clock = clock

    def routes(self) -> Routes:
        return [("POST", "/api/discovery/import", self._import)]

    async def _import(self, asked: Asked) -> Object:
        body = asked.body
        listed = await asyncio.to_thread(_understood, _bytes(body, "list"), _bytes(body, "exclusions"))
        try:
            result = await self._store.ask(
                csv_import.run,
                self._home,
                listed,
                self._clock(),
                http=self._login(body),
                dry_run=truth(body, "dry_run") or False,
                force=truth(body, "force") or False,
            )
        except csv_import.Doubtful as error:
            raise Trouble(
                409, f"{sentence(str(error))} To import it anyway, say so.", code="doubt"
            ) from error
        except BadSettings as error:
            raise Trouble(409, f"The settings have to be mended first: {error.problems[0]}") from error
        except file_lock.Busy as error:
            raise Trouble(
                503, "Somebody else is changing the settings. Please try again.", code="busy"
            ) from error
        if result.applied:
            self._poller.wake()
        return _shaped(listed, result)

    def _login(self, body: Object) -> tuple[str, str]:
        """For the printers' web pages, of all entries of the list."""
        kept = self._settings.now.import_
        username, password = text(body, "http_username"), text(body, "http_password")
        if username is None and password is None:
            return kept.http_username, kept.http_password
        return username or "", password or ""


def _understood(listed: bytes, exclusions: bytes) -> ImportList:
    try:
        return csv_import.understand(listed, exclusions)
    except csv_import.Refused as error:
        raise wrong(f"list: {sentence(str(error))}", "list") from error


def _bytes(body: Object, key: str) -> bytes:
    try:
        return base64.b64decode(text(body, key) or "", validate=True)
    except ValueError as error:  # also of characters beyond ASCII
        raise wrong(f"{key}: is no base64.", key) from error


def _shaped(listed: ImportList, result: Result) -> dict[str, Json]:
    changes = result.changes
    told: dict[str, Json] = {
        "applied": result.applied,
        "text": sentence(csv_import.told(changes)),
        "doubt": changes.doubt,
        "unchanged": changes.unchanged,
        "excluded": list(changes.excluded[:MOST_TOLD]),
        "excluded_total": len(changes.excluded),
        "dropped": [_dropped(line) for line in changes.gone[:MOST_TOLD]],
        "dropped_total": len(changes.gone),
        "problems": list(listed.problems),
        "bad": listed.bad,
    }
    for key, entries in (
        ("added", changes.added),
        ("changed", changes.changed),
        ("removed", changes.removed),
    ):
        told[key] = _addresses(entries)
        told[f"{key}_total"] = len(entries)
    return told


def _addresses(entries: Sequence[DiscoveryEntry]) -> list[Json]:
    return [entry.addresses for entry in entries[:MOST_TOLD]]


def _dropped(line: Line) -> dict[str, Json]:
    return {
        "id": line.id,
        "address": line.target.host,
        "manufacturer": line.identity.manufacturer,
        "model": line.identity.model,
        "serial_number": line.identity.serial_number,
        "seen_at": stamp(line.seen_at),
    }
