"""The printers: all of them in a list, one of them in full, and what can be done with one."""

import csv
import io
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.model import Printer
from appliance.domain.supply_state import PERCENT, judge, percent
from appliance.storage import counters, database, printer_list, printers
from appliance.web import history_series, serializers
from appliance.web.db_thread import Store
from appliance.web.errors import Trouble, missing
from appliance.web.forecast import Forecast, forecast
from appliance.web.handlers import Asked, Download, Ready, Routes, ready
from appliance.web.jobs import Poller
from appliance.web.json_fields import Json, Object, number, truth

LOOK_BACK = timedelta(days=90)  # for forecasts: a cartridge ago tells no more than the last one does

COLUMNS = (
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
class Listed:
    """The whole list, ready to send."""

    rows: Sequence[Object]
    counts: dict[str, Json]
    ready: Ready


class Listing:
    """The list, made anew when the database has changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._version: tuple[int, int] | None = None
        self._listed: Listed | None = None

    async def now(self) -> Listed:
        """All printers."""
        version = await self._store.version()
        if self._listed is None or version != self._version:
            self._listed = await self._store.ask(_listed)
            self._version = version
        return self._listed


class Printers:
    """The API of the pages of the printers."""

    def __init__(self, store: Store, listing: Listing, poller: Poller, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._listing = listing
        self._poller = poller
        self._clock = clock

    def routes(self) -> Routes:
        return [
            ("GET", "/api/printers", self._list),
            ("GET", "/api/printers.csv", self._csv),
            ("GET", "/api/printers/{id}", self._show),
            ("PATCH", "/api/printers/{id}", self._change),
            ("DELETE", "/api/printers/{id}", self._forget),
            ("GET", "/api/printers/{id}/history", self._history),
            ("POST", "/api/printers/{id}/read", self._read),
            ("POST", "/api/printers/{id}/counters/{name}/confirm", self._confirm),
        ]

    async def _list(self, _asked: Asked) -> Ready:
        return (await self._listing.now()).ready

    async def _csv(self, asked: Asked) -> Download:
        listed = await self._listing.now()
        separator = ";" if asked.where.get("separator") == "semicolon" else ","
        return Download("printers.csv", "text/csv", _as_csv(listed.rows, separator))

    async def _show(self, asked: Asked) -> Object:
        return await self._store.ask(_printer, asked.id, self._clock())

    async def _change(self, asked: Asked) -> Object:
        return await self._store.ask(_change, asked.id, asked.body, self._clock())

    async def _forget(self, asked: Asked) -> None:
        await self._store.ask(_forget, asked.id)

    async def _history(self, asked: Asked) -> Object:
        return await self._store.ask(_history, asked.id, asked.where.get("range", "month"), self._clock())

    async def _read(self, asked: Asked) -> Object:
        await self._store.ask(_must_be_known, asked.id)
        return await self._poller.order("query", {"printers": [asked.id]})

    async def _confirm(self, asked: Asked) -> Object:
        return await self._store.ask(_confirm, asked.id, asked.where["name"], self._clock())


def _listed(db: sqlite3.Connection) -> Listed:
    rows = [serializers.row(line) for line in printer_list.lines(db)]
    counts = serializers.counts(rows)
    return Listed(rows, counts, ready({"printers": list(rows), "counts": counts}))


def _printer(db: sqlite3.Connection, printer_id: int, now: datetime) -> Object:
    with database.snapshot(db):
        known = _must_be_known(db, printer_id)
        points = printers.history(db, printer_id, now - LOOK_BACK)
        return serializers.printer(
            known,
            printer_list.held(db, printer_id),
            _forecasts(known, points, now),
            printers.addresses(db, printer_id),
        )


def _must_be_known(db: sqlite3.Connection, printer_id: int) -> Printer:
    known = printers.latest(db, printer_id)
    if known is None:
        raise missing(f"printer {printer_id}")
    return known


def _change(db: sqlite3.Connection, printer_id: int, body: Object, now: datetime) -> Object:
    with database.transaction(db):
        _must_be_known(db, printer_id)
        if (ignore := truth(body, "ignore")) is not None:
            printers.set_ignore(db, printer_id, ignore)
        if (group := number(body, "device_group")) is not None:
            printers.set_device_group(db, printer_id, group)
    return _printer(db, printer_id, now)


def _confirm(db: sqlite3.Connection, printer_id: int, name: str, now: datetime) -> Object:
    with database.transaction(db):
        _must_be_known(db, printer_id)
        if not counters.confirm(db, printer_id, name):
            raise Trouble(409, "Nothing is held of this counter: somebody has confirmed it, or the printer.")
    return _printer(db, printer_id, now)


def _forget(db: sqlite3.Connection, printer_id: int) -> None:
    with database.transaction(db):
        _must_be_known(db, printer_id)
        printers.forget(db, printer_id)


def _history(db: sqlite3.Connection, printer_id: int, span: str, now: datetime) -> Object:
    with database.snapshot(db):
        known = _must_be_known(db, printer_id)
        points = printers.history(db, printer_id, history_series.since(span, now))
    return history_series.history(known, points, span, now)


def _forecasts(known: Printer, points: history_series.Points, now: datetime) -> dict[int, Forecast | None]:
    """By index of the supply. A printer that is silent says nothing of the days since."""
    found = {}
    for kept in known.supplies:
        judged = judge(kept.row)
        capacity = kept.row.max_capacity
        shares = [
            (moment, share)
            for moment, values in points
            if (share := _left(values, kept.row.index, capacity, kept.row.unit)) is not None
        ]
        if judged.kind == "filled":
            shares = [(moment, 100 - share) for moment, share in shares]
        found[kept.row.index] = (
            forecast(shares, min(now, known.seen_at)) if judged.percent is not None else None
        )
    return found


def _left(values: dict[str, int], index: int, capacity: object, unit: int | None) -> float | None:
    most = values.get(f"capacity:{index}", capacity if isinstance(capacity, int) else None)
    return percent(values.get(f"supply:{index}"), most, is_percent=unit == PERCENT)


def _as_csv(rows: Iterable[Object], separator: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerow(COLUMNS)
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
        writer.writerow([_harmless(flat[column]) for column in COLUMNS])
    return text.getvalue().encode("utf-8-sig", "replace")


def _harmless(value: Json) -> Json:
    """A device's text must not become a formula in somebody's spreadsheet."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
