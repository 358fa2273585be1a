"""Status parcels: what a trap brought to light goes out at once, if the schedule's next parcel is far."""

import logging
import sqlite3
from datetime import datetime, timedelta

from appliance.delivery import dispatcher, licence_policy, outbox
from appliance.discovery import entries
from appliance.settings.schema import Config, Home
from appliance.storage import key_value, printers, traps

log = logging.getLogger(__name__)

LAST_REPORT_KEY = "traps.reported"


def enqueue_due_report(
    db: sqlite3.Connection, home: Home, config: Config, next_run: datetime, now: datetime
) -> outbox.Parcel | None:
    """Make a parcel of the printers that were read after a trap, if one is owed and due.

    At most one in `traps.report`, and none where a run is due within that time: its parcel holds everything.
    """
    seconds = config.traps.report_delay_s
    owed = traps.list_pending_reports(db)
    if not owed:
        return None
    if seconds is None or licence_policy.find_packing_obstacle(home, config):
        traps.clear_pending_reports(db, now)
        return None
    wait, last = timedelta(seconds=seconds), key_value.get_time(db, LAST_REPORT_KEY)
    if next_run - now < wait or (last is not None and abs(now - last) < wait):
        return None
    found = filter(None, (printers.get_printer(db, printer_id) for printer_id in owed))
    wanted = entries.drop_excluded(found, config.discovery.exclusions)
    try:
        parcel = dispatcher.enqueue_printers(db, home, config, wanted, now)
    except outbox.ParcelNotStoredError as error:
        log.error("%s", error)
        return None
    key_value.put_time(db, LAST_REPORT_KEY, now)
    traps.clear_pending_reports(db, now)
    return parcel
