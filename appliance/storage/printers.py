"""Query the known printers, with their last values."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from appliance.domain.messages import decode
from appliance.domain.model import Alert, Details, Identity, PollCost, Printer, Supply, Target
from appliance.domain.printer_status import AssessedPrinter, assess_printer
from appliance.domain.supplies import RECEPTACLE_ALERT_CODES, assess_supplies
from appliance.storage import counters, database, json_codec, printer_matching, save_reading

PRINTERS_PER_BATCH = 50  # printers in memory while all are gone through


@dataclass(frozen=True, slots=True)
class KnownPrinter:
    """As much of a printer as a round needs to ask it."""

    id: int
    target: Target
    identity: Identity
    sys_name: str | None  # sysName
    ignore: bool


@dataclass(frozen=True, slots=True)
class PrinterAddress:
    """Where a printer is, or was until it was seen there last."""

    host: str
    port: int
    name: str | None
    first_at: datetime
    last_at: datetime


def list_known(db: sqlite3.Connection) -> list[KnownPrinter]:
    """The printers that can be asked, in order of their ids.

    A printer whose last address is another one's now is left out until a discovery meets it again.
    """
    with database.snapshot(db):
        found = db.execute(
            "SELECT id, target, identity, details, ignore FROM printers WHERE NOT lost ORDER BY id"
        )
        return [
            KnownPrinter(
                id=printer_id,
                target=json_codec.decode(Target, target),
                identity=json_codec.decode(Identity, identity),
                sys_name=json_codec.decode(Details, details).name,
                ignore=bool(ignore),
            )
            for printer_id, target, identity, details, ignore in found
        ]


def list_created_between(
    db: sqlite3.Connection, first_at: datetime, last_at: datetime, limit: int
) -> list[tuple[int, Target, Identity]]:
    """Return id, target and identity of the printers that were met for the first time in a period."""
    rows = db.execute(
        "SELECT id, target, identity FROM printers WHERE created_at BETWEEN ? AND ? ORDER BY id LIMIT ?",
        (database.to_ms(first_at), database.to_ms(last_at), limit),
    )
    return [
        (printer_id, json_codec.decode(Target, target), json_codec.decode(Identity, identity))
        for printer_id, target, identity in rows
    ]


def get_poll_cache(db: sqlite3.Connection, printer_id: int) -> str:
    """What the reader asked to have remembered; "" for a printer that nobody has read."""
    row = db.execute("SELECT plan FROM plans WHERE printer_id = ?", (printer_id,)).fetchone()
    return "" if row is None else row[0]


def get_printer(db: sqlite3.Connection, printer_id: int) -> Printer | None:
    """One printer with its last values; None if it is not known."""
    return next(iter(_load_printers(db, printer_id, printer_id)), None)


def iter_printers(db: sqlite3.Connection) -> Iterator[Printer]:
    """Every printer with its last values, in order of their ids, few of them in memory at a time."""
    last_id = 0
    while True:
        ids = db.execute(
            "SELECT min(id), max(id) FROM (SELECT id FROM printers WHERE id > ? ORDER BY id LIMIT ?)",
            (last_id, PRINTERS_PER_BATCH),
        ).fetchone()
        if ids[0] is None:
            return
        yield from _load_printers(db, *ids)
        last_id = ids[1]


def list_addresses(db: sqlite3.Connection, printer_id: int) -> list[PrinterAddress]:
    """Everywhere that a printer has been, the present address first."""
    found = db.execute(
        "SELECT addresses.host, addresses.port, addresses.name, first_at,"
        " CASE WHEN addresses.host = printers.host AND addresses.port = printers.port AND NOT lost"
        " THEN seen_at ELSE last_at END AS last_at"
        " FROM addresses JOIN printers ON printers.id = addresses.printer_id"
        " JOIN sightings ON sightings.printer_id = printers.id"
        " WHERE addresses.printer_id = ? ORDER BY 5 DESC, first_at DESC",
        (printer_id,),
    )
    return [
        PrinterAddress(row[0], row[1], row[2], database.from_ms(row[3]), database.from_ms(row[4]))
        for row in found
    ]


def find_duplicate_serials(db: sqlite3.Connection, now: datetime) -> list[tuple[str, list[int]]]:
    """Serial numbers that several printers claim, all of them there, with the printers' ids."""
    since = database.to_ms(now - printer_matching.PRESENT_WITHIN)
    claimed: dict[str, list[int]] = {}
    for serial, printer_id in db.execute(
        "SELECT serial, id FROM printers JOIN sightings ON printer_id = id"
        " WHERE serial IS NOT NULL AND failed_at IS NULL AND seen_at >= ? ORDER BY serial, id",
        (since,),
    ):
        claimed.setdefault(serial, []).append(printer_id)
    return [(serial, ids) for serial, ids in claimed.items() if len(ids) > 1]


def set_ignore(db: sqlite3.Connection, printer_id: int, ignore: bool) -> None:
    with database.transaction(db):
        db.execute("UPDATE printers SET ignore = ? WHERE id = ?", (ignore, printer_id))


def set_device_group(db: sqlite3.Connection, printer_id: int, device_group: int) -> None:
    with database.transaction(db):
        db.execute("UPDATE printers SET device_group = ? WHERE id = ?", (device_group, printer_id))


def delete_printer(db: sqlite3.Connection, printer_id: int) -> None:
    """Drop a printer with all that was kept of it; its id is never given again."""
    with database.transaction(db):
        db.execute("DELETE FROM printers WHERE id = ?", (printer_id,))


def _load_printers(db: sqlite3.Connection, first_id: int, last_id: int) -> list[Printer]:
    with database.snapshot(db):
        counted = counters.load_counters(db, first_id, last_id)
        supplies = save_reading.SUPPLIES_TABLE.load(db, first_id, last_id)
        alerts = save_reading.ALERTS_TABLE.load(db, first_id, last_id)
        inputs = save_reading.INPUTS_TABLE.load(db, first_id, last_id)
        outputs = save_reading.OUTPUTS_TABLE.load(db, first_id, last_id)
        storages = save_reading.STORAGES_TABLE.load(db, first_id, last_id)
        found = db.execute(
            "SELECT id, target, identity, details, uptime, created_at, changed_at, seen_at, failed_at,"
            " failure, cost, plan, device_group, ignore, remarks, failure_message FROM printers"
            " JOIN sightings ON sightings.printer_id = id LEFT JOIN plans ON plans.printer_id = id"
            " WHERE id BETWEEN ? AND ? ORDER BY id",
            (first_id, last_id),
        ).fetchall()
    return [
        Printer(
            id=row[0],
            target=json_codec.decode(Target, row[1]),
            identity=json_codec.decode(Identity, row[2]),
            details=replace(json_codec.decode(Details, row[3]), uptime=row[4]),
            counters=tuple(counted.get(row[0], ())),
            supplies=tuple(supplies.get(row[0], ())),
            alerts=tuple(alerts.get(row[0], ())),
            inputs=tuple(inputs.get(row[0], ())),
            outputs=tuple(outputs.get(row[0], ())),
            storages=tuple(storages.get(row[0], ())),
            created_at=database.from_ms(row[5]),
            changed_at=database.from_ms(row[6]),
            seen_at=database.from_ms(row[7]),
            failed_at=database.from_ms_or_none(row[8]),
            failure=row[9] and decode(row[9], row[15]),
            failures=save_reading.decode_failures(row[14]),
            notes=save_reading.decode_notes(row[14]),
            cost=json_codec.decode(PollCost, row[10]),
            plan=row[11] or "",
            device_group=row[12],
            ignore=bool(row[13]),
        )
        for row in found
    ]


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
