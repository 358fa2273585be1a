"""Where printers are and were; moves, doubles and taken addresses are told as events."""

import sqlite3
from collections.abc import Iterable, Sequence

from appliance.domain.messages import Message, encode
from appliance.domain.model import Identity, Reading, Target
from appliance.storage import database, events
from appliance.storage.printer_matching import PRESENT_WITHIN, MatchCandidate

# Kinds of events; the subject is the printer's id, for the first one the serial number.
DUPLICATE_SERIAL = "two printers with one serial number"
MULTIPLE_ADDRESSES = "printer at two addresses"
ADDRESS_CHANGED = "printer address changed"
PRINTERS_MERGED = "printer met twice"

_RECENT_MS = PRESENT_WITHIN // database.MILLISECOND


def insert_address(db: sqlite3.Connection, printer_id: int, target: Target, moment: int) -> None:
    """Write down where a printer is; coming back to an address keeps the time when it was there first."""
    db.execute(
        "INSERT INTO addresses (printer_id, host, port, name, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET name = excluded.name, last_at = excluded.last_at",
        (printer_id, target.host, target.port, target.name, moment, moment),
    )


def update_address(
    db: sqlite3.Connection, match: MatchCandidate, old: Target, reading: Reading, moment: int
) -> None:
    """Write down where a known printer is now, after it was seen last where `old` says."""
    target = reading.target
    if (old.host, old.port, old.name) != (target.host, target.port, target.name):
        if (old.host, old.port) != (target.host, target.port):
            db.execute(
                "UPDATE addresses SET last_at = ? WHERE printer_id = ? AND host = ? AND port = ?",
                (match.seen_at, match.id, old.host, old.port),
            )
            _record_move(db, match.id, old, reading, moment)
        insert_address(db, match.id, target, moment)
    elif not _was_recently_elsewhere(db, match.id, target, moment):
        events.end(db, MULTIPLE_ADDRESSES, str(match.id), database.from_ms(moment))


def merge_duplicates(
    db: sqlite3.Connection, duplicates: Iterable[MatchCandidate], match: MatchCandidate, moment: int
) -> None:
    """A printer that was met before it said who it is, and counted as another, is forgotten as such."""
    for ghost in duplicates:
        db.execute("DELETE FROM printers WHERE id = ?", (ghost.id,))
        text = Message("printer.merged", ghost=ghost.id, host=ghost.keys.host, printer=match.id)
        events.note(db, PRINTERS_MERGED, str(match.id), text, database.from_ms(moment))


def mark_displaced(
    db: sqlite3.Connection, displaced: Iterable[MatchCandidate], target: Target, moment: int
) -> None:
    """Another printer answers where these were last: they are not asked there any more."""
    for other in displaced:
        db.execute("UPDATE printers SET lost = 1 WHERE id = ?", (other.id,))
        text = Message("printer.displaced", host=target.host)
        db.execute(
            "UPDATE sightings SET failed_at = max(?, seen_at), failure = ?, failure_message = ?"
            " WHERE printer_id = ?",
            (moment, text, encode(text), other.id),
        )


def update_serial_conflict(
    db: sqlite3.Connection, conflicting: Sequence[MatchCandidate], reading: Reading, moment: int
) -> None:
    """Say once that several printers claim one serial number, and once that it is over."""
    serial = reading.identity.serial_number
    if serial is None:
        return
    now = database.from_ms(moment)
    if conflicting:
        places = ", ".join(sorted([reading.target.host, *(rival.keys.host for rival in conflicting)]))
        text = Message("printer.same_serial", hosts=places, serial=serial)
        events.begin(db, DUPLICATE_SERIAL, serial, text, now)
    else:
        events.end(db, DUPLICATE_SERIAL, serial, now)


def _record_move(db: sqlite3.Connection, printer_id: int, old: Target, reading: Reading, moment: int) -> None:
    """Back within a day where it was: then it is at two addresses, and that is said once."""
    new = reading.target.host
    label = f"{_printer_label(reading.identity)} (printer {printer_id})"
    now = database.from_ms(moment)
    was_here = db.execute(
        "SELECT 1 FROM addresses WHERE printer_id = ? AND host = ? AND port = ? AND last_at >= ?",
        (printer_id, new, reading.target.port, moment - _RECENT_MS),
    ).fetchone()
    if was_here is None:
        text = Message("printer.moved", printer=label, old=old.host, new=new)
        events.note(db, ADDRESS_CHANGED, str(printer_id), text, now)
    else:
        text = Message("printer.two_addresses", printer=label, old=old.host, new=new)
        events.begin(db, MULTIPLE_ADDRESSES, str(printer_id), text, now)


def _was_recently_elsewhere(db: sqlite3.Connection, printer_id: int, target: Target, moment: int) -> bool:
    row = db.execute(
        "SELECT 1 FROM addresses WHERE printer_id = ? AND NOT (host = ? AND port = ?) AND last_at >= ?",
        (printer_id, target.host, target.port, moment - _RECENT_MS),
    ).fetchone()
    return row is not None


def _printer_label(identity: Identity) -> str:
    said = (identity.manufacturer, identity.model, identity.serial_number or identity.mac_address)
    return " ".join(part for part in said if part) or "a printer"
