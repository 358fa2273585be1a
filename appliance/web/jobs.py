"""Runs: asked of the poller through the database, watched while they go on."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime

from appliance.domain.messages import Message
from appliance.settings.schema import Home
from appliance.storage import database, printers
from appliance.storage import jobs as stored
from appliance.storage.jobs import Job, JobKind
from appliance.web.db_thread import DatabaseThread
from appliance.web.errors import ApiError
from appliance.web.handlers import ApiRequest, Routes
from appliance.web.json_fields import Json, JsonMapping, format_optional_timestamp, format_timestamp, get_str

MAX_NEW_PRINTERS = 200


class PollerClient:
    """Whoever does the runs."""

    def __init__(self, home: Home, store: DatabaseThread, clock: Callable[[], datetime]) -> None:
        self._home = home
        self._store = store
        self._clock = clock

    async def request_run(self, kind: JobKind, arguments: Mapping[str, object] | None = None) -> JsonMapping:
        """Put a run in line; the job."""
        number = await self._store.call(stored.enqueue, kind, self._clock(), arguments)
        self.wake()
        return await self._store.call(load_job, number)

    def wake(self) -> None:
        """Something waits: settings, a job, a parcel."""
        if self._home.poller_socket.exists():
            stored.wake(self._home.poller_socket)

    def state(self) -> str:
        """Whether it is there: it holds a lock as long as it lives."""
        try:
            lock = os.open(self._home.run / "poller.lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return "stopped"
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return "running"
        finally:
            os.close(lock)
        return "stopped"


class JobsApi:
    """The API of runs."""

    def __init__(self, store: DatabaseThread, poller: PollerClient) -> None:
        self._store = store
        self._poller = poller

    def routes(self) -> Routes:
        return [
            ("GET", "/api/jobs", self._get_jobs),
            ("POST", "/api/jobs", self._start_run),
            ("GET", "/api/jobs/{id}", self._get_job),
        ]

    async def _get_jobs(self, _request: ApiRequest) -> JsonMapping:
        return {"jobs": await self._store.call(_serialize_recent_jobs)}

    async def _start_run(self, request: ApiRequest) -> JsonMapping:
        return await self._poller.request_run(
            "discover" if get_str(request.body, "kind") == "discover" else "query"
        )

    async def _get_job(self, request: ApiRequest) -> JsonMapping:
        return await self._store.call(load_job, request.path_id)


def load_job(db: sqlite3.Connection, job_id: int) -> dict[str, Json]:
    """Job, as openapi.json has it. Raises Trouble 404."""
    found = stored.get(db, job_id)
    if found is None:
        raise ApiError(404, Message("job.not_found", job=job_id))
    return serialize_job(db, found)


def serialize_job(db: sqlite3.Connection, job: Job) -> dict[str, Json]:
    """Job, as openapi.json has it."""
    wanted = job.arguments.get("printers")
    only = wanted[0] if isinstance(wanted, list) and len(wanted) == 1 and isinstance(wanted[0], int) else None
    return {
        "id": job.id,
        "kind": job.kind,
        "printer": only,
        "scheduled": job.arguments.get("scheduled") is True,
        "state": job.state,
        "created_at": format_timestamp(job.put_at),
        "started_at": format_optional_timestamp(job.started_at),
        "ended_at": format_optional_timestamp(job.finished_at),
        "progress": _serialize_job_progress(job) if job.state == "running" else None,
        "result": _serialize_job_result(db, job) if job.finished_at else None,
    }


def _serialize_recent_jobs(db: sqlite3.Connection) -> list[Json]:
    with database.snapshot(db):
        return [serialize_job(db, found) for found in stored.list_recent(db)]


def _serialize_job_progress(job: Job) -> dict[str, Json]:
    scan = job.progress.get("scan")
    asked = scan if isinstance(scan, dict) else {}
    total = asked.get("total")
    scanning = isinstance(total, int) and _int_or_zero(asked, "asked") < total
    return {
        "stage": "scan" if scanning else "read",
        "total": total if isinstance(total, int) else None,
        **{key: _int_or_zero(asked, key) for key in ("asked", "answered", "printers")},
        **{key: _int_or_zero(job.progress, key) for key in ("to_read", "read", "failed")},
    }


def _serialize_job_result(db: sqlite3.Connection, job: Job) -> dict[str, Json]:
    result = job.result
    cost = result.get("cost")
    costs = cost if isinstance(cost, dict) else {}
    seconds = costs.get("seconds")
    named: dict[str, Json] = {}
    for kind in ("failed", "incomplete", "skipped"):
        some = _serialize_skipped_printers(result.get(kind))
        named |= {kind: some, f"{kind}_total": max(len(some), _int_or_zero(result, f"{kind}_total"))}
    error = result.get("reason") or result.get("not_handed_over")
    parcel = result.get("parcel")
    return {
        "printers": _int_or_zero(result, "read"),
        "new": _serialize_new_printers(db, job),
        **named,
        **{key: _int_or_zero(result, key) for key in ("left_alone", "asked", "answered")},
        **{key: _int_or_zero(costs, key) for key in ("packets", "bytes")},
        "seconds": round(float(seconds), 3) if isinstance(seconds, int | float) else 0.0,
        "parcel": parcel if isinstance(parcel, str) else None,
        "error": error if isinstance(error, str) else None,
    }


def _serialize_skipped_printers(rows: object) -> list[Json]:
    found: list[Json] = []
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict):
            name, number = row.get("name"), row.get("printer_id")
            found.append(
                {
                    "address": str(row.get("host", "")),
                    "name": name if isinstance(name, str) else None,
                    "printer": number if isinstance(number, int) else None,
                    "reason": str(row.get("reason", "")),
                }
            )
    return found


def _serialize_new_printers(db: sqlite3.Connection, job: Job) -> list[Json]:
    """Printers that were met for the first time while the run went on."""
    if job.started_at is None or job.finished_at is None:
        return []
    return [
        {
            "id": printer_id,
            "address": target.host,
            "manufacturer": identity.manufacturer,
            "model": identity.model,
        }
        for printer_id, target, identity in printers.list_created_between(
            db, job.started_at, job.finished_at, MAX_NEW_PRINTERS
        )
    ]


def _int_or_zero(values: Mapping[str, object], key: str) -> int:
    value = values.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
