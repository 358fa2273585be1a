"""Save a reading in one transaction that writes only what changed."""

import sqlite3
from collections.abc import Container, Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Generic, TypeVar

from appliance.domain.messages import encode, shorten
from appliance.domain.model import (
    Alert,
    Details,
    Identity,
    InputTray,
    OutputTray,
    PartFailure,
    Reading,
    Storage,
    StoredRow,
    Supply,
    Target,
)
from appliance.storage import (
    address_history,
    counters,
    database,
    history,
    json_codec,
    printer_matching,
)

RowT = TypeVar("RowT", Supply, Alert, InputTray, OutputTray, Storage)
RecordT = TypeVar("RecordT", Identity, Details)

MAX_NOTES_PER_KIND = 20  # of each kind; a reading has seven parts
MAX_NOTE_CHARS = 500

_PRINTER_COLUMNS = ("serial", "maker", "mac", "host", "port", "name", "lost", "target", "identity", "details")


@dataclass(frozen=True, slots=True)
class RowTable(Generic[RowT]):
    """One of the tables that hold rows of printers; its name is the name of the reading's part, too."""

    name: str
    kind: type[RowT]
    identity_fields: tuple[str, ...] = ()  # fields that, besides the index, make a row what it is

    def load(self, db: sqlite3.Connection, first_id: int, last_id: int) -> dict[int, list[StoredRow[RowT]]]:
        """The rows of the printers in this range of ids, in order of their index."""
        found: dict[int, list[StoredRow[RowT]]] = {}
        for row_id, printer_id, data, created_at, changed_at in db.execute(
            f"SELECT id, printer_id, data, created_at, changed_at FROM {self.name}"  # noqa: S608 own names only
            " WHERE printer_id BETWEEN ? AND ? ORDER BY printer_id, row_index",
            (first_id, last_id),
        ):
            created = database.from_ms(created_at)
            changed = created if changed_at == created_at else database.from_ms(changed_at)
            kept = StoredRow(row_id, json_codec.decode(self.kind, data), created, changed)
            found.setdefault(printer_id, []).append(kept)
        return found

    def _has_rows(self, db: sqlite3.Connection, printer_id: int) -> bool:
        query = f"SELECT 1 FROM {self.name} WHERE printer_id = ? LIMIT 1"  # noqa: S608 own names only
        return db.execute(query, (printer_id,)).fetchone() is not None

    def save(
        self,
        db: sqlite3.Connection,
        printer_id: int,
        rows: Iterable[RowT],
        failed: Container[str],
        moment: int,
    ) -> None:
        """Make the table say what `rows` say; a row that is another thing than before is a new row."""
        if self.name in failed and self._has_rows(db, printer_id):
            return
        news = {row.index: row for row in rows if 0 <= row.index <= database.MAX_SQLITE_INTEGER}
        for row_id, index, data in db.execute(
            f"SELECT id, row_index, data FROM {self.name} WHERE printer_id = ?",  # noqa: S608 own names only
            (printer_id,),
        ).fetchall():
            old = json_codec.decode(self.kind, data)
            new = news.get(index)
            if new is None or any(
                getattr(new, field) != getattr(old, field) for field in self.identity_fields
            ):
                db.execute(f"DELETE FROM {self.name} WHERE id = ?", (row_id,))  # noqa: S608 own names only
                continue
            del news[index]
            if new != old:
                db.execute(
                    f"UPDATE {self.name} SET data = ?, changed_at = ? WHERE id = ?",  # noqa: S608 own names only
                    (json_codec.encode(new), moment, row_id),
                )
        db.executemany(
            f"INSERT INTO {self.name} (printer_id, row_index, data, created_at, changed_at)"  # noqa: S608 own names
            " VALUES (?, ?, ?, ?, ?)",
            [(printer_id, index, json_codec.encode(row), moment, moment) for index, row in news.items()],
        )


SUPPLIES_TABLE = RowTable("supplies", Supply)
# Printers use an index again: with another cause it is another alert, which did not stand as long.
ALERTS_TABLE = RowTable("alerts", Alert, identity_fields=("group", "group_index", "code"))
INPUTS_TABLE = RowTable("inputs", InputTray)
OUTPUTS_TABLE = RowTable("outputs", OutputTray)
STORAGES_TABLE = RowTable("storages", Storage)


