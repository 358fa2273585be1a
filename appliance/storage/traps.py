"""The traps that came, the newest of each sender: a bounded ring, whoever sends however much."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appliance.domain.model import Trap
from appliance.storage import database, json_codec, key_value

MAX_TRAPS = 1_000
MAX_TRAPS_PER_SENDER = 100  # of one printer, or of one stranger
MAX_TRAPS_UNKNOWN_SENDERS = 300  # together: they must not push out what the printers said
REPEAT_WINDOW = timedelta(minutes=10)

_DROPPED_KEY = "traps.dropped"


@dataclass(frozen=True, slots=True)
class ReceivedTrap:
    """A trap as it is to be kept."""

    sender: str
    printer_id: int | None
    trap: Trap
    at: datetime
    times: int = 1


@dataclass(frozen=True, slots=True)
class StoredTrap:
    id: int
    first_at: datetime
    last_at: datetime
    times: int
    sender: str
    printer_id: int | None  # None: a stranger's
    trap: Trap


def save_traps(db: sqlite3.Connection, received: Iterable[ReceivedTrap]) -> None:
    """Keep them in one transaction; what repeats the sender's last one is counted there."""
    with database.transaction(db):
        senders = set()
        for each in received:
            _save_trap(db, each)
            senders.add((each.sender, each.printer_id))
        for sender, printer_id in senders:
            _prune_sender(db, sender, printer_id)
        if senders:
            _prune(db, "printer_id IS NULL", (), MAX_TRAPS_UNKNOWN_SENDERS)
            _prune(db, "1", (), MAX_TRAPS)


def assign_to_printer(db: sqlite3.Connection, sender: str, printer_id: int) -> None:
    """The stranger who sent these turned out to be a printer."""
    with database.transaction(db):
        db.execute(
            "UPDATE traps SET printer_id = (SELECT id FROM printers WHERE id = ?)"
            " WHERE sender = ? AND printer_id IS NULL",
            (printer_id, sender),
        )


def list_recent(db: sqlite3.Connection, limit: int = 200, printer_id: int | None = None) -> list[StoredTrap]:
    """The newest first; with `printer_id` those of one printer."""
    where, values = ("1", ()) if printer_id is None else ("printer_id = ?", (printer_id,))
    rows = db.execute(
        "SELECT id, first_at, last_at, times, sender, printer_id, data FROM traps"  # noqa: S608 own words only
        f" WHERE {where} ORDER BY last_at DESC, id DESC LIMIT ?",
        (*values, limit),
    )
    return [
        StoredTrap(
            row[0],
            database.from_ms(row[1]),
            database.from_ms(row[2]),
            row[3],
            row[4],
            row[5],
            json_codec.decode(Trap, row[6]),
        )
        for row in rows
    ]


def count_since(db: sqlite3.Connection, since: datetime) -> int:
    """How many came since then, as far as they are still kept."""
    row = db.execute("SELECT sum(times) FROM traps WHERE last_at >= ?", (database.to_ms(since),)).fetchone()
    return int(row[0] or 0)


def add_dropped(db: sqlite3.Connection, counts: Mapping[str, int]) -> None:
    """Count what was not kept, by reason."""
    with database.transaction(db):
        totals = get_dropped_counts(db)
        for reason, number in counts.items():
            totals[reason] = totals.get(reason, 0) + number
        key_value.put(db, _DROPPED_KEY, json_codec.encode_json(totals))


def get_dropped_counts(db: sqlite3.Connection) -> dict[str, int]:
    """How many were not kept, by reason, since the Plug was new."""
    found = json_codec.decode_json(key_value.get(db, _DROPPED_KEY) or "{}")
    return {reason: number for reason, number in found.items() if isinstance(number, int)}


def mark_reports_pending(db: sqlite3.Connection, printer_ids: Collection[int], now: datetime) -> None:
    """These printers were read after a trap, which the provider has not been told of."""
    moment = database.to_ms(now)
    with database.transaction(db):
        db.executemany(
            "INSERT OR REPLACE INTO reports_owed (printer_id, since) SELECT id, ? FROM printers WHERE id = ?",
            [(moment, printer_id) for printer_id in printer_ids],
        )


def list_pending_reports(db: sqlite3.Connection) -> list[int]:
    return [row[0] for row in db.execute("SELECT printer_id FROM reports_owed ORDER BY printer_id")]


def clear_pending_reports(db: sqlite3.Connection, until: datetime) -> None:
    """The provider has been told, or is not to be told, of all that was owed by then."""
    with database.transaction(db):
        db.execute("DELETE FROM reports_owed WHERE since <= ?", (database.to_ms(until),))


def _save_trap(db: sqlite3.Connection, received: ReceivedTrap) -> None:
    trap = replace(received.trap, uptime=None)  # which would make each trap another one
    data, moment = json_codec.encode(trap), database.to_ms(received.at)
    last = db.execute(
        "SELECT id, data, last_at FROM traps WHERE sender = ? AND printer_id IS ? ORDER BY id DESC LIMIT 1",
        (received.sender, received.printer_id),
    ).fetchone()
    if last and last[1] == data and abs(moment - last[2]) <= REPEAT_WINDOW // database.MILLISECOND:
        db.execute(
            "UPDATE traps SET times = times + ?, last_at = max(last_at, ?) WHERE id = ?",
            (received.times, moment, last[0]),
        )
        return
    db.execute(
        "INSERT INTO traps (printer_id, sender, first_at, last_at, times, data)"
        " VALUES ((SELECT id FROM printers WHERE id = ?), ?, ?, ?, ?, ?)",
        (received.printer_id, received.sender, moment, moment, received.times, data),
    )


def _prune_sender(db: sqlite3.Connection, sender: str, printer_id: int | None) -> None:
    if printer_id is None:
        _prune(db, "printer_id IS NULL AND sender = ?", (sender,), MAX_TRAPS_PER_SENDER)
    else:
        _prune(db, "printer_id = ?", (printer_id,), MAX_TRAPS_PER_SENDER)


def _prune(db: sqlite3.Connection, where: str, values: tuple[object, ...], limit: int) -> None:
    db.execute(
        f"DELETE FROM traps WHERE {where} AND id <="  # noqa: S608 own words only
        f" (SELECT id FROM traps WHERE {where} ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (*values, *values, limit),
    )
