"""Delete old data once a day, since a Plug runs for years on one card."""

import sqlite3
from datetime import datetime, timedelta

from appliance.delivery import outbox
from appliance.settings.paths import Home
from appliance.storage import events, history, jobs, key_value

PRUNE_INTERVAL = timedelta(days=1)
LAST_PRUNED_KEY = "pruned"  # time of the last pruning


def prune(db: sqlite3.Connection, home: Home, now: datetime) -> None:
    """Prune, unless done within a day. Raise DatabaseUnavailableError."""
    last_pruned = key_value.get_time(db, LAST_PRUNED_KEY)
    if last_pruned and abs(now - last_pruned) < PRUNE_INTERVAL:
        return
    key_value.put_time(db, LAST_PRUNED_KEY, now)
    history.prune_history(db, now)
    jobs.prune(db)
    events.prune(db, now)
    outbox.prune(db, home.outbox, now)
