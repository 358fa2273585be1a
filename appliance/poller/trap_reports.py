"""Report printers that were polled after a trap, unless the next scheduled parcel is near."""

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
    """Make a parcel of the printers that were polled after a trap, if a report is pending and due.

    At most one per `traps.report`, and none if a run is due within that time: its parcel covers it.
    """
    seconds = config.traps.report_delay_s
    pending = traps.list_pending_reports(db)
    if not pending:
        return None
    if seconds is None or licence_policy.find_packing_obstacle(home, config):
        traps.clear_pending_reports(db, now)
        return None
    wait, last = timedelta(seconds=seconds), key_value.get_time(db, LAST_REPORT_KEY)
    if next_run - now < wait or (last is not None and abs(now - last) < wait):
        return None
    polled = filter(None, (printers.get_printer(db, printer_id) for printer_id in pending))
    reported = entries.drop_excluded(polled, config.discovery.exclusions)
    try:
        parcel = dispatcher.enqueue_printers(db, home, config, reported, now)
    except outbox.ParcelNotStoredError as error:
        log.error("%s", error)
        return None
    key_value.put_time(db, LAST_REPORT_KEY, now)
    traps.clear_pending_reports(db, now)
    return parcel
