"""Runs: asked of the poller through the database, watched while they go on."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime

from appliance.domain.model import Identity, Target
from appliance.settings.schema import Home
from appliance.storage import database, json_codec
from appliance.storage import jobs as stored
from appliance.storage.jobs import Job, Kind
from appliance.web.db_thread import Store
from appliance.web.errors import missing
from appliance.web.handlers import Asked, Routes
from appliance.web.json_fields import Json, Object, text
from appliance.web.timestamps import maybe_stamp, stamp

MOST_NEW = 200


class Poller:
    """Whoever does the runs."""

    def __init__(self, home: Home, store: Store, clock: Callable[[], datetime]) -> None:
        self._home = home
        self._store = store
        self._clock = clock

    async def order(self, kind: Kind, arguments: Mapping[str, object] | None = None) -> Object:
        """Put a run in line; the job."""
        number = await self._store.ask(stored.put, kind, self._clock(), arguments)
        self.wake()
        return await self._store.ask(job, number)

    def wake(self) -> None:
        """Something waits: settings, a job, a parcel."""
        if self._home.wake.exists():
            stored.wake(self._home.wake)

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


class Jobs:
    """The API of runs."""

    def __init__(self, store: Store, poller: Poller) -> None:
        self._store = store
        self._poller = poller

    def routes(self) -> Routes:
        return [
            ("GET", "/api/jobs", self._list),
            ("POST", "/api/jobs", self._start),
            ("GET", "/api/jobs/{id}", self._show),
        ]

    async def _list(self, _asked: Asked) -> Object:
        return {"jobs": await self._store.ask(_recent)}

    async def _start(self, asked: Asked) -> Object:
        return await self._poller.order("discover" if text(asked.body, "kind") == "discover" else "query")

    async def _show(self, asked: Asked) -> Object:
        return await self._store.ask(job, asked.id)


def job(db: sqlite3.Connection, number: int) -> dict[str, Json]:
    """Job, as openapi.json has it. Raises Trouble 404."""
    found = stored.get(db, number)
    if found is None:
        raise missing(f"job {number}")
    return shaped(db, found)


def shaped(db: sqlite3.Connection, found: Job) -> dict[str, Json]:
    """Job, as openapi.json has it."""
    wanted = found.arguments.get("printers")
    only = wanted[0] if isinstance(wanted, list) and len(wanted) == 1 and isinstance(wanted[0], int) else None
    return {
        "id": found.id,
        "kind": found.kind,
        "printer": only,
        "scheduled": found.arguments.get("scheduled") is True,
        "state": found.state,
        "created_at": stamp(found.put_at),
        "started_at": maybe_stamp(found.started_at),
        "ended_at": maybe_stamp(found.finished_at),
        "progress": _progress(found) if found.state == "running" else None,
        "result": _result(db, found) if found.finished_at else None,
    }


def _recent(db: sqlite3.Connection) -> list[Json]:
    with database.snapshot(db):
        return [shaped(db, found) for found in stored.recent(db)]


def _progress(found: Job) -> dict[str, Json]:
    scan = found.progress.get("scan")
    asked = scan if isinstance(scan, dict) else {}
    total = asked.get("total")
    scanning = isinstance(total, int) and _number(asked, "asked") < total
    return {
        "stage": "scan" if scanning else "read",
        "total": total if isinstance(total, int) else None,
        **{key: _number(asked, key) for key in ("asked", "answered", "printers")},
        **{key: _number(found.progress, key) for key in ("to_read", "read", "failed")},
    }


def _result(db: sqlite3.Connection, found: Job) -> dict[str, Json]:
    result = found.result
    cost = result.get("cost")
    costs = cost if isinstance(cost, dict) else {}
    seconds = costs.get("seconds")
    named: dict[str, Json] = {}
    for kind in ("failed", "incomplete", "skipped"):
        some = _skipped(result.get(kind))
        named |= {kind: some, f"{kind}_total": max(len(some), _number(result, f"{kind}_total"))}
    error = result.get("reason") or result.get("not_handed_over")
    parcel = result.get("parcel")
    return {
        "printers": _number(result, "read"),
        "new": _new(db, found),
        **named,
        **{key: _number(result, key) for key in ("left_alone", "asked", "answered")},
        **{key: _number(costs, key) for key in ("packets", "bytes")},
        "seconds": round(float(seconds), 3) if isinstance(seconds, int | float) else 0.0,
        "parcel": parcel if isinstance(parcel, str) else None,
        "error": error if isinstance(error, str) else None,
    }


def _skipped(rows: object) -> list[Json]:
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


def _new(db: sqlite3.Connection, found: Job) -> list[Json]:
    """Printers that were met for the first time while the run went on."""
    if found.started_at is None or found.finished_at is None:
        return []
    rows = db.execute(
        "SELECT id, target, identity FROM printers WHERE created_at BETWEEN ? AND ? ORDER BY id LIMIT ?",
        (database.to_ms(found.started_at), database.to_ms(found.finished_at), MOST_NEW),
    )
    new: list[Json] = []
    for number, target, identity in rows:
        who = json_codec.decode(Identity, identity)
        address = json_codec.decode(Target, target).host
        new.append({"id": number, "address": address, "manufacturer": who.manufacturer, "model": who.model})
    return new


def _number(values: Mapping[str, object], key: str) -> int:
    value = values.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
