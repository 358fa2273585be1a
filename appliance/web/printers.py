"""The printers: all of them in a list, one of them in full, and what can be done with one."""

import csv
import io
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.attention import AttentionReason, printer_reasons
from appliance.domain.messages import Message
from appliance.domain.model import Printer
from appliance.domain.supplies import UNIT_PERCENT, assess_supplies, percent_of_capacity
from appliance.storage import counters, database, history, printers
from appliance.web import history_series, serializers
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError
from appliance.web.handlers import ApiRequest, Download, EncodedJson, Routes, encode_json
from appliance.web.history_series import SupplyForecast, forecast_depletion
from appliance.web.jobs import PollerClient
from appliance.web.json_fields import Json, JsonMapping, get_bool, get_int

FORECAST_HISTORY = timedelta(days=90)  # for forecasts: a cartridge ago tells no more than the last one does

CSV_COLUMNS = (
    *("id", "state", "manufacturer", "model", "serial_number", "mac_address", "address", "dns_name", "name"),
    *(
        "location",
        "pages",
        "lowest_supply",
        "lowest_percent",
        "errors",
        "failure",
        "seen_at",
        "device_group",
        "ignore",
    ),
)


@dataclass(frozen=True, slots=True)
class PrinterList:
    """The whole list, ready to send, and what needs attention in it."""

    rows: Sequence[JsonMapping]
    attention: Sequence[AttentionReason]
    counts: dict[str, Json]
    encoded: EncodedJson


class PrinterListCache:
    """The list, made anew when the database has changed."""

    def __init__(self, store: DatabaseThread) -> None:
        self._store = store
        self._version: tuple[int, int] | None = None
        self._cached: PrinterList | None = None

    async def get(self) -> PrinterList:
        """All printers."""
        version = await self._store.data_version()
        if self._cached is None or version != self._version:
            self._cached = await self._store.call(_build_printer_list)
            self._version = version
        return self._cached


