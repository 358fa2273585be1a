"""What is too old goes, once a day: a Plug runs for years on one card."""

import sqlite3
from datetime import datetime, timedelta

from appliance.delivery import outbox
from appliance.settings.paths import Home
from appliance.storage import events, jobs, key_value, printers

EVERY = timedelta(days=1)
DONE = "pruned"  # when that was


def prune(db: sqlite3.Connection, home: Home, now: datetime) -> None:
    """Nothing happens where it was done within a day. Raises Unusable."""
    done = key_value.get_time(db, DONE)
    if done and abs(now - done) < EVERY:
        return
    key_value.put_time(db, DONE, now)
    printers.prune_history(db, now)
    jobs.prune(db)
    events.prune(db, now)
    outbox.prune(db, home.outbox, now)
