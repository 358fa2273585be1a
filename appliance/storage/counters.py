"""The page counters of a printer, each with the object that gave it and the time when it last changed.

A value that cannot be is held: the one before it stands, is shown and sent, until a later reading goes on
from the held value, returns to the old line, or somebody confirms it. A counter that the printer no longer
tells stays for a week.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from appliance.domain.model import Counter, CounterName
from appliance.storage import counter_plausibility, database, events, history
from appliance.storage.counter_plausibility import Held
from appliance.storage.row_tables import LARGEST

MISSING_STAYS = timedelta(days=7) // database.MILLISECOND
HELD = "counter"  # the kind of the event

_NAMES = {name.value: name for name in CounterName}
_ORDER = {name: place for place, name in enumerate(CounterName)}
_COLUMNS = (
    *("value", "source", "dispute", "held_value", "held_source", "held_reason", "held_at"),
    "missing_since",
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A counter as it stands."""

    value: int
    source: str
    dispute: str | None = None
    held: Held | None = None
    missing_since: int | None = None


def of(db: sqlite3.Connection, first_id: int, last_id: int) -> dict[int, list[Counter]]:
    """The counters of the printers in this range of ids, in the order of CounterName."""
    found: dict[int, list[Counter]] = {}
    for printer_id, name, value, source, dispute, held, reason in db.execute(
        "SELECT printer_id, name, value, source, dispute, held_value, held_reason FROM counters"
        " WHERE printer_id BETWEEN ? AND ?",
        (first_id, last_id),
    ):
        if name in _NAMES:  # a newer version may have known more
            counter = Counter(_NAMES[name], value, source, dispute, held, reason)
            found.setdefault(printer_id, []).append(counter)
    for counters in found.values():
        counters.sort(key=lambda counter: _ORDER[counter.name])
    return found


def keep(
    db: sqlite3.Connection,
    printer_id: int,
    counters: Iterable[Counter],
    moment: int,
    *,
    partial: bool,
    elapsed: int = 0,
) -> bool:
    """Make the table say what `counters` say; where they are `partial`, the others stay.

    `elapsed` milliseconds have passed since the printer was read before. Gives whether a value changed.
    """
    news = {counter.name.value: counter for counter in counters if 0 <= counter.value <= LARGEST}
    olds = _rows(db, printer_id)
    changed = False
    for name, new in news.items():
        old = olds.get(name)
        row = _Row(new.value, database.storable(new.source), _storable(new.dispute))
        if old is not None:
            row = _next(old, row, elapsed, moment)
            _tell(db, f"{printer_id} {name}", old, row, moment)
        changed |= old is None or old.value != row.value
        if old != row:
            _put(db, printer_id, name, row, moment)
    for name in olds.keys() - news.keys() if not partial else ():
        changed |= _miss(db, printer_id, name, olds[name], moment)
    return changed


def confirm(db: sqlite3.Connection, printer_id: int, name: str | None = None) -> list[str]:
    """Believe what is held, of one counter or of all; give the names of those that were held."""
    with database.transaction(db):
        held = {
            each: row
            for each, row in _rows(db, printer_id).items()
            if row.held is not None and name in (None, each)
        }
        if not held:
            return []
        (moment,) = db.execute("SELECT seen_at FROM sightings WHERE printer_id = ?", (printer_id,)).fetchone()
        for each, row in held.items():
            if row.held is not None:
                believed = _Row(row.held.value, row.held.source, row.dispute, None, row.missing_since)
                _tell(db, f"{printer_id} {each}", row, believed, moment)
                _put(db, printer_id, each, believed, moment)
        before = {each: row.value for each, row in held.items()}
        after = {each: row.held.value for each, row in held.items() if row.held is not None}
        history.record(db, printer_id, before, after, moment)
        db.execute("UPDATE printers SET changed_at = max(changed_at, ?) WHERE id = ?", (moment, printer_id))
        return sorted(held)


def _next(old: _Row, new: _Row, elapsed: int, moment: int) -> _Row:
    """The row after this reading: the new value, or the old one with the new value held."""
    if old.missing_since is not None:
        elapsed += moment - old.missing_since
    if old.held is None:
        reason = counter_plausibility.doubt(old.value, new.value, elapsed)
        return new if reason is None else _holding(old, new, reason, moment)
    if counter_plausibility.returns(old.value, old.held, new.value, moment):
        return new
    goes_on = counter_plausibility.doubt(old.held.value, new.value, elapsed) is None
    if goes_on and moment - old.held.since >= counter_plausibility.CONFIRMED_AFTER:
        return new
    since = old.held.since if goes_on else moment
    return _holding(
        old, new, counter_plausibility.doubt(old.value, new.value, elapsed) or old.held.reason, since
    )


def _holding(old: _Row, new: _Row, reason: str, since: int) -> _Row:
    return replace(old, held=Held(new.value, new.source, reason, since), missing_since=None)


def _miss(db: sqlite3.Connection, printer_id: int, name: str, old: _Row, moment: int) -> bool:
    """A counter that the printer did not tell stays for a while; gives whether it went."""
    if old.missing_since is None:
        _put(db, printer_id, name, replace(old, missing_since=moment), moment)
    elif moment - old.missing_since > MISSING_STAYS:
        _tell(db, f"{printer_id} {name}", old, replace(old, held=None), moment)
        db.execute("DELETE FROM counters WHERE printer_id = ? AND name = ?", (printer_id, name))
        return True
    return False


def _tell(db: sqlite3.Connection, subject: str, old: _Row, new: _Row, moment: int) -> None:
    """Say once that a counter is held, once that it no longer is; `subject` is printer and counter."""
    now = database.from_ms(moment)
    if old.held is None and new.held is not None:
        printer_id, name = subject.split()
        text = f"printer {printer_id}: {name.replace('_', ' ')} {new.held.reason}; held until it is confirmed"
        events.begin(db, HELD, subject, text, now)
    elif old.held is not None and new.held is None:
        events.end(db, HELD, subject, now)


def _rows(db: sqlite3.Connection, printer_id: int) -> dict[str, _Row]:
    found = db.execute(
        f"SELECT name, {', '.join(_COLUMNS)} FROM counters WHERE printer_id = ?",  # noqa: S608 own names only
        (printer_id,),
    )
    return {
        name: _Row(
            value,
            source,
            dispute,
            None if held is None else Held(held, by or "", reason or "", at or 0),
            gone,
        )
        for name, value, source, dispute, held, by, reason, at, gone in found
    }


def _put(db: sqlite3.Connection, printer_id: int, name: str, row: _Row, moment: int) -> None:
    doubted = row.held
    held = (doubted.value, doubted.source, doubted.reason, doubted.since) if doubted else (None,) * 4
    settings = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS)
    db.execute(
        f"INSERT INTO counters (printer_id, name, changed_at, {', '.join(_COLUMNS)})"  # noqa: S608 own names only
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " changed_at = CASE WHEN value = excluded.value THEN changed_at ELSE excluded.changed_at END,"
        f" {settings}",
        (printer_id, name, moment, row.value, row.source, row.dispute, *held, row.missing_since),
    )


def _storable(text: str | None) -> str | None:
    return None if text is None else database.storable(text)
