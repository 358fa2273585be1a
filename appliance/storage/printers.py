"""The printers that the Plug knows, with their last values, however long they have been silent."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from appliance.domain.messages import decode
from appliance.domain.model import Details, Identity, PollCost, Printer, Target
from appliance.storage import counters, database, json_codec, printer_matching, reading_notes, row_tables
from appliance.storage.history import load_history, prune_history
from appliance.storage.save_reading import store_poll_failure, store_reading

__all__ = [
    "KnownPrinter",
    "PrinterAddress",
    "delete_printer",
    "find_duplicate_serials",
    "get_poll_cache",
    "get_printer",
    "iter_printers",
    "list_addresses",
    "list_known",
    "load_history",
    "prune_history",
    "set_device_group",
    "set_ignore",
    "store_poll_failure",
    "store_reading",
]

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
        supplies = row_tables.SUPPLIES_TABLE.load(db, first_id, last_id)
        alerts = row_tables.ALERTS_TABLE.load(db, first_id, last_id)
        inputs = row_tables.INPUTS_TABLE.load(db, first_id, last_id)
        outputs = row_tables.OUTPUTS_TABLE.load(db, first_id, last_id)
        storages = row_tables.STORAGES_TABLE.load(db, first_id, last_id)
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
            failures=reading_notes.decode_failures(row[14]),
            notes=reading_notes.decode_notes(row[14]),
            cost=json_codec.decode(PollCost, row[10]),
            plan=row[11] or "",
            device_group=row[12],
            ignore=bool(row[13]),
        )
        for row in found
    ]
