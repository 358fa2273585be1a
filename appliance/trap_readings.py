"""Printers that sent a trap are read, each by itself, at the address where it is known."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from appliance.asking import Asking, Progress
from appliance.config import Home
from appliance.discovery.entries import Exclusions
from appliance.keeper import Keeper
from appliance.reading.snmp.endpoint import Endpoint
from appliance.store import database, jobs, traps
from appliance.store.printers import Known
from appliance.trap_bundles import Bundles

log = logging.getLogger(__name__)

AT_ONCE = 20  # readings


class Readings:
    """What is to be read, and what is being read."""

    def __init__(
        self, home: Home, db: sqlite3.Connection, clock: Callable[[], datetime], endpoint: Endpoint
    ) -> None:
        self._home, self._db, self._clock, self._endpoint = home, db, clock, endpoint
        self._bundles = Bundles()
        self._wanted: dict[int, tuple[Known, Exclusions]] = {}
        self._changed = asyncio.Event()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._failing: set[int] = set()

    def order(self, printer: Known, exclusions: Exclusions, *, full: bool = False) -> None:
        """A printer sent a trap; `full`: it may be another one than before, so everything is asked anew."""
        self._wanted[printer.id] = printer, exclusions
        self._bundles.trap(printer.id, time.monotonic(), full=full)
        self._changed.set()

    async def run(self) -> None:
        """Read whoever is due."""
        async with Keeper(self._db, self._clock) as keeper, asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                for printer_id, full in self._bundles.take(time.monotonic()):
                    tasks.create_task(self._read(keeper, *self._wanted.pop(printer_id), full=full))
                at = self._bundles.next_at()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if at is None else max(0.0, at - time.monotonic())):
                        await self._changed.wait()

    async def _read(self, keeper: Keeper, printer: Known, exclusions: Exclusions, *, full: bool) -> None:
        asking = Asking(
            self._db,
            self._clock,
            exclusions,
            [printer],
            progress=Progress(),
            endpoint=self._endpoint,
            keeper=keeper,
        )
        try:
            async with self._turns:
                await asking.known(printer, full=full)
            if asking.read:
                traps.owe_report(self._db, list(asking.read), self._clock())
                jobs.wake(self._home.wake)
        except database.Unusable as error:
            log.error("%s: read after a trap, but %s", printer.target.host, error)
        keeper.trouble = None  # a disk that was full may have room again
        self._tell(printer, asking)

    def _tell(self, printer: Known, asking: Asking) -> None:
        if asking.failed and printer.id not in self._failing:
            log.warning("%s: after a trap: %s", printer.target.host, asking.failed[0].reason)
            self._failing.add(printer.id)
        elif asking.read and printer.id in self._failing:
            log.info("%s: answers again", printer.target.host)
            self._failing.discard(printer.id)
