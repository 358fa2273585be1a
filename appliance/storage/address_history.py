"""Where printers are and were; moves, doubles and taken addresses are told as events."""

import sqlite3
from collections.abc import Iterable, Sequence

from appliance.domain.model import Identity, Reading, Target
from appliance.storage import database, events
from appliance.storage.printer_matching import THERE, Known

# Kinds of events; the subject is the printer's id, for the first one the serial number.
ONE_SERIAL = "two printers with one serial number"
TWO_ADDRESSES = "printer at two addresses"
MOVED = "printer address changed"
MERGED = "printer met twice"

_LATELY = THERE // database.MILLISECOND


def begin(db: sqlite3.Connection, printer_id: int, target: Target, moment: int) -> None:
    """Write down where a printer is; coming back to an address keeps the time when it was there first."""
    db.execute(
        "INSERT INTO addresses (printer_id, host, port, name, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET name = excluded.name, last_at = excluded.last_at",
        (printer_id, target.host, target.port, target.name, moment, moment),
    )


def keep(db: sqlite3.Connection, same: Known, old: Target, reading: Reading, moment: int) -> None:
    """Write down where a known printer is now, after it was seen last where `old` says."""
    target = reading.target
    if (old.host, old.port, old.name) != (target.host, target.port, target.name):
        if (old.host, old.port) != (target.host, target.port):
            db.execute(
                "UPDATE addresses SET last_at = ? WHERE printer_id = ? AND host = ? AND port = ?",
                (same.seen_at, same.id, old.host, old.port),
            )
            _tell_move(db, same.id, old, reading, moment)
        begin(db, same.id, target, moment)
    elif not _was_elsewhere(db, same.id, target, moment):
        events.end(db, TWO_ADDRESSES, str(same.id), database.from_ms(moment))


def absorb(db: sqlite3.Connection, ghosts: Iterable[Known], same: Known, moment: int) -> None:
    """A printer that was met before it said who it is, and counted as another, is forgotten as such."""
    for ghost in ghosts:
        db.execute("DELETE FROM printers WHERE id = ?", (ghost.id,))
        text = f"printer {ghost.id} at {ghost.claim.host} turned out to be printer {same.id}"
        events.note(db, MERGED, str(same.id), text, database.from_ms(moment))


def evict(db: sqlite3.Connection, others: Iterable[Known], target: Target, moment: int) -> None:
    """Another printer answers where these were last: they are not asked there any more."""
    for other in others:
        db.execute("UPDATE printers SET lost = 1 WHERE id = ?", (other.id,))
        db.execute(
            "UPDATE sightings SET failed_at = max(?, seen_at), failure = ? WHERE printer_id = ?",
            (moment, f"another printer answers at {target.host} now", other.id),
        )


def tell_rivals(db: sqlite3.Connection, rivals: Sequence[Known], reading: Reading, moment: int) -> None:
    """Say once that several printers claim one serial number, and once that it is over."""
    serial = reading.identity.serial_number
    if serial is None:
        return
    now = database.from_ms(moment)
    if rivals:
        places = " and ".join(sorted([reading.target.host, *(rival.claim.host for rival in rivals)]))
        text = f"printers at {places} give the serial number {serial}: told apart by their MAC addresses"
        events.begin(db, ONE_SERIAL, serial, text, now)
    else:
        events.end(db, ONE_SERIAL, serial, now)


def _tell_move(db: sqlite3.Connection, printer_id: int, old: Target, reading: Reading, moment: int) -> None:
    """Back within a day where it was: then it is at two addresses, and that is said once."""
    new = reading.target.host
    label = f"{_label(reading.identity)} (printer {printer_id})"
    now = database.from_ms(moment)
    was_here = db.execute(
        "SELECT 1 FROM addresses WHERE printer_id = ? AND host = ? AND port = ? AND last_at >= ?",
        (printer_id, new, reading.target.port, moment - _LATELY),
    ).fetchone()
    if was_here is None:
        text = f"{label} moved from {old.host} to {new}"
        events.note(db, MOVED, str(printer_id), text, now)
    else:
        text = (
            f"{label} answers at {old.host} and at {new}: one printer with two addresses,"
            " or two printers that nothing tells apart"
        )
        events.begin(db, TWO_ADDRESSES, str(printer_id), text, now)


def _was_elsewhere(db: sqlite3.Connection, printer_id: int, target: Target, moment: int) -> bool:
    row = db.execute(
        "SELECT 1 FROM addresses WHERE printer_id = ? AND NOT (host = ? AND port = ?) AND last_at >= ?",
        (printer_id, target.host, target.port, moment - _LATELY),
    ).fetchone()
    return row is not None


def _label(identity: Identity) -> str:
    said = (identity.manufacturer, identity.model, identity.serial_number or identity.mac_address)
    return " ".join(part for part in said if part) or "a printer"
