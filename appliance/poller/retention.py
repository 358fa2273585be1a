"""What is too old goes, once a day: a Plug runs for years on one card."""

import sqlite3
from datetime import datetime, timedelta

from appliance.delivery import outbox
from appliance.settings.paths import Home
from appliance.storage import events, history, jobs, key_value

PRUNE_INTERVAL = timedelta(days=1)
LAST_PRUNED_KEY = "pruned"  # when that was


def prune(db: sqlite3.Connection, home: Home, now: datetime) -> None:
    """Nothing happens where it was done within a day. Raises Unusable."""
    done = key_value.get_time(db, LAST_PRUNED_KEY)
    if done and abs(now - done) < PRUNE_INTERVAL:
        return
    key_value.put_time(db, LAST_PRUNED_KEY, now)
    history.prune_history(db, now)
    jobs.prune(db)
    events.prune(db, now)
    outbox.prune(db, home.outbox, now)
