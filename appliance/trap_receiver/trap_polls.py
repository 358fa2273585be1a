"""Printers that sent a trap are read, each by itself: where it is known, or where a stranger sent from."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from appliance.collector import scanner
from appliance.discovery.entries import Exclusions
from appliance.domain.model import Target
from appliance.jobs.batch_poller import BatchPoller, BatchWriter, RunProgress
from appliance.settings.schema import Home
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import jobs, printers, traps
from appliance.storage.db_outage import DatabaseOutage
from appliance.storage.printers import KnownPrinter
from appliance.trap_receiver.debounce import PollDebouncer

log = logging.getLogger(__name__)

MAX_CONCURRENT_POLLS = 20  # readings
MAX_PROBE_PACKETS_PER_S = 20  # packets a second, to a stranger


class TrapPoller:
    """What is to be read, and what is being read."""

    def __init__(
        self,
        home: Home,
        db: sqlite3.Connection,
        clock: Callable[[], datetime],
        endpoint: SnmpEndpoint,
        outage: DatabaseOutage,
    ) -> None:
        self._home, self._db, self._clock, self._endpoint = home, db, clock, endpoint
        self._outage = outage
        self._debouncer = PollDebouncer()
        self._scheduled_polls: dict[int, tuple[KnownPrinter, Exclusions]] = {}
        self._scheduled_probes: list[tuple[Sequence[Target], Exclusions, KnownPrinter | None]] = []
        self._changed = asyncio.Event()
        self._poll_slots = asyncio.Semaphore(MAX_CONCURRENT_POLLS)
        self._failing: set[int] = set()

    def schedule_poll(self, printer: KnownPrinter, exclusions: Exclusions, *, full: bool = False) -> None:
        """A printer sent a trap; `full`: it may be another one than before, so everything is asked anew."""
        self._scheduled_polls[printer.id] = printer, exclusions
        self._debouncer.record_trap(printer.id, time.monotonic(), full=full)
        self._changed.set()

    def schedule_probe(
        self, targets: Sequence[Target], exclusions: Exclusions, claimed_printer: KnownPrinter | None
    ) -> None:
        """Somebody sent a trap from an address where nobody is known; `known`: who it said to be.

        Where nobody answers there, or somebody else, the known printer is read where it was.
        """
        self._scheduled_probes.append((targets, exclusions, claimed_printer))
        self._changed.set()

    async def run(self) -> None:
        """Read whoever is due."""
        async with BatchWriter(self._db, self._clock) as keeper, asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                for printer_id, full in self._debouncer.take_due(time.monotonic()):
                    tasks.create_task(self._poll(keeper, *self._scheduled_polls.pop(printer_id), full=full))
                strangers, self._scheduled_probes = self._scheduled_probes, []
                for each in strangers:
                    tasks.create_task(self._probe(keeper, *each))
                at = self._debouncer.next_due_at()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if at is None else max(0.0, at - time.monotonic())):
                        await self._changed.wait()

    async def _poll(
        self, writer: BatchWriter, printer: KnownPrinter, exclusions: Exclusions, *, full: bool
    ) -> None:
        asking = self._create_batch_poller(writer, exclusions, [printer])
        kept = False
        with self._outage.tolerate():
            async with self._poll_slots:
                await asking.poll_known(printer, full=full)
            self._mark_reports_pending(asking)
            kept = True
        writer.write_error = None  # a disk that was full may have room again
        if not kept:
            self.schedule_poll(printer, exclusions, full=full)
        self._log_result(printer, asking)

    async def _probe(
        self,
        writer: BatchWriter,
        targets: Sequence[Target],
        exclusions: Exclusions,
        claimed_printer: KnownPrinter | None,
    ) -> None:
        """As a discovery would, at one address."""
        host = targets[0].host
        with self._outage.tolerate():
            asking = self._create_batch_poller(writer, exclusions, printers.list_known(self._db))
            async with self._poll_slots:
                async for answer in scanner.scan_targets(targets, MAX_PROBE_PACKETS_PER_S):
                    await asking.poll_discovered(answer)
            self._mark_reports_pending(asking)
            for printer_id in asking.read:
                log.info("%s: after a trap: printer %d answers there", host, printer_id)
                traps.assign_to_printer(self._db, host, printer_id)
            if claimed_printer and claimed_printer.id not in asking.read:
                self.schedule_poll(claimed_printer, exclusions)
        writer.write_error = None

    def _create_batch_poller(
        self, writer: BatchWriter, exclusions: Exclusions, known_printers: Sequence[KnownPrinter]
    ) -> BatchPoller:
        return BatchPoller(
            self._db,
            self._clock,
            exclusions,
            known_printers,
            progress=RunProgress(),
            endpoint=self._endpoint,
            writer=writer,
        )

    def _mark_reports_pending(self, batch_poller: BatchPoller) -> None:
        if batch_poller.read:
            traps.mark_reports_pending(self._db, list(batch_poller.read), self._clock())
            jobs.wake(self._home.poller_socket)

    def _log_result(self, printer: KnownPrinter, batch_poller: BatchPoller) -> None:
        if batch_poller.failed and printer.id not in self._failing:
            log.warning("%s: after a trap: %s", printer.target.host, batch_poller.failed[0].reason)
            self._failing.add(printer.id)
        elif batch_poller.read and printer.id in self._failing:
            log.info("%s: answers again", printer.target.host)
            self._failing.discard(printer.id)
