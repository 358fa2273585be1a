"""All printers in few columns: what a list needs, read in three passes over the database."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from appliance.domain.messages import decode
from appliance.domain.model import Alert, Details, Identity, Supply, Target
from appliance.domain.printer_status import AssessedPrinter, assess_printer
from appliance.domain.supplies import RECEPTACLE_ALERT_CODES, assess_supplies
from appliance.storage import database, json_codec


@dataclass(frozen=True, slots=True)
class PrinterSummary:
    """One printer of the list; details without the uptime."""

    id: int
    target: Target
    identity: Identity
    details: Details
    supplies: tuple[Supply, ...]
    pages: int | None  # counter `total`
    alerts: int
    receptacle_alerts: tuple[Alert, ...]  # those that say that a receptacle is full or nearly so
    seen_at: datetime
    failed_at: datetime | None
    failure: str | None
    device_group: int
    ignore: bool


@dataclass(frozen=True, slots=True)
class HeldCounter:
    """A counter's reading that is not believed yet."""

    value: int
    reason: str
    since: datetime


def iter_summaries(db: sqlite3.Connection) -> Iterator[PrinterSummary]:
    """Every printer, in order of their ids."""
    with database.snapshot(db):
        supplies: dict[int, list[Supply]] = {}
        for printer_id, data in db.execute(
            "SELECT printer_id, data FROM supplies ORDER BY printer_id, row_index"
        ):
            supplies.setdefault(printer_id, []).append(_decode_supply(data))
        receptacle_alerts: dict[int, list[Alert]] = {}
        for printer_id, data in db.execute(
            "SELECT printer_id, data FROM alerts WHERE json_extract(data, '$.code') BETWEEN ? AND ?",
            (min(RECEPTACLE_ALERT_CODES), max(RECEPTACLE_ALERT_CODES)),
        ):
            receptacle_alerts.setdefault(printer_id, []).append(json_codec.decode(Alert, data))
        found = db.execute(
            "SELECT id, target, identity, details, counters.value, seen_at, failed_at, failure,"
            " device_group, ignore,"
            " (SELECT count(*) FROM alerts WHERE alerts.printer_id = printers.id), failure_message"
            " FROM printers JOIN sightings ON sightings.printer_id = id"
            " LEFT JOIN counters ON counters.printer_id = id AND counters.name = 'total' ORDER BY id"
        )
        for row in found:
            yield PrinterSummary(
                id=row[0],
                target=_decode_target(row[1]),
                identity=_decode_identity(row[2]),
                details=_decode_details(row[3]),
                supplies=tuple(supplies.get(row[0], ())),
                pages=row[4],
                alerts=row[10],
                receptacle_alerts=tuple(receptacle_alerts.get(row[0], ())),
                seen_at=database.from_ms(row[5]),
                failed_at=database.from_ms_or_none(row[6]),
                failure=row[7] and decode(row[7], row[11]),
                device_group=row[8],
                ignore=bool(row[9]),
            )


def assess(summary: PrinterSummary) -> AssessedPrinter:
    """Judge a printer of the list."""
    supplies = tuple(assess_supplies(summary.supplies, summary.receptacle_alerts))
    state = assess_printer(
        summary.details, supplies, responding=summary.failure is None, ignored=summary.ignore
    )
    name = summary.details.name or summary.identity.model or summary.target.host
    return AssessedPrinter(
        summary.id, name, summary.details, supplies, state, summary.failure, summary.seen_at
    )


def get_held_counters(db: sqlite3.Connection, printer_id: int) -> dict[str, HeldCounter]:
    """The held readings of one printer by the names of their counters."""
    found = db.execute(
        "SELECT name, held_value, held_reason, held_at, held_message FROM counters"
        " WHERE printer_id = ? AND held_value IS NOT NULL",
        (printer_id,),
    )
    return {
        row[0]: HeldCounter(row[1], decode(row[2] or "", row[4]), database.from_ms(row[3] or 0))
        for row in found
    }


# Of thousands of printers few have changed since the list was asked for the last time; records are frozen.


@lru_cache(16_384)
def _decode_supply(text: str) -> Supply:
    return json_codec.decode(Supply, text)


@lru_cache(4_096)
def _decode_target(text: str) -> Target:
    return json_codec.decode(Target, text)


@lru_cache(4_096)
def _decode_identity(text: str) -> Identity:
    return json_codec.decode(Identity, text)


@lru_cache(4_096)
def _decode_details(text: str) -> Details:
    return json_codec.decode(Details, text)
