"""The traps that came, the newest of each sender: a bounded ring, whoever sends however much."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appliance.domain.model import Trap
from appliance.storage import database, json_codec, key_value

MOST_KEPT = 1_000
MOST_OF_ONE = 100  # of one printer, or of one stranger
MOST_OF_STRANGERS = 300  # together: they must not push out what the printers said
SAME_WITHIN = timedelta(minutes=10)

_DROPPED = "traps.dropped"


@dataclass(frozen=True, slots=True)
class Came:
    """A trap as it is to be kept."""

    sender: str
    printer_id: int | None
    trap: Trap
    at: datetime
    times: int = 1


@dataclass(frozen=True, slots=True)
class KeptTrap:
    id: int
    first_at: datetime
    last_at: datetime
    times: int
    sender: str
    printer_id: int | None  # None: a stranger's
    trap: Trap


def keep(db: sqlite3.Connection, came: Iterable[Came]) -> None:
    """Keep them in one transaction; what repeats the sender's last one is counted there."""
    with database.transaction(db):
        senders = set()
        for each in came:
            _keep(db, each)
            senders.add((each.sender, each.printer_id))
        for sender, printer_id in senders:
            _prune_one(db, sender, printer_id)
        if senders:
            _prune(db, "printer_id IS NULL", (), MOST_OF_STRANGERS)
            _prune(db, "1", (), MOST_KEPT)


def adopt(db: sqlite3.Connection, sender: str, printer_id: int) -> None:
    """The stranger who sent these turned out to be a printer."""
    with database.transaction(db):
        db.execute(
            "UPDATE traps SET printer_id = (SELECT id FROM printers WHERE id = ?)"
            " WHERE sender = ? AND printer_id IS NULL",
            (printer_id, sender),
        )


def recent(db: sqlite3.Connection, most: int = 200, printer_id: int | None = None) -> list[KeptTrap]:
    """The newest first; with `printer_id` those of one printer."""
    where, values = ("1", ()) if printer_id is None else ("printer_id = ?", (printer_id,))
    rows = db.execute(
        "SELECT id, first_at, last_at, times, sender, printer_id, data FROM traps"  # noqa: S608 own words only
        f" WHERE {where} ORDER BY last_at DESC, id DESC LIMIT ?",
        (*values, most),
    )
    return [
        KeptTrap(
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
        totals = dropped(db)
        for reason, number in counts.items():
            totals[reason] = totals.get(reason, 0) + number
        key_value.put(db, _DROPPED, json_codec.encode_json(totals))


def dropped(db: sqlite3.Connection) -> dict[str, int]:
    """How many were not kept, by reason, since the Plug was new."""
    found = json_codec.decode_json(key_value.get(db, _DROPPED) or "{}")
    return {reason: number for reason, number in found.items() if isinstance(number, int)}


def owe_report(db: sqlite3.Connection, printer_ids: Collection[int], now: datetime) -> None:
    """These printers were read after a trap, which the provider has not been told of."""
    moment = database.to_ms(now)
    with database.transaction(db):
        db.executemany(
            "INSERT OR REPLACE INTO reports_owed (printer_id, since) SELECT id, ? FROM printers WHERE id = ?",
            [(moment, printer_id) for printer_id in printer_ids],
        )


def reports_owed(db: sqlite3.Connection) -> list[int]:
    return [row[0] for row in db.execute("SELECT printer_id FROM reports_owed ORDER BY printer_id")]


def settle_reports(db: sqlite3.Connection, until: datetime) -> None:
    """The provider has been told, or is not to be told, of all that was owed by then."""
    with database.transaction(db):
        db.execute("DELETE FROM reports_owed WHERE since <= ?", (database.to_ms(until),))


def _keep(db: sqlite3.Connection, each: Came) -> None:
    trap = replace(each.trap, uptime=None)  # which would make each trap another one
    data, moment = json_codec.encode(trap), database.to_ms(each.at)
    last = db.execute(
        "SELECT id, data, last_at FROM traps WHERE sender = ? AND printer_id IS ? ORDER BY id DESC LIMIT 1",
        (each.sender, each.printer_id),
    ).fetchone()
    if last and last[1] == data and abs(moment - last[2]) <= SAME_WITHIN // database.MILLISECOND:
        db.execute(
            "UPDATE traps SET times = times + ?, last_at = max(last_at, ?) WHERE id = ?",
            (each.times, moment, last[0]),
        )
        return
    db.execute(
        "INSERT INTO traps (printer_id, sender, first_at, last_at, times, data)"
        " VALUES ((SELECT id FROM printers WHERE id = ?), ?, ?, ?, ?, ?)",
        (each.printer_id, each.sender, moment, moment, each.times, data),
    )


def _prune_one(db: sqlite3.Connection, sender: str, printer_id: int | None) -> None:
    if printer_id is None:
        _prune(db, "printer_id IS NULL AND sender = ?", (sender,), MOST_OF_ONE)
    else:
        _prune(db, "printer_id = ?", (printer_id,), MOST_OF_ONE)


def _prune(db: sqlite3.Connection, where: str, values: tuple[object, ...], most: int) -> None:
    db.execute(
        f"DELETE FROM traps WHERE {where} AND id <="  # noqa: S608 own words only
        f" (SELECT id FROM traps WHERE {where} ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (*values, *values, most),
    )
