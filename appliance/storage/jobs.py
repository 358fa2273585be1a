"""Orders to the poller: rows that survive a restart, announced by a datagram so that nobody waits."""

import asyncio
import os
import socket
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from appliance.storage import database, json_codec

JobKind = Literal["query", "discover"]
JobEndState = Literal["done", "failed", "interrupted"]
JobState = Literal["waiting", "running", "done", "failed", "interrupted"]

MAX_FINISHED_JOBS = 200

# A run of a few printers, which somebody waits for in front of the page: it goes on beside a whole one.
_IS_PARTIAL = "(json_extract(arguments, '$.printers') IS NOT NULL)"

_COLUMNS = "id, kind, arguments, state, progress, result, put_at, started_at, finished_at"


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: JobKind
    arguments: dict[str, object]
    state: JobState
    progress: dict[str, object]
    result: dict[str, object]
    put_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def enqueue(
    db: sqlite3.Connection, kind: JobKind, now: datetime, arguments: Mapping[str, object] | None = None
) -> int:
    """Ask for a run; one that waits already and is the same is not asked for twice, its id is given."""
    wanted = json_codec.encode_json(arguments or {})
    with database.transaction(db):
        row = db.execute(
            "SELECT id FROM jobs WHERE finished_at IS NULL"
            " AND state = 'waiting' AND kind = ? AND arguments = ?",
            (kind, wanted),
        ).fetchone()
        if row is not None:
            return int(row[0])
        cursor = db.execute(
            "INSERT INTO jobs (kind, arguments, put_at) VALUES (?, ?, ?)", (kind, wanted, database.to_ms(now))
        )
        return cursor.lastrowid or 0


def is_partial(job: Job) -> bool:
    """Whether it is for some printers alone, and so may go on beside a whole run."""
    return "printers" in job.arguments


def start_next(db: sqlite3.Connection, now: datetime, *, partial: bool = False) -> Job | None:
    """Start the oldest job that waits, of a few printers or of all; None while one of these runs."""
    with database.transaction(db):
        row = db.execute(
            f"SELECT id, state FROM jobs WHERE finished_at IS NULL AND {_IS_PARTIAL} = ?"  # noqa: S608 a constant
            " ORDER BY state, id LIMIT 1",
            (partial,),
        ).fetchone()  # "running" sorts before "waiting"
        if row is None or row[1] == "running":
            return None
        db.execute(
            "UPDATE jobs SET state = 'running', started_at = ? WHERE id = ?", (database.to_ms(now), row[0])
        )
        return get(db, row[0])


def update_progress(db: sqlite3.Connection, job_id: int, values: Mapping[str, object]) -> None:
    """Tell how far it is; of a job that does not run nothing is told."""
    with database.transaction(db):
        db.execute(
            "UPDATE jobs SET progress = ? WHERE id = ? AND state = 'running'",
            (json_codec.encode_json(values), job_id),
        )


def finish(
    db: sqlite3.Connection, job_id: int, state: JobEndState, result: Mapping[str, object], now: datetime
) -> None:
    """Close a job, once: a second end changes nothing."""
    with database.transaction(db):
        db.execute(
            "UPDATE jobs SET state = ?, result = ?, finished_at = ? WHERE id = ? AND finished_at IS NULL",
            (state, json_codec.encode_json(result), database.to_ms(now), job_id),
        )


def interrupt_running(db: sqlite3.Connection, now: datetime, *, partial: bool = False) -> int:
    """Close what a process that is gone left running, of a few printers or of all."""
    with database.transaction(db):
        cursor = db.execute(
            "UPDATE jobs SET state = 'interrupted', finished_at = ?"  # noqa: S608 a constant
            f" WHERE state = 'running' AND {_IS_PARTIAL} = ?",
            (database.to_ms(now), partial),
        )
        return cursor.rowcount


def get(db: sqlite3.Connection, job_id: int) -> Job | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()  # noqa: S608 a constant
    return None if row is None else _parse_job(row)


def list_recent(db: sqlite3.Connection, limit: int = 50) -> list[Job]:
    """The newest first."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM jobs ORDER BY id DESC LIMIT ?", (limit,))  # noqa: S608 a constant
    return [_parse_job(row) for row in rows]


def prune(db: sqlite3.Connection) -> None:
    """Keep the newest finished jobs, and all that are not finished."""
    with database.transaction(db):
        db.execute(
            "DELETE FROM jobs WHERE finished_at IS NOT NULL AND id <="
            " (SELECT id FROM jobs WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (MAX_FINISHED_JOBS,),
        )


def wake(path: Path) -> None:
    """Tell whoever listens at this socket to look; never waits, and nobody listening is no fault."""
    with (
        suppress(OSError),
        _short_socket_path(path) as address,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender,
    ):
        sender.sendto(b"!", address)


@contextmanager
def listen(path: Path, *extra_events: asyncio.Event) -> Iterator[asyncio.Event]:
    """An event of the running loop that is set by every `wake`; the waiter clears it before it looks.

    `also`: the events of further waiters.
    """
    woken = asyncio.Event()
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as receiver:
        path.unlink(missing_ok=True)  # left by a process that was killed
        with _short_socket_path(path) as address:
            receiver.bind(address)
        loop.add_reader(receiver, _drain, receiver, (woken, *extra_events))
        try:
            yield woken
        finally:
            loop.remove_reader(receiver)
            path.unlink(missing_ok=True)


def _drain(receiver: socket.socket, woken: Iterable[asyncio.Event]) -> None:
    with suppress(OSError):
        for _ in range(100):  # more than a socket's queue holds
            receiver.recv(16)
    for each in woken:
        each.set()


@contextmanager
def _short_socket_path(path: Path) -> Iterator[str]:
    """The same file by a path that fits into a socket address, which holds 107 bytes."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _parse_job(row: tuple[int, JobKind, str, JobState, str, str, int, int | None, int | None]) -> Job:
    return Job(
        id=row[0],
        kind=row[1],
        arguments=json_codec.decode_json(row[2]),
        state=row[3],
        progress=json_codec.decode_json(row[4]),
        result=json_codec.decode_json(row[5]),
        put_at=database.from_ms(row[6]),
        started_at=database.from_ms_or_none(row[7]),
        finished_at=database.from_ms_or_none(row[8]),
    )
