"""Readings are kept many at a time: a memory card takes a few durable writes a second, not hundreds."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from appliance.domain.messages import Message
from appliance.domain.model import Reading
from appliance.storage import database, save_reading

log = logging.getLogger(__name__)

BATCH_INTERVAL_S = 0.2  # that a reading waits for others
MAX_BATCH_READINGS = 100  # readings in one transaction: others wait for the database no longer than it takes


class ReadingNotSavedError(Exception):
    """What the printer said cannot be stored; the text is one clear line."""


class BatchWriter:
    """`async with Keeper(db, clock) as keeper: await keeper.keep(reading)`; kept means durable."""

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], datetime]) -> None:
        self.write_error: Exception | None = None  # the first; nothing is kept after it
        self._db, self._clock = db, clock
        self._pending: list[tuple[Callable[[], int], asyncio.Future[int]]] = []
        self._has_pending = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._flush_periodically())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was handed over is kept, also when the round is broken off."""
        self._task.cancel()
        while self._pending:
            self._flush()

    async def save_reading(self, reading: Reading) -> int:
        """The printer's id. Raises NotKept or Unusable."""
        now = self._clock()
        return await self._enqueue(lambda: save_reading.store_reading(self._db, reading, now))

    async def save_failure(self, printer_id: int, reason: str) -> None:
        now = self._clock()

        def work() -> int:
            save_reading.store_poll_failure(self._db, printer_id, reason, now)
            return printer_id

        await self._enqueue(work)

    async def _enqueue(self, write: Callable[[], int]) -> int:
        if self.write_error:
            raise self.write_error
        kept: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending.append((write, kept))
        self._has_pending.set()
        return await kept

    async def _flush_periodically(self) -> None:
        while True:
            await self._has_pending.wait()
            await asyncio.sleep(BATCH_INTERVAL_S)
            self._flush()
            if not self._pending:
                self._has_pending.clear()

    def _flush(self) -> None:
        batch, self._pending = self._pending[:MAX_BATCH_READINGS], self._pending[MAX_BATCH_READINGS:]
        results: list[int | Exception] = []
        try:
            with database.transaction(self._db):
                results = [self._write_one(work) for work, _ in batch]
        except (
            Exception
        ) as error:  # the disk is full, say: told to everybody who waits, and raised by the round
            self.write_error = self.write_error or error
            results = [error] * len(batch)
        for (_, kept), result in zip(batch, results, strict=True):
            if kept.cancelled():
                continue
            if isinstance(result, Exception):
                kept.set_exception(result)
            else:
                kept.set_result(result)

    def _write_one(self, write: Callable[[], int]) -> int | Exception:
        try:
            with database.transaction(self._db):
                return write()
        except database.DatabaseUnavailableError:
            raise
        except Exception as error:  # a printer that says something unheard-of costs the others nothing
            log.exception("a reading cannot be kept")
            return ReadingNotSavedError(Message("reading.not_stored", reason=error))
