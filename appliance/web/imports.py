"""An import list from the browser: what it would change, and its taking over."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from datetime import datetime

from appliance.domain.messages import Message
from appliance.domain.model import DiscoveryEntry
from appliance.host import file_lock
from appliance.jobs import csv_import
from appliance.jobs.csv_import import ImportList, ImportResult
from appliance.settings.schema import Home, SettingsError
from appliance.storage.printers import PrinterSummary
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError, invalid_value, to_sentence
from appliance.web.handlers import ApiRequest, Routes
from appliance.web.jobs import PollerClient
from appliance.web.json_fields import Json, JsonMapping, format_timestamp, get_bool, get_str
from appliance.web.settings_store import SettingsStore

MAX_REPORTED_CHANGES = 500  # of each kind of change


class ImportApi:
    """The API of import lists."""

    def __init__(
        self,
        home: Home,
        settings: SettingsStore,
        store: DatabaseThread,
        poller: PollerClient,
        clock: Callable[[], datetime],
    ) -> None:
        self._home = home
        self._settings = settings
        self._store = store
        self._poller = poller
        self._clock = clock

    def routes(self) -> Routes:
        return [("POST", "/api/discovery/import", self._import_list)]

    async def _import_list(self, request: ApiRequest) -> JsonMapping:
        body = request.body
        listed = await asyncio.to_thread(
            _parse_import_list, _decode_base64_field(body, "list"), _decode_base64_field(body, "exclusions")
        )
        try:
            result = await self._store.call(
                csv_import.apply_list,
                self._home,
                listed,
                self._clock(),
                http_credentials=self._web_credentials(body),
                dry_run=get_bool(body, "dry_run") or False,
                force=get_bool(body, "force") or False,
            )
        except csv_import.ImportConfirmationError as error:
            raise ApiError(409, Message("import.confirm", reason=error), code="doubt") from error
        except SettingsError as error:
            raise ApiError(409, Message("settings.fix_first", problem=error.problems[0])) from error
        except file_lock.LockBusyError as error:
            raise ApiError(503, Message("settings.locked"), code="busy") from error
        if result.applied:
            self._poller.wake()
        return _serialize_import_result(listed, result)

    def _web_credentials(self, body: JsonMapping) -> tuple[str, str]:
        """For the printers' web pages, of all entries of the list."""
        kept = self._settings.current.import_
        username, password = get_str(body, "http_username"), get_str(body, "http_password")
        if username is None and password is None:
            return kept.http_username, kept.http_password
        return username or "", password or ""


def _parse_import_list(entries: bytes, exclusions: bytes) -> ImportList:
    try:
        return csv_import.parse_list(entries, exclusions)
    except csv_import.ImportRejectedError as error:
        raise invalid_value(error, "list") from error


def _decode_base64_field(body: JsonMapping, key: str) -> bytes:
    try:
        return base64.b64decode(get_str(body, key) or "", validate=True)
    except ValueError as error:  # also of characters beyond ASCII
        raise invalid_value(Message("request.no_base64"), key) from error


def _serialize_import_result(import_list: ImportList, result: ImportResult) -> dict[str, Json]:
    changes = result.changes
    told: dict[str, Json] = {
        "applied": result.applied,
        "text": to_sentence(csv_import.format_changes(changes)),
        "doubt": changes.warning,
        "unchanged": changes.unchanged,
        "excluded": list(changes.excluded[:MAX_REPORTED_CHANGES]),
        "excluded_total": len(changes.excluded),
        "dropped": [_serialize_dropped_printer(line) for line in changes.unavailable[:MAX_REPORTED_CHANGES]],
        "dropped_total": len(changes.unavailable),
        "problems": list(import_list.problems),
        "bad": import_list.skipped_lines,
    }
    for key, entries in (
        ("added", changes.added),
        ("changed", changes.changed),
        ("removed", changes.removed),
    ):
        told[key] = _entry_addresses(entries)
        told[f"{key}_total"] = len(entries)
    return told


def _entry_addresses(entries: Sequence[DiscoveryEntry]) -> list[Json]:
    return [entry.addresses for entry in entries[:MAX_REPORTED_CHANGES]]


def _serialize_dropped_printer(line: PrinterSummary) -> dict[str, Json]:
    return {
        "id": line.id,
        "address": line.target.host,
        "manufacturer": line.identity.manufacturer,
        "model": line.identity.model,
        "serial_number": line.identity.serial_number,
        "seen_at": format_timestamp(line.seen_at),
    }
