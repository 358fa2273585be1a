"""A reading becomes what the Plug knows of a printer, in one transaction that writes only what changed."""

import sqlite3
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TypeVar

from appliance.domain.model import Details, Identity, Reading, Target
from appliance.storage import (
    address_history,
    counters,
    database,
    history,
    json_codec,
    printer_matching,
    reading_notes,
    row_tables,
)

Record = TypeVar("Record", Identity, Details)

_COLUMNS = ("serial", "maker", "mac", "host", "port", "name", "lost", "target", "identity", "details")


@dataclass(frozen=True, slots=True)
class _Past:
    """A printer's row as it was before this reading."""

    id: int
    target: Target
    identity: Identity
    details: Details
    columns: tuple[object, ...]  # all that a reading may change, in the order of _COLUMNS


def keep(db: sqlite3.Connection, reading: Reading, now: datetime) -> int:
    """Keep all that a printer said, under the printer that it is; give that printer's id.

    Times never run back for a printer: where the clock did, the reading counts as just after the last one.
    """
    with database.transaction(db):
        who = printer_matching.claim(reading.identity, reading.target)
        known = printer_matching.candidates(db, who)
        moment = database.to_ms(now)
        same = printer_matching.recognise(known, who, moment)
        if same is not None:
            moment = max(moment, same.seen_at + 1)
        past = _past(db, _begin(db, reading, moment) if same is None else same.id)
        _keep_printer(db, past, reading, moment)
        _keep_sighting(db, past.id, reading, moment)
        if same is None:
            address_history.begin(db, past.id, reading.target, moment)
        else:
            address_history.keep(db, same, past.target, reading, moment)
            address_history.absorb(db, printer_matching.ghosts(known, who, same), same, moment)
        address_history.evict(db, printer_matching.evicted(known, who, past.id), reading.target, moment)
        address_history.tell_rivals(db, printer_matching.rivals(known, who, past.id, moment), reading, moment)
        return past.id


def keep_failure(db: sqlite3.Connection, printer_id: int, reason: str, now: datetime) -> None:
    """A printer did not answer, or not usefully: its last values stay, with their age."""
    with database.transaction(db):
        db.execute(
            "UPDATE sightings SET failed_at = max(?, seen_at), failure = ? WHERE printer_id = ?",
            (database.to_ms(now), database.storable(reason), printer_id),
        )


def _begin(db: sqlite3.Connection, reading: Reading, moment: int) -> int:
    cursor = db.execute(
        "INSERT INTO printers (host, port, target, identity, details, created_at, changed_at)"
        " VALUES (?, ?, ?, '{}', '{}', ?, ?)",
        (reading.target.host, reading.target.port, json_codec.encode(reading.target), moment, moment),
    )
    printer_id = cursor.lastrowid or 0
    db.execute("INSERT INTO sightings (printer_id, seen_at) VALUES (?, ?)", (printer_id, moment))
    return printer_id


def _past(db: sqlite3.Connection, printer_id: int) -> _Past:
    columns = db.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM printers WHERE id = ?",  # noqa: S608 own names only
        (printer_id,),
    ).fetchone()
    target, who, details = columns[-3:]
    return _Past(
        printer_id,
        json_codec.decode(Target, target),
        json_codec.decode(Identity, who),
        json_codec.decode(Details, details),
        tuple(columns),
    )


def _keep_printer(db: sqlite3.Connection, past: _Past, reading: Reading, moment: int) -> None:
    failed = {failure.part for failure in reading.failures}
    counted = _keep_values(db, past.id, reading, failed, moment)
    who = _filled(reading.identity, past.identity)
    details = _filled(reading.details, past.details) if "details" in failed else reading.details
    details = replace(details, uptime=None)
    claim = printer_matching.claim(who, reading.target)
    columns = (
        *(claim.serial, claim.maker, claim.mac, claim.host, claim.port, claim.name, 0),
        *(json_codec.encode(reading.target), json_codec.encode(who), json_codec.encode(details)),
    )
    if columns != past.columns:
        db.execute(
            f"UPDATE printers SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE id = ?",  # noqa: S608
            (*columns, past.id),
        )
    if counted or (who, details) != (past.identity, past.details):
        db.execute("UPDATE printers SET changed_at = ? WHERE id = ?", (moment, past.id))


def _keep_values(
    db: sqlite3.Connection, printer_id: int, reading: Reading, failed: set[str], moment: int
) -> bool:
    """Keep counters and tables; a table that could not be read stays as it was. Whether a counter changed."""
    before = _values(db, printer_id)
    elapsed = _elapsed(db, printer_id, reading, moment)
    counted = counters.keep(
        db, printer_id, reading.counters, moment, partial="counters" in failed, elapsed=elapsed
    )
    row_tables.keep(db, printer_id, reading, failed, moment)
    history.record(db, printer_id, before, _values(db, printer_id), moment)
    return counted


def _elapsed(db: sqlite3.Connection, printer_id: int, reading: Reading, moment: int) -> int:
    """Milliseconds since the last reading, by our clock or by the printer's: ours may have stood still."""
    seen_at: int
    before: int | None
    seen_at, before = db.execute(
        "SELECT seen_at, uptime FROM sightings WHERE printer_id = ?", (printer_id,)
    ).fetchone()
    uptime = reading.details.uptime
    theirs = 0 if before is None or uptime is None else 10 * (uptime - before)
    return max(moment - seen_at, theirs)


def _values(db: sqlite3.Connection, printer_id: int) -> history.Values:
    counted = counters.of(db, printer_id, printer_id).get(printer_id, [])
    supplies = row_tables.SUPPLIES.of(db, printer_id, printer_id).get(printer_id, [])
    return history.values(counted, [kept.row for kept in supplies])


def _keep_sighting(db: sqlite3.Connection, printer_id: int, reading: Reading, moment: int) -> None:
    uptime = reading.details.uptime
    db.execute(
        "UPDATE sightings SET seen_at = ?, failed_at = NULL, failure = NULL, uptime = ?, cost = ?,"
        " remarks = ? WHERE printer_id = ?",
        (
            moment,
            uptime if uptime is not None and uptime <= row_tables.LARGEST else None,
            json_codec.encode(reading.cost),
            reading_notes.encoded(reading.failures, reading.notes),
            printer_id,
        ),
    )
    plan = database.storable(reading.plan)
    old = db.execute("SELECT plan FROM plans WHERE printer_id = ?", (printer_id,)).fetchone()
    if old is None or old[0] != plan:
        db.execute("INSERT OR REPLACE INTO plans (printer_id, plan) VALUES (?, ?)", (printer_id, plan))


def _filled(new: Record, old: Record) -> Record:
    """`new`, with what it does not say taken from `old`."""
    silent = [field.name for field in fields(new) if getattr(new, field.name) == field.default]
    return replace(new, **{name: getattr(old, name) for name in silent})
