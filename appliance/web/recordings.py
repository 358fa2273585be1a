"""A recording of one printer, made while somebody waits and kept in memory until it was fetched."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from appliance.collector import snmp_recorder
from appliance.collector.errors import RecordingError
from appliance.discovery import entries
from appliance.domain.model import Target
from appliance.snmp.transport import SnmpEndpoint
from appliance.storage import printers
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError, not_found
from appliance.web.handlers import ApiRequest, Download, Routes
from appliance.web.json_fields import Json, JsonMapping, get_bool
from appliance.web.timestamps import format_optional_timestamp

RETENTION_S = 15 * 60.0  # once it is there: some have megabytes
MAX_RECORDING_BYTES = 20 << 20


@dataclass(slots=True)
class _PrinterRecording:
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


class RecordingsApi:
    """The API of recordings: one at a time."""

    def __init__(self, store: DatabaseThread, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._current: _PrinterRecording | None = None
        self._task: asyncio.Task[None] | None = None

    def routes(self) -> Routes:
        path = "/api/printers/{id}/recording"
        return [
            ("POST", path, self._start_recording),
            ("GET", path, self._get_recording),
            ("DELETE", path, self._delete_recording),
            ("GET", f"{path}/file", self._download_recording),
        ]

    async def close(self) -> None:
        """Stop asking."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._current = self._task = None

    async def _start_recording(self, request: ApiRequest) -> JsonMapping:
        target = await self._store.call(_load_target, request.path_id)
        if self._current and self._current.state == "running":
            raise ApiError(503, f"Printer {self._current.printer} is being recorded just now.", code="busy")
        await self.close()
        made = self._current = _PrinterRecording(
            request.path_id, get_bool(request.body, "mask") or False, self._clock()
        )
        self._task = asyncio.create_task(self._record_printer(made, target))
        return _serialize_recording(made)

    async def _get_recording(self, request: ApiRequest) -> JsonMapping:
        await self._store.call(_load_target, request.path_id)
        return _serialize_recording(self._find_recording(request.path_id))

    async def _delete_recording(self, request: ApiRequest) -> None:
        await self._store.call(_load_target, request.path_id)
        if self._find_recording(request.path_id):
            await self.close()

    async def _download_recording(self, request: ApiRequest) -> Download:
        await self._store.call(_load_target, request.path_id)
        made = self._find_recording(request.path_id)
        if made is None or made.data is None:
            raise not_found(f"recording of printer {request.path_id}")
        kind = "-masked" if made.masked else ""
        return Download(f"printer-{request.path_id}{kind}.snmprec", "text/plain", made.data)

    def _find_recording(self, printer: int) -> _PrinterRecording | None:
        return self._current if self._current and self._current.printer == printer else None

    async def _record_printer(self, recording: _PrinterRecording, target: Target) -> None:
        """Fill in what comes; forget it after a while."""

        def count(objects: int) -> None:
            recording.objects = objects

        try:
            found = await entries.resolve_target(target)
            async with SnmpEndpoint() as endpoint:
                recorded = await snmp_recorder.record_printer(
                    endpoint, found, anonymize=recording.masked, on_progress=count
                )
            recording.data = (await asyncio.to_thread(lambda: recorded.text)).encode()[:MAX_RECORDING_BYTES]
            recording.complete = not recorded.stop_reason
            recording.text = (
                f"Not complete: {recorded.stop_reason}." if recorded.stop_reason else "It is complete."
            )
        except (RecordingError, entries.NameNotResolvedError, OSError) as error:
            recording.text = f"Nothing could be recorded: {error}."
        finally:
            recording.ended_at = self._clock()
        await asyncio.sleep(RETENTION_S)
        if self._current is recording:
            self._current = None


def _load_target(db: sqlite3.Connection, printer_id: int) -> Target:
    known = printers.get_printer(db, printer_id)
    if known is None:
        raise not_found(f"printer {printer_id}")
    return known.target


def _serialize_recording(recording: _PrinterRecording | None) -> dict[str, Json]:
    return {
        "state": recording.state if recording else "none",
        "text": recording.text if recording else "There is no recording.",
        "masked": bool(recording and recording.masked),
        "objects": recording.objects if recording else 0,
        "complete": bool(recording and recording.complete),
        "began_at": format_optional_timestamp(recording.began_at if recording else None),
        "ended_at": format_optional_timestamp(recording.ended_at if recording else None),
    }
