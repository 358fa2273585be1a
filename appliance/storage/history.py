"""The past of counters and levels: only what changed, by the hour for a month, by the day for five years."""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import groupby

from appliance.domain.model import Counter, Supply
from appliance.storage import database, json_codec, key_value

HOURLY_RETENTION = timedelta(days=31)
DAILY_RETENTION = timedelta(days=5 * 365 + 1)
HOUR_MS = timedelta(hours=1) // database.MILLISECOND
DAY_MS = 24 * HOUR_MS

# A clock that leapt years ahead must not fold what is young: after a long step it has to stay for a while.
MAX_CLOCK_STEP_MS = 3 * DAY_MS
CLOCK_PROBATION_MS = 20 * HOUR_MS
CLOCK_PROVEN_WITHIN_MS = 31 * DAY_MS

HistoryValues = dict[str, int]
HistoryRow = tuple[int, int, str]  # since, at, data


def collect_values(counters: Iterable[Counter], supplies: Iterable[Supply]) -> HistoryValues:
    """What the history remembers of a printer: amounts that can be calculated with, nothing vague."""
    found: HistoryValues = {counter.name.value: counter.value for counter in counters}
    for supply in supplies:
        if isinstance(supply.level, int) and supply.level >= 0:
            found[f"supply:{supply.index}"] = supply.level
        if isinstance(supply.max_capacity, int) and supply.max_capacity > 0:
            found[f"capacity:{supply.index}"] = supply.max_capacity
    return found


def record_changes(
    db: sqlite3.Connection, printer_id: int, before: Mapping[str, int], after: Mapping[str, int], moment: int
) -> None:
    """Add what changed to the row of this hour; the row before it stays the newest if the clock ran back."""
    changes: dict[str, int | None] = {key: value for key, value in after.items() if before.get(key) != value}
    changes.update(dict.fromkeys(before.keys() - after.keys()))
    if not changes:
        return
    newest = db.execute(
        "SELECT since, at, data FROM history WHERE printer_id = ? ORDER BY since DESC LIMIT 1", (printer_id,)
    ).fetchone()
    hour = moment - moment % HOUR_MS
    if newest is not None and newest[0] >= hour:
        merged = _merge_changes([newest, (hour, moment, json_codec.encode_json(changes))])
        db.execute(
            "UPDATE history SET at = max(at, ?), data = ? WHERE printer_id = ? AND since = ?",
            (moment, merged, printer_id, newest[0]),
        )
    else:
        _insert_row(db, printer_id, hour, moment, json_codec.encode_json(changes))


def load_history(
    db: sqlite3.Connection, printer_id: int, since: datetime
) -> list[tuple[datetime, HistoryValues]]:
    """All values at each time when one changed, from `since` on; the first are those that held at `since`.

    Keys are counter names, "supply:<index>" for levels and "capacity:<index>"; a key is absent while the
    printer does not say.
    """
    first = database.to_ms(since)
    held: HistoryValues = {}
    points: list[tuple[datetime, HistoryValues]] = []
    for _, at, data in _load_rows(db, printer_id, 0, None):
        if at > first and not points and held:
            points.append((since, dict(held)))
        for key, value in json_codec.decode_json(data).items():
            if isinstance(value, int):
                held[key] = value
            else:
                held.pop(key, None)
        if at >= first:
            points.append((database.from_ms(at), dict(held)))
    if not points and held:
        points.append((since, dict(held)))
    return points


def prune_history(db: sqlite3.Connection, now: datetime) -> None:
    """Fold hours into days and what is oldest into one row: fewer points, the same values in between."""
    moment = database.to_ms(now)
    if not _is_clock_steady(db, moment):
        return
    oldest_hour = _utc_midnight(moment - HOURLY_RETENTION // database.MILLISECOND)
    folded_until = int(key_value.get(db, "history.folded_until") or 0)
    if folded_until > oldest_hour:  # the clock was ahead
        folded_until = 0
    oldest_day = _utc_midnight(moment - DAILY_RETENTION // database.MILLISECOND)
    for (printer_id,) in db.execute("SELECT id FROM printers ORDER BY id").fetchall():
        with database.transaction(db):  # one for each printer: nobody waits long for the lock
            hourly = _load_rows(db, printer_id, folded_until, oldest_hour)
            for day, of_day in groupby(hourly, key=lambda row: _utc_midnight(row[0])):
                _fold_rows(db, printer_id, list(of_day), day)
            ancient = _load_rows(db, printer_id, 0, oldest_day)
            if ancient:
                _fold_rows(db, printer_id, ancient, ancient[-1][0])
    key_value.put(db, "history.folded_until", str(oldest_hour))


def clamp_future_rows(db: sqlite3.Connection, moment: int) -> int:
    """Fold what is dated after this hour into it; give how many rows that were."""
    hour = moment - moment % HOUR_MS
    late = db.execute("SELECT DISTINCT printer_id FROM history WHERE since > ?", (hour,)).fetchall()
    found = 0
    for (printer_id,) in late:
        rows = _load_rows(db, printer_id, hour, None)
        found += len(rows)
        _replace_rows(db, printer_id, rows, hour, min(moment, rows[-1][1]))
    key_value.put(db, "history.leapt_at", None)
    key_value.put(db, "history.pruned_at", str(moment))
    return found


def _fold_rows(db: sqlite3.Connection, printer_id: int, rows: list[HistoryRow], since: int) -> None:
    if len(rows) > 1:
        _replace_rows(db, printer_id, rows, since, rows[-1][1])


def _replace_rows(
    db: sqlite3.Connection, printer_id: int, rows: list[HistoryRow], since: int, at: int
) -> None:
    """Put one row, with all that these neighbours say, in their place."""
    db.execute(
        "DELETE FROM history WHERE printer_id = ? AND since BETWEEN ? AND ?",
        (printer_id, rows[0][0], rows[-1][0]),
    )
    _insert_row(db, printer_id, since, at, _merge_changes(rows))


def _merge_changes(rows: Iterable[HistoryRow]) -> str:
    total: dict[str, object] = {}
    for _, _, data in rows:
        total.update(json_codec.decode_json(data))
    return json_codec.encode_json(total)


def _load_rows(db: sqlite3.Connection, printer_id: int, first: int, end: int | None) -> list[HistoryRow]:
    return db.execute(
        "SELECT since, at, data FROM history WHERE printer_id = ? AND since >= ? AND since < ?"
        " ORDER BY since",
        (printer_id, first, 2**62 if end is None else end),
    ).fetchall()


def _insert_row(db: sqlite3.Connection, printer_id: int, since: int, at: int, data: str) -> None:
    db.execute(
        "INSERT INTO history (printer_id, since, at, data) VALUES (?, ?, ?, ?)", (printer_id, since, at, data)
    )


def _utc_midnight(moment: int) -> int:
    return moment - moment % DAY_MS


def _is_clock_steady(db: sqlite3.Connection, moment: int) -> bool:
    last = int(key_value.get(db, "history.pruned_at") or moment)
    leapt_at = int(key_value.get(db, "history.leapt_at") or 0)
    if (
        moment - last > MAX_CLOCK_STEP_MS
        and not CLOCK_PROBATION_MS <= moment - leapt_at <= CLOCK_PROVEN_WITHIN_MS
    ):
        if not 0 <= moment - leapt_at < CLOCK_PROBATION_MS:
            key_value.put(db, "history.leapt_at", str(moment))
        return False
    key_value.put(db, "history.leapt_at", None)
    key_value.put(db, "history.pruned_at", str(moment))
    return True
