"""Log the poller's work and report it to systemd: each state once, when it changes."""

import logging
import sqlite3

from appliance.delivery import dispatcher, outbox
from appliance.host import systemd
from appliance.jobs.runs import PrinterProblem, RunProgress, RunResult

log = logging.getLogger(__name__)


class RunLog:
    """Log changes only: a printer that is off for a week fails once."""

    def __init__(self) -> None:
        self._failing: dict[int, str] = {}
        self._incomplete: dict[int, PrinterProblem] = {}
        self._delivery_obstacle: str | None = None

    def log_run(self, result: RunResult) -> None:
        """Log printers that stopped or resumed responding, and those that were read in part."""
        for printer_id in result.read:
            if host := self._failing.pop(printer_id, None):
                log.info("%s: answers again", host)
        for failed in result.failed:
            host = failed.name or failed.host
            if failed.printer_id not in self._failing:
                log.warning("%s: %s", host, failed.reason)
            if failed.printer_id is not None:
                self._failing[failed.printer_id] = host
        incomplete = {problem.printer_id: problem for problem in result.incomplete}
        for printer_id in result.read:
            self._log_incomplete(printer_id, incomplete.get(printer_id))

    def _log_incomplete(self, printer_id: int, now: PrinterProblem | None) -> None:
        before = self._incomplete.pop(printer_id, None)
        if now:
            self._incomplete[printer_id] = now
            if before is None or before.reason != now.reason:
                log.warning("%s: %s", now.name or now.host, now.reason)
        elif before:
            log.info("%s: all its parts are read again", before.name or before.host)

    def log_delivery(self, db: sqlite3.Connection, summary: dispatcher.DeliverySummary) -> None:
        """Log why parcels wait; the outbox itself logs each attempt."""
        first = outbox.first_waiting(db)
        untried = summary.error if first and summary.error != first.error else None
        if untried and untried != self._delivery_obstacle:
            log.warning("%d parcels wait: %s", summary.waiting, untried)
        self._delivery_obstacle = untried


def notify_progress(kind: str, progress: RunProgress) -> None:
    """Report the progress of a run for `systemctl status`."""
    scan = progress.scan
    probed = f"{scan.asked} of {scan.total} addresses asked, " if scan.total else ""
    systemd.notify_status(f"{kind}: {probed}{progress.read} of {progress.to_read} printers read")
