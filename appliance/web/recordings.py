"""A recording of one printer, made while somebody waits and kept in memory until it was fetched."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from appliance.collector import snmp_recorder
from appliance.discovery import entries
from appliance.domain.model import Target
from appliance.snmp.client import Endpoint
from appliance.storage import printers
from appliance.web.db_thread import Store
from appliance.web.errors import Trouble, missing
from appliance.web.handlers import Asked, Download, Routes
from appliance.web.json_fields import Json, Object, truth
from appliance.web.timestamps import maybe_stamp

KEPT_SECONDS = 15 * 60.0  # once it is there: some have megabytes
MOST_BYTES = 20 << 20


@dataclass(slots=True)
class _Recording:
    """One that goes on, or has ended."""

    printer: int
    masked: bool
    began_at: datetime
    objects: int = 0
    text: str = "The printer is being asked."
    data: bytes | None = None
    complete: bool = False
    ended_at: datetime | None = None

    @property
    def state(self) -> str:
        if self.ended_at is None:
            return "running"
        return "failed" if self.data is None else "done"


class Recordings:
    """The API of recordings: one at a time."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._now: _Recording | None = None
        self._task: asyncio.Task[None] | None = None

    def routes(self) -> Routes:
        path = "/api/printers/{id}/recording"
        return [
            ("POST", path, self._begin),
            ("GET", path, self._show),
            ("DELETE", path, self._drop),
            ("GET", f"{path}/file", self._download),
        ]

    async def close(self) -> None:
        """Stop asking."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._now = self._task = None

    async def _begin(self, asked: Asked) -> Object:
        target = await self._store.ask(_target, asked.id)
        if self._now and self._now.state == "running":
            raise Trouble(503, f"Printer {self._now.printer} is being recorded just now.", code="busy")
        await self.close()
        made = self._now = _Recording(asked.id, truth(asked.body, "mask") or False, self._clock())
        self._task = asyncio.create_task(self._record(made, target))
        return _shaped(made)

    async def _show(self, asked: Asked) -> Object:
        await self._store.ask(_target, asked.id)
        return _shaped(self._of(asked.id))

    async def _drop(self, asked: Asked) -> None:
        await self._store.ask(_target, asked.id)
        if self._of(asked.id):
            await self.close()

    async def _download(self, asked: Asked) -> Download:
        await self._store.ask(_target, asked.id)
        made = self._of(asked.id)
        if made is None or made.data is None:
            raise missing(f"recording of printer {asked.id}")
        kind = "-masked" if made.masked else ""
        return Download(f"printer-{asked.id}{kind}.snmprec", "text/plain", made.data)

    def _of(self, printer: int) -> _Recording | None:
        return self._now if self._now and self._now.printer == printer else None

    async def _record(self, made: _Recording, target: Target) -> None:
        """Fill in what comes; forget it after a while."""

        def count(objects: int) -> None:
            made.objects = objects

        try:
            found = await entries.resolve(target)
            async with Endpoint() as endpoint:
                recorded = await snmp_recorder.record(endpoint, found, mask=made.masked, progress=count)
            made.data = (await asyncio.to_thread(lambda: recorded.text)).encode()[:MOST_BYTES]
            made.complete = not recorded.stopped
            made.text = f"Not complete: {recorded.stopped}." if recorded.stopped else "It is complete."
        except (snmp_recorder.NotRecorded, entries.NotResolved, OSError) as error:
            made.text = f"Nothing could be recorded: {error}."
        finally:
            made.ended_at = self._clock()
        await asyncio.sleep(KEPT_SECONDS)
        if self._now is made:
            self._now = None


def _target(db: sqlite3.Connection, printer_id: int) -> Target:
    known = printers.latest(db, printer_id)
    if known is None:
        raise missing(f"printer {printer_id}")
    return known.target


def _shaped(made: _Recording | None) -> dict[str, Json]:
    return {
        "state": made.state if made else "none",
        "text": made.text if made else "There is no recording.",
        "masked": bool(made and made.masked),
        "objects": made.objects if made else 0,
        "complete": bool(made and made.complete),
        "began_at": maybe_stamp(made.began_at if made else None),
        "ended_at": maybe_stamp(made.ended_at if made else None),
    }