def save_tables(
    db: sqlite3.Connection, printer_id: int, reading: Reading, failed: Container[str], moment: int
) -> None:
    """Keep all tables of a reading; one whose name is in `failed` stays as it was, if it ever was."""
    SUPPLIES_TABLE.save(db, printer_id, reading.supplies, failed, moment)
    ALERTS_TABLE.save(db, printer_id, reading.alerts, failed, moment)
    INPUTS_TABLE.save(db, printer_id, reading.inputs, failed, moment)
    OUTPUTS_TABLE.save(db, printer_id, reading.outputs, failed, moment)
    STORAGES_TABLE.save(db, printer_id, reading.storages, failed, moment)


def encode_notes(failures: Iterable[PartFailure], notes: Iterable[str]) -> str:
    """Nothing to say is the same text as that of a printer that was read before there were remarks."""
    failures = list(failures)
    told: dict[str, list[str] | list[list[str]]] = {
        "failures": [[each.part, shorten(each.reason, MAX_NOTE_CHARS)] for each in failures][
            :MAX_NOTES_PER_KIND
        ],
        "reasons": [shorten(each.reason, MAX_NOTE_CHARS) for each in failures][:MAX_NOTES_PER_KIND],
        "notes": [shorten(note, MAX_NOTE_CHARS) for note in notes][:MAX_NOTES_PER_KIND],
    }
    return json_codec.encode_json({kind: texts for kind, texts in told.items() if texts})


def decode_failures(text: str) -> tuple[PartFailure, ...]:
    """The parts that could not be read."""
    stored = json_codec.decode_json(text)
    rows, reasons = stored.get("failures"), stored.get("reasons")  # the latter since version 6, as messages
    pairs = [row for row in rows if isinstance(row, list) and len(row) == 2] if isinstance(rows, list) else []
    if not isinstance(reasons, list) or [str(row[1]) for row in pairs] != reasons:
        reasons = [row[1] for row in pairs]
    return tuple(
        PartFailure(str(row[0]), reason if isinstance(reason, str) else str(reason))
        for row, reason in zip(pairs, reasons, strict=True)
    )


def decode_notes(text: str) -> tuple[str, ...]:
    """What else there is to know."""
    rows = json_codec.decode_json(text).get("notes")
    return tuple(row for row in rows if isinstance(row, str)) if isinstance(rows, list) else ()


@dataclass(frozen=True, slots=True)
class _StoredPrinter:
    """A printer's row as it was before this reading."""

    id: int
    target: Target
    identity: Identity
    details: Details
    columns: tuple[object, ...]  # all that a reading may change, in the order of _COLUMNS


def store_reading(db: sqlite3.Connection, reading: Reading, now: datetime) -> int:
    """Keep all that a printer said, under the printer that it is; give that printer's id.

    Times never run back for a printer: where the clock did, the reading counts as just after the last one.
    """
    with database.transaction(db):
        who = printer_matching.match_keys(reading.identity, reading.target)
        known = printer_matching.load_candidates(db, who)
        moment = database.to_ms(now)
        same = printer_matching.find_match(known, who, moment)
        if same is not None:
            moment = max(moment, same.seen_at + 1)
        past = _load_stored_printer(db, _insert_printer(db, reading, moment) if same is None else same.id)
        _update_printer(db, past, reading, moment)
        _update_sighting(db, past.id, reading, moment)
        if same is None:
            address_history.insert_address(db, past.id, reading.target, moment)
        else:
            address_history.update_address(db, same, past.target, reading, moment)
            address_history.merge_duplicates(
                db, printer_matching.find_duplicates(known, who, same), same, moment
            )
        address_history.mark_displaced(
            db, printer_matching.find_displaced(known, who, past.id), reading.target, moment
        )
        address_history.update_serial_conflict(
            db, printer_matching.find_serial_conflicts(known, who, past.id, moment), reading, moment
        )
        return past.id


def store_poll_failure(db: sqlite3.Connection, printer_id: int, reason: str, now: datetime) -> None:
    """A printer did not answer, or not usefully: its last values stay, with their age."""
    text = database.clean_text(reason)
    with database.transaction(db):
        db.execute(
            "UPDATE sightings SET failed_at = max(?, seen_at), failure = ?, failure_message = ?"
            " WHERE printer_id = ?",
            (database.to_ms(now), text, encode(text), printer_id),
        )


def _insert_printer(db: sqlite3.Connection, reading: Reading, moment: int) -> int:
    cursor = db.execute(
        "INSERT INTO printers (host, port, target, identity, details, created_at, changed_at)"
        " VALUES (?, ?, ?, '{}', '{}', ?, ?)",
        (reading.target.host, reading.target.port, json_codec.encode(reading.target), moment, moment),
    )
    printer_id = cursor.lastrowid or 0
    db.execute("INSERT INTO sightings (printer_id, seen_at) VALUES (?, ?)", (printer_id, moment))
    return printer_id


