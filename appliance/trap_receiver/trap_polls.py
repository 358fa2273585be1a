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
from appliance.jobs.batch_poller import Asking, Progress
from appliance.jobs.batch_writer import Keeper
from appliance.settings.schema import Home
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import jobs, printers, traps
from appliance.storage.db_outage import DatabaseOutage
from appliance.storage.printers import KnownPrinter
from appliance.trap_receiver.debounce import Bundles

log = logging.getLogger(__name__)

AT_ONCE = 20  # readings
PACE = 20  # packets a second, to a stranger


class Readings:
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
        self._bundles = Bundles()
        self._wanted: dict[int, tuple[KnownPrinter, Exclusions]] = {}
        self._strangers: list[tuple[Sequence[Target], Exclusions, KnownPrinter | None]] = []
        self._changed = asyncio.Event()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._failing: set[int] = set()

    def order(self, printer: KnownPrinter, exclusions: Exclusions, *, full: bool = False) -> None:
        """A printer sent a trap; `full`: it may be another one than before, so everything is asked anew."""
        self._wanted[printer.id] = printer, exclusions
        self._bundles.trap(printer.id, time.monotonic(), full=full)
        self._changed.set()

    def meet(self, places: Sequence[Target], exclusions: Exclusions, known: KnownPrinter | None) -> None:
        """Somebody sent a trap from an address where nobody is known; `known`: who it said to be.

        Where nobody answers there, or somebody else, the known printer is read where it was.
        """
        self._strangers.append((places, exclusions, known))
        self._changed.set()

    async def run(self) -> None:
        """Read whoever is due."""
        async with Keeper(self._db, self._clock) as keeper, asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                for printer_id, full in self._bundles.take(time.monotonic()):
                    tasks.create_task(self._read(keeper, *self._wanted.pop(printer_id), full=full))
                strangers, self._strangers = self._strangers, []
                for each in strangers:
                    tasks.create_task(self._meet(keeper, *each))
                at = self._bundles.next_at()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if at is None else max(0.0, at - time.monotonic())):
                        await self._changed.wait()

    async def _read(
        self, keeper: Keeper, printer: KnownPrinter, exclusions: Exclusions, *, full: bool
    ) -> None:
        asking = self._asking(keeper, exclusions, [printer])
        kept = False
        with self._outage.tolerate():
            async with self._turns:
                await asking.known(printer, full=full)
            self._owe(asking)
            kept = True
        keeper.trouble = None  # a disk that was full may have room again
        if not kept:
            self.order(printer, exclusions, full=full)
        self._tell(printer, asking)

    async def _meet(
        self, keeper: Keeper, places: Sequence[Target], exclusions: Exclusions, known: KnownPrinter | None
    ) -> None:
        """As a discovery would, at one address."""
        host = places[0].host
        with self._outage.tolerate():
            asking = self._asking(keeper, exclusions, printers.list_known(self._db))
            async with self._turns:
                async for answer in scanner.scan_targets(places, PACE):
                    await asking.met(answer)
            self._owe(asking)
            for printer_id in asking.read:
                log.info("%s: after a trap: printer %d answers there", host, printer_id)
                traps.assign_to_printer(self._db, host, printer_id)
            if known and known.id not in asking.read:
                self.order(known, exclusions)
        keeper.trouble = None

    def _asking(self, keeper: Keeper, exclusions: Exclusions, known: Sequence[KnownPrinter]) -> Asking:
        return Asking(
            self._db,
            self._clock,
            exclusions,
            known,
            progress=Progress(),
            endpoint=self._endpoint,
            keeper=keeper,
        )

    def _owe(self, asking: Asking) -> None:
        if asking.read:
            traps.mark_reports_pending(self._db, list(asking.read), self._clock())
            jobs.wake(self._home.wake)

    def _tell(self, printer: KnownPrinter, asking: Asking) -> None:
        if asking.failed and printer.id not in self._failing:
            log.warning("%s: after a trap: %s", printer.target.host, asking.failed[0].reason)
            self._failing.add(printer.id)
        elif asking.read and printer.id in self._failing:
            log.info("%s: answers again", printer.target.host)
            self._failing.discard(printer.id)
