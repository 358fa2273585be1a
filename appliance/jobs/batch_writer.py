"""Save readings in batches, since a memory card takes few durable writes per second."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from appliance.domain.messages import Message
from appliance.domain.model import Reading
from appliance.storage import database, printers

log = logging.getLogger(__name__)

BATCH_INTERVAL_S = 0.2  # for which a reading waits for others
MAX_BATCH_READINGS = 100  # per transaction: it bounds how long it locks the database


class ReadingNotSavedError(Exception):
    """A reading cannot be stored; the text says why in one line."""


class BatchWriter:
    """Save readings durably: `async with BatchWriter(db, clock) as writer: await writer.save_reading(r)`."""

    def __init__(self, db: sqlite3.Connection, clock: Callable[[], datetime]) -> None:
        self.write_error: Exception | None = None  # the first one; nothing is saved after it
        self._db, self._clock = db, clock
        self._pending: list[tuple[Callable[[], int], asyncio.Future[int]]] = []
        self._has_pending = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._flush_periodically())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is pending, also when the run is interrupted."""
        self._task.cancel()
        while self._pending:
            self._flush()

    async def save_reading(self, reading: Reading) -> int:
        """Save a reading and return the printer's id.

        Raise ReadingNotSavedError or DatabaseUnavailableError.
        """
        now = self._clock()
        return await self._enqueue(lambda: printers.store_reading(self._db, reading, now))

    async def save_failure(self, printer_id: int, reason: str) -> None:
        now = self._clock()

        def write() -> int:
            printers.store_poll_failure(self._db, printer_id, reason, now)
            return printer_id

        await self._enqueue(write)

    async def _enqueue(self, write: Callable[[], int]) -> int:
        if self.write_error:
            raise self.write_error
        saved: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending.append((write, saved))
        self._has_pending.set()
        return await saved

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
                results = [self._write_one(write) for write, _ in batch]
        except Exception as error:  # such as a full disk: raised in every waiting task, and by the run
            self.write_error = self.write_error or error
            results = [error] * len(batch)
        for (_, saved), result in zip(batch, results, strict=True):
            if saved.cancelled():
                continue
            if isinstance(result, Exception):
                saved.set_exception(result)
            else:
                saved.set_result(result)

    def _write_one(self, write: Callable[[], int]) -> int | Exception:
        try:
            with database.transaction(self._db):
                return write()
        except database.DatabaseUnavailableError:
            raise
        except Exception as error:  # one odd reading must not stop the others
            log.exception("a reading cannot be kept")
            return ReadingNotSavedError(Message("reading.not_stored", reason=error))