def _load_stored_printer(db: sqlite3.Connection, printer_id: int) -> _StoredPrinter:
    columns = db.execute(
        f"SELECT {', '.join(_PRINTER_COLUMNS)} FROM printers WHERE id = ?",  # noqa: S608 own names only
        (printer_id,),
    ).fetchone()
    target, who, details = columns[-3:]
    return _StoredPrinter(
        printer_id,
        json_codec.decode(Target, target),
        json_codec.decode(Identity, who),
        json_codec.decode(Details, details),
        tuple(columns),
    )


def _update_printer(db: sqlite3.Connection, past: _StoredPrinter, reading: Reading, moment: int) -> None:
    failed = {failure.part for failure in reading.failures}
    counted = _save_values(db, past.id, reading, failed, moment)
    who = _fill_missing(reading.identity, past.identity)
    details = _fill_missing(reading.details, past.details) if "details" in failed else reading.details
    details = replace(details, uptime=None)
    claim = printer_matching.match_keys(who, reading.target)
    columns = (
        *(claim.serial, claim.vendor, claim.mac, claim.host, claim.port, claim.name, 0),
        *(json_codec.encode(reading.target), json_codec.encode(who), json_codec.encode(details)),
    )
    if columns != past.columns:
        db.execute(
            f"UPDATE printers SET {', '.join(f'{name} = ?' for name in _PRINTER_COLUMNS)} WHERE id = ?",  # noqa: S608
            (*columns, past.id),
        )
    if counted or (who, details) != (past.identity, past.details):
        db.execute("UPDATE printers SET changed_at = ? WHERE id = ?", (moment, past.id))


def _save_values(
    db: sqlite3.Connection, printer_id: int, reading: Reading, failed: set[str], moment: int
) -> bool:
    """Keep counters and tables; a table that could not be read stays as it was. Whether a counter changed."""
    before = _load_history_values(db, printer_id)
    elapsed = _elapsed_ms(db, printer_id, reading, moment)
    counted = counters.save_counters(
        db, printer_id, reading.counters, moment, partial="counters" in failed, elapsed_ms=elapsed
    )
    save_tables(db, printer_id, reading, failed, moment)
    history.record_changes(db, printer_id, before, _load_history_values(db, printer_id), moment)
    return counted


def _elapsed_ms(db: sqlite3.Connection, printer_id: int, reading: Reading, moment: int) -> int:
    """Milliseconds since the last reading, by our clock or by the printer's: ours may have stood still."""
    seen_at: int
    before: int | None
    seen_at, before = db.execute(
        "SELECT seen_at, uptime FROM sightings WHERE printer_id = ?", (printer_id,)
    ).fetchone()
    uptime = reading.details.uptime
    theirs = 0 if before is None or uptime is None else 10 * (uptime - before)
    return max(moment - seen_at, theirs)


def _load_history_values(db: sqlite3.Connection, printer_id: int) -> history.HistoryValues:
    counted = counters.load_counters(db, printer_id, printer_id).get(printer_id, [])
    supplies = SUPPLIES_TABLE.load(db, printer_id, printer_id).get(printer_id, [])
    return history.collect_values(counted, [kept.row for kept in supplies])


def _update_sighting(db: sqlite3.Connection, printer_id: int, reading: Reading, moment: int) -> None:
    uptime = reading.details.uptime
    db.execute(
        "UPDATE sightings SET seen_at = ?, failed_at = NULL, failure = NULL, uptime = ?, cost = ?,"
        " remarks = ? WHERE printer_id = ?",
        (
            moment,
            uptime if uptime is not None and uptime <= database.MAX_SQLITE_INTEGER else None,
            json_codec.encode(reading.cost),
            encode_notes(reading.failures, reading.notes),
            printer_id,
        ),
    )
    plan = database.clean_text(reading.plan)
    old = db.execute("SELECT plan FROM plans WHERE printer_id = ?", (printer_id,)).fetchone()
    if old is None or old[0] != plan:
        db.execute("INSERT OR REPLACE INTO plans (printer_id, plan) VALUES (?, ?)", (printer_id, plan))


def _fill_missing(new: RecordT, old: RecordT) -> RecordT:
    """`new`, with what it does not say taken from `old`."""
    silent = [field.name for field in fields(new) if getattr(new, field.name) == field.default]
    return replace(new, **{name: getattr(old, name) for name in silent})
