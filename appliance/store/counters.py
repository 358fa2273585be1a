"""The page counters of a printer, each with the object that gave it and the time when it last changed."""

import sqlite3
from collections.abc import Iterable

from appliance.model import Counter, CounterName
from appliance.store import database
from appliance.store.rows import LARGEST

_NAMES = {name.value: name for name in CounterName}
_ORDER = {name: place for place, name in enumerate(CounterName)}


def of(db: sqlite3.Connection, first_id: int, last_id: int) -> dict[int, list[Counter]]:
    """The counters of the printers in this range of ids, in the order of CounterName."""
    found: dict[int, list[Counter]] = {}
    for printer_id, name, value, source in db.execute(
        "SELECT printer_id, name, value, source FROM counters WHERE printer_id BETWEEN ? AND ?",
        (first_id, last_id),
    ):
        if name in _NAMES:  # a newer version may have known more
            found.setdefault(printer_id, []).append(Counter(_NAMES[name], value, source))
    for counters in found.values():
        counters.sort(key=lambda counter: _ORDER[counter.name])
    return found


def keep(
    db: sqlite3.Connection, printer_id: int, counters: Iterable[Counter], moment: int, *, partial: bool
) -> bool:
    """Make the table say what `counters` say; where they are `partial`, the others stay.

    Gives whether a value changed.
    """
    news = {counter.name.value: counter for counter in counters if 0 <= counter.value <= LARGEST}
    olds = {
        name: (value, source)
        for name, value, source in db.execute(
            "SELECT name, value, source FROM counters WHERE printer_id = ?", (printer_id,)
        )
    }
    changed = False
    for name, new in news.items():
        old = olds.get(name)
        changed |= old is None or old[0] != new.value
        if old != (new.value, new.source):
            _put(db, printer_id, new, moment)
    for name in olds.keys() - news.keys() if not partial else ():
        db.execute("DELETE FROM counters WHERE printer_id = ? AND name = ?", (printer_id, name))
        changed = True
    return changed


def _put(db: sqlite3.Connection, printer_id: int, counter: Counter, moment: int) -> None:
    db.execute(
        "INSERT INTO counters (printer_id, name, value, source, changed_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET source = excluded.source, value = excluded.value,"
        " changed_at = CASE WHEN value = excluded.value THEN changed_at ELSE excluded.changed_at END",
        (printer_id, counter.name.value, counter.value, database.storable(counter.source), moment),
    )
