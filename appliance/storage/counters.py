"""Save the page counters of a printer, and hold values that cannot be.

Each counter has the object that gave it and the time when it last changed. A value that cannot be is held:
the one before it stands, is shown and sent, until a later reading goes on from the held value, returns to
the old line, or a person confirms it. A counter that the printer no longer reports stays for a week.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from appliance.domain.messages import Message, decode, encode
from appliance.domain.model import Counter, CounterName
from appliance.storage import database, events, history
from appliance.storage.database import MILLISECOND

MS_PER_MINUTE = timedelta(minutes=1) // MILLISECOND
MAX_PAGES_PER_MINUTE = 200  # pages a minute; office engines print up to 150
MAX_BURST_PAGES = (
    1_000  # pages at once: some printers add up a large job, or all since they were read last, at its end
)
CONFIRM_AFTER_MS = (
    timedelta(minutes=5) // MILLISECOND
)  # a printer that is starting up tells nonsense for a while
RETURN_WINDOW_MS = (
    timedelta(days=1) // MILLISECOND
)  # how long before it was held the last good reading may be
COUNTER32_RANGE = 2**32  # Counter32
MISSING_RETENTION_MS = timedelta(days=7) // MILLISECOND
COUNTER_HELD = "counter"  # the kind of the event

_NAME_BY_VALUE = {name.value: name for name in CounterName}
_NAME_ORDER = {name: place for place, name in enumerate(CounterName)}
_COUNTER_COLUMNS = (
    *("value", "source", "dispute", "held_value", "held_source", "held_reason", "held_at"),
    *("missing_since", "dispute_message", "held_message"),
)


@dataclass(frozen=True, slots=True)
class HeldValue:
    """A value that was read but is not believed yet; times in milliseconds."""

    value: int
    source: str
    reason: str
    since: int


def implausible_reason(before: int, after: int, elapsed_ms: int) -> str | None:
    """Why nobody should believe this step yet; `elapsed` milliseconds lie between the two."""
    if after < before:
        if (
            before > COUNTER32_RANGE // 2
            and before < COUNTER32_RANGE
            and COUNTER32_RANGE - before + after <= _max_plausible_step(elapsed_ms)
        ):
            return None  # it began anew at its largest number
        return Message("counter.backwards", before=before, after=after)
    if after - before > _max_plausible_step(elapsed_ms):
        minutes = max(1, elapsed_ms // MS_PER_MINUTE)
        return Message("counter.leap", pages=after - before, minutes=minutes)
    return None


def is_return_to_previous(before: int, held: HeldValue, value: int, moment_ms: int) -> bool:
    """Whether a later reading goes on from the value before the held one rather than from that."""
    if held.value > before and value >= held.value:
        return False
    return implausible_reason(before, value, moment_ms - held.since + RETURN_WINDOW_MS) is None


def _max_plausible_step(elapsed_ms: int) -> int:
    return MAX_BURST_PAGES + MAX_PAGES_PER_MINUTE * max(0, elapsed_ms) // MS_PER_MINUTE


@dataclass(frozen=True, slots=True)
class _CounterRow:
    """A counter as it stands."""

    value: int
    source: str
    dispute: str | None = None
    held: HeldValue | None = None
    missing_since: int | None = None


def load_counters(db: sqlite3.Connection, first_id: int, last_id: int) -> dict[int, list[Counter]]:
    """The counters of the printers in this range of ids, in the order of CounterName."""
    found: dict[int, list[Counter]] = {}
    for printer_id, name, value, source, dispute, held, reason, dispute_code, held_code in db.execute(
        "SELECT printer_id, name, value, source, dispute, held_value, held_reason,"
        " dispute_message, held_message FROM counters"
        " WHERE printer_id BETWEEN ? AND ?",
        (first_id, last_id),
    ):
        if name in _NAME_BY_VALUE:  # a newer version may have known more
            counter = Counter(
                _NAME_BY_VALUE[name],
                value,
                source,
                dispute and decode(dispute, dispute_code),
                held,
                reason and decode(reason, held_code),
            )
            found.setdefault(printer_id, []).append(counter)
    for counters in found.values():
        counters.sort(key=lambda counter: _NAME_ORDER[counter.name])
    return found


def save_counters(
    db: sqlite3.Connection,
    printer_id: int,
    counters: Iterable[Counter],
    moment: int,
    *,
    partial: bool,
    elapsed_ms: int = 0,
) -> bool:
    """Make the table say what `counters` say; where they are `partial`, the others stay.

    `elapsed` milliseconds have passed since the printer was read before. Gives whether a value changed.
    """
    news = {
        counter.name.value: counter
        for counter in counters
        if 0 <= counter.value <= database.MAX_SQLITE_INTEGER
    }
    olds = _load_rows(db, printer_id)
    changed = False
    for name, new in news.items():
        old = olds.get(name)
        row = _CounterRow(new.value, database.clean_text(new.source), _clean_text_or_none(new.dispute))
        if old is not None:
            row = _next_row(old, row, elapsed_ms, moment)
            _update_held_event(db, f"{printer_id} {name}", old, row, moment)
        changed |= old is None or old.value != row.value
        if old != row:
            _upsert_row(db, printer_id, name, row, moment)
    for name in olds.keys() - news.keys() if not partial else ():
        changed |= _mark_missing(db, printer_id, name, olds[name], moment)
    return changed


def confirm_held(db: sqlite3.Connection, printer_id: int, name: str | None = None) -> list[str]:
    """Believe what is held, of one counter or of all; give the names of those that were held."""
    with database.transaction(db):
        held = {
            each: row
            for each, row in _load_rows(db, printer_id).items()
            if row.held is not None and name in (None, each)
        }
        if not held:
            return []
        (moment,) = db.execute("SELECT seen_at FROM sightings WHERE printer_id = ?", (printer_id,)).fetchone()
        for each, row in held.items():
            if row.held is not None:
                believed = _CounterRow(row.held.value, row.held.source, row.dispute, None, row.missing_since)
                _update_held_event(db, f"{printer_id} {each}", row, believed, moment)
                _upsert_row(db, printer_id, each, believed, moment)
        before = {each: row.value for each, row in held.items()}
        after = {each: row.held.value for each, row in held.items() if row.held is not None}
        history.record_changes(db, printer_id, before, after, moment)
        db.execute("UPDATE printers SET changed_at = max(changed_at, ?) WHERE id = ?", (moment, printer_id))
        return sorted(held)


def _next_row(old: _CounterRow, new: _CounterRow, elapsed_ms: int, moment: int) -> _CounterRow:
    """The row after this reading: the new value, or the old one with the new value held."""
    if old.missing_since is not None:
        elapsed_ms += moment - old.missing_since
    if old.held is None:
        reason = implausible_reason(old.value, new.value, elapsed_ms)
        return new if reason is None else _with_held_value(old, new, reason, moment)
    if is_return_to_previous(old.value, old.held, new.value, moment):
        return new
    goes_on = implausible_reason(old.held.value, new.value, elapsed_ms) is None
    if goes_on and moment - old.held.since >= CONFIRM_AFTER_MS:
        return new
    since = old.held.since if goes_on else moment
    return _with_held_value(
        old,
        new,
        implausible_reason(old.value, new.value, elapsed_ms) or old.held.reason,
        since,
    )


def _with_held_value(old: _CounterRow, new: _CounterRow, reason: str, since: int) -> _CounterRow:
    return replace(old, held=HeldValue(new.value, new.source, reason, since), missing_since=None)


def _mark_missing(db: sqlite3.Connection, printer_id: int, name: str, old: _CounterRow, moment: int) -> bool:
    """A counter that the printer did not tell stays for a while; gives whether it went."""
    if old.missing_since is None:
        _upsert_row(db, printer_id, name, replace(old, missing_since=moment), moment)
    elif moment - old.missing_since > MISSING_RETENTION_MS:
        _update_held_event(db, f"{printer_id} {name}", old, replace(old, held=None), moment)
        db.execute("DELETE FROM counters WHERE printer_id = ? AND name = ?", (printer_id, name))
        return True
    return False


def _update_held_event(
    db: sqlite3.Connection, subject: str, old: _CounterRow, new: _CounterRow, moment: int
) -> None:
    """Say once that a counter is held, once that it no longer is; `subject` is printer and counter."""
    now = database.from_ms(moment)
    if old.held is None and new.held is not None:
        printer_id, name = subject.split()
        text = Message(
            "counter.held", printer=printer_id, counter=name.replace("_", " "), reason=new.held.reason
        )
        events.begin(db, COUNTER_HELD, subject, text, now)
    elif old.held is not None and new.held is None:
        events.end(db, COUNTER_HELD, subject, now)


def _load_rows(db: sqlite3.Connection, printer_id: int) -> dict[str, _CounterRow]:
    found = db.execute(
        f"SELECT name, {', '.join(_COUNTER_COLUMNS)} FROM counters WHERE printer_id = ?",  # noqa: S608 own names only
        (printer_id,),
    )
    return {
        name: _CounterRow(
            value,
            source,
            dispute and decode(dispute, dispute_code),
            None if held is None else HeldValue(held, by or "", decode(reason or "", held_code), at or 0),
            gone,
        )
        for name, value, source, dispute, held, by, reason, at, gone, dispute_code, held_code in found
    }


def _upsert_row(db: sqlite3.Connection, printer_id: int, name: str, row: _CounterRow, moment: int) -> None:
    doubted = row.held
    held = (doubted.value, doubted.source, doubted.reason, doubted.since) if doubted else (None,) * 4
    settings = ", ".join(f"{column} = excluded.{column}" for column in _COUNTER_COLUMNS)
    db.execute(
        f"INSERT INTO counters (printer_id, name, changed_at, {', '.join(_COUNTER_COLUMNS)})"  # noqa: S608 own names only
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " changed_at = CASE WHEN value = excluded.value THEN changed_at ELSE excluded.changed_at END,"
        f" {settings}",
        (
            *(printer_id, name, moment, row.value, row.source, row.dispute, *held, row.missing_since),
            *(encode(row.dispute), encode(doubted.reason if doubted else None)),
        ),
    )


def _clean_text_or_none(text: str | None) -> str | None:
    return None if text is None else database.clean_text(text)