class PrintersApi:
    """The API of the pages of the printers."""

    def __init__(
        self,
        store: DatabaseThread,
        list_cache: PrinterListCache,
        poller: PollerClient,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._list_cache = list_cache
        self._poller = poller
        self._clock = clock

    def routes(self) -> Routes:
        return [
            ("GET", "/api/printers", self._get_printers),
            ("GET", "/api/printers.csv", self._download_printers_csv),
            ("GET", "/api/printers/{id}", self._get_printer),
            ("PATCH", "/api/printers/{id}", self._patch_printer),
            ("DELETE", "/api/printers/{id}", self._delete_printer),
            ("GET", "/api/printers/{id}/history", self._get_history),
            ("POST", "/api/printers/{id}/read", self._poll_printer),
            ("POST", "/api/printers/{id}/counters/{name}/confirm", self._confirm_counter),
        ]

    async def _get_printers(self, _request: ApiRequest) -> EncodedJson:
        return (await self._list_cache.get()).encoded

    async def _download_printers_csv(self, request: ApiRequest) -> Download:
        listed = await self._list_cache.get()
        separator = ";" if request.params.get("separator") == "semicolon" else ","
        return Download("printers.csv", "text/csv", _format_csv(listed.rows, separator))

    async def _get_printer(self, request: ApiRequest) -> JsonMapping:
        return await self._store.call(_load_printer_json, request.path_id, self._clock())

    async def _patch_printer(self, request: ApiRequest) -> JsonMapping:
        return await self._store.call(_update_printer, request.path_id, request.body, self._clock())

    async def _delete_printer(self, request: ApiRequest) -> None:
        await self._store.call(_delete_printer, request.path_id)

    async def _get_history(self, request: ApiRequest) -> JsonMapping:
        return await self._store.call(
            _load_history, request.path_id, request.params.get("range", "month"), self._clock()
        )

    async def _poll_printer(self, request: ApiRequest) -> JsonMapping:
        await self._store.call(_require_printer, request.path_id)
        return await self._poller.request_run("query", {"printers": [request.path_id]})

    async def _confirm_counter(self, request: ApiRequest) -> JsonMapping:
        return await self._store.call(
            _confirm_counter, request.path_id, request.params["name"], self._clock()
        )


def _build_printer_list(db: sqlite3.Connection) -> PrinterList:
    rows: list[dict[str, Json]] = []
    attention: list[AttentionReason] = []
    for summary in printers.iter_summaries(db):
        assessed = printers.assess(summary)
        rows.append(serializers.serialize_printer_row(summary, assessed))
        attention.extend(printer_reasons([assessed]))
    counts = serializers.count_by_state(rows)
    return PrinterList(rows, attention, counts, encode_json({"printers": list(rows), "counts": counts}))


def _load_printer_json(db: sqlite3.Connection, printer_id: int, now: datetime) -> JsonMapping:
    with database.snapshot(db):
        known = _require_printer(db, printer_id)
        points = history.load_history(db, printer_id, now - FORECAST_HISTORY)
        return serializers.serialize_printer(
            known,
            printers.get_held_counters(db, printer_id),
            _forecast_supplies(known, points, now),
            printers.list_addresses(db, printer_id),
        )


def _require_printer(db: sqlite3.Connection, printer_id: int) -> Printer:
    known = printers.get_printer(db, printer_id)
    if known is None:
        raise ApiError(404, Message("printer.not_found", printer=printer_id))
    return known


def _update_printer(db: sqlite3.Connection, printer_id: int, body: JsonMapping, now: datetime) -> JsonMapping:
    with database.transaction(db):
        _require_printer(db, printer_id)
        if (ignore := get_bool(body, "ignore")) is not None:
            printers.set_ignore(db, printer_id, ignore)
        if (group := get_int(body, "device_group")) is not None:
            printers.set_device_group(db, printer_id, group)
    return _load_printer_json(db, printer_id, now)


def _confirm_counter(db: sqlite3.Connection, printer_id: int, name: str, now: datetime) -> JsonMapping:
    with database.transaction(db):
        _require_printer(db, printer_id)
        if not counters.confirm_held(db, printer_id, name):
            raise ApiError(409, Message("counter.nothing_held"))
    return _load_printer_json(db, printer_id, now)


def _delete_printer(db: sqlite3.Connection, printer_id: int) -> None:
    with database.transaction(db):
        _require_printer(db, printer_id)
        printers.delete_printer(db, printer_id)


def _load_history(db: sqlite3.Connection, printer_id: int, span: str, now: datetime) -> JsonMapping:
    with database.snapshot(db):
        known = _require_printer(db, printer_id)
        points = history.load_history(db, printer_id, history_series.range_start(span, now))
    return history_series.serialize_history(known, points, span, now)


def _forecast_supplies(
    printer: Printer, points: history_series.HistoryPoints, now: datetime
) -> dict[int, SupplyForecast | None]:
    """Return the forecasts by the index of the supply; of a receptacle, for the space that is left.

    The days since a printer responded last count for nothing.
    """
    forecasts: dict[int, SupplyForecast | None] = {}
    rows = [stored.row for stored in printer.supplies]
    for assessed in assess_supplies(rows, (stored.row for stored in printer.alerts)):
        supply = assessed.supply
        levels = [
            (moment, percent)
            for moment, values in points
            if (percent := _percent_left(values, supply.index, supply.max_capacity, supply.unit)) is not None
        ]
        forecasts[supply.index] = (
            None if assessed.percent is None else forecast_depletion(levels, min(now, printer.seen_at))
        )
    return forecasts


def _percent_left(values: dict[str, int], index: int, capacity: object, unit: int | None) -> float | None:
    most = values.get(f"capacity:{index}", capacity if isinstance(capacity, int) else None)
    return percent_of_capacity(values.get(f"supply:{index}"), most, is_percent=unit == UNIT_PERCENT)


def _format_csv(rows: Iterable[JsonMapping], separator: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        low = row["lowest_supply"]
        lowest = low if isinstance(low, dict) else {}
        errors = row["errors"]
        flat = {
            **row,
            "lowest_supply": lowest.get("description") or lowest.get("color"),
            "lowest_percent": lowest.get("percent"),
            "errors": " ".join(str(error) for error in errors) if isinstance(errors, list) else "",
        }
        writer.writerow([_escape_formula(flat[column]) for column in CSV_COLUMNS])
    return text.getvalue().encode("utf-8-sig", "replace")


def _escape_formula(value: Json) -> Json:
    """A device's text must not become a formula in somebody's spreadsheet."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
