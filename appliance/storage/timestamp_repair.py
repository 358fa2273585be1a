"""Times that a wrong clock wrote: brought back to now, once somebody knows that now is right."""

import sqlite3
from datetime import datetime

from appliance.storage import database, history

_TIME_COLUMNS = (
    ("printers", ("created_at", "changed_at")),
    ("sightings", ("seen_at", "failed_at")),
    ("counters", ("changed_at", "held_at", "missing_since")),
    ("supplies", ("created_at", "changed_at")),
    ("alerts", ("created_at", "changed_at")),
    ("inputs", ("created_at", "changed_at")),
    ("outputs", ("created_at", "changed_at")),
    ("storages", ("created_at", "changed_at")),
    ("addresses", ("first_at", "last_at")),
    ("jobs", ("put_at", "started_at", "finished_at")),
    ("events", ("begun_at", "ended_at")),
    ("traps", ("first_at", "last_at")),
    ("reports_owed", ("since",)),
)


def clamp_future_times(db: sqlite3.Connection, now: datetime) -> int:
    """Make every stored time that lies after `now` be `now`; give how many there were.

    Only for a clock that is known to be right: without it, a printer read while the clock was years ahead
    would carry that time until it comes true.
    """
    moment = database.to_ms(now)
    with database.transaction(db):
        found = history.clamp_future_rows(db, moment)
        for table, columns in _TIME_COLUMNS:
            for column in columns:
                found += db.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {column} > ?",  # noqa: S608 own names only
                    (moment, moment),
                ).rowcount
    return found
