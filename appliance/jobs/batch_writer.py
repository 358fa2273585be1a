"""Readings are kept many at a time: a memory card takes a few durable writes a second, not hundreds."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from appliance.domain.model import Reading
from appliance.storage import database, printers

log = logging.getLogger(__name__)

SECONDS = 0.2  # that a reading waits for others
AT_ONCE = 100  # readings in one transaction: others wait for the database no longer than it takes


class NotKept(Exception):
    """What the printer said cannot be stored; the text is one clear line."""


class Keeper:
    """`async with Keeper(db, clock) as keeper: await keeper.keep(reading)`; kept means durable."""

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], datetime]) -> None:
        self.trouble: Exception | None = None  # the first; nothing is kept after it
        self._db, self._clock = db, clock
        self._waiting: list[tuple[Callable[[], int], asyncio.Future[int]]] = []
        self._filled = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was handed over is kept, also when the round is broken off."""
        self._task.cancel()
        while self._waiting:
            self._flush()

    async def keep(self, reading: Reading) -> int:
        """The printer's id. Raises NotKept or Unusable."""
        now = self._clock()
        return await self._done(lambda: printers.store_reading(self._db, reading, now))

    async def keep_failure(self, printer_id: int, reason: str) -> None:
        now = self._clock()

        def work() -> int:
            printers.store_poll_failure(self._db, printer_id, reason, now)
            return printer_id

        await self._done(work)

    async def _done(self, work: Callable[[], int]) -> int:
        if self.trouble:
            raise self.trouble
        kept: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, kept))
        self._filled.set()
        return await kept

    async def _work(self) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(SECONDS)
            self._flush()
            if not self._waiting:
                self._filled.clear()

    def _flush(self) -> None:
        batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        results: list[int | Exception] = []
        try:
            with database.transaction(self._db):
                results = [self._one(work) for work, _ in batch]
        except (
            Exception
        ) as error:  # the disk is full, say: told to everybody who waits, and raised by the round
            self.trouble = self.trouble or error
            results = [error] * len(batch)
        for (_, kept), result in zip(batch, results, strict=True):
            if kept.cancelled():
                continue
            if isinstance(result, Exception):
                kept.set_exception(result)
            else:
                kept.set_result(result)

    def _one(self, work: Callable[[], int]) -> int | Exception:
        try:
            with database.transaction(self._db):
                return work()
        except database.DatabaseUnavailableError:
            raise
        except Exception as error:  # a printer that says something unheard-of costs the others nothing
            log.exception("a reading cannot be kept")
            return NotKept(f"its values cannot be kept: {error}")
