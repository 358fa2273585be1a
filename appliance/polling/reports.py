"""Status parcels: what a trap brought to light goes out at once, if the schedule's next parcel is far."""

import logging
import sqlite3
from datetime import datetime, timedelta

from appliance.config import Config, Home
from appliance.delivery import deliver, outbox
from appliance.discovery import entries
from appliance.store import meta, printers, traps

log = logging.getLogger(__name__)

REPORTED = "traps.reported"


def hand_over(
    db: sqlite3.Connection, home: Home, config: Config, next_run: datetime, now: datetime
) -> outbox.Parcel | None:
    """Make a parcel of the printers that were read after a trap, if one is owed and due.

    At most one in `traps.report`, and none where a run is due within that time: its parcel holds everything.
    """
    seconds = config.traps.report_seconds
    owed = traps.reports_owed(db)
    if not owed:
        return None
    if seconds is None or config.transmission.mode == "off" or not config.transmission.key:
        traps.settle_reports(db, now)
        return None
    wait, last = timedelta(seconds=seconds), meta.get_time(db, REPORTED)
    if next_run - now < wait or (last is not None and abs(now - last) < wait):
        return None
    found = filter(None, (printers.latest(db, printer_id) for printer_id in owed))
    wanted = entries.wanted(found, config.discovery.exclusions)
    try:
        parcel = deliver.hand_over(db, home, config, wanted, now)
    except outbox.NotKept as error:
        log.error("%s", error)
        return None
    meta.put_time(db, REPORTED, now)
    traps.settle_reports(db, now)
    return parcel
