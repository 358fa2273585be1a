"""Parcels wait here until the server has taken them: nothing is lost to a bad line.

A parcel is a file (see shelf.py) and a row of the table `parcels`. The file is whole and durable before the
row exists, and both come into being under the database's write lock: no process trips over another's.

    waiting ──> delivered            the server has it
       │  ▲
       │  └─── by hand ───┐
       ├─────> refused ───┘          set aside: the server will not take it as it is
       └─────> lost                  its file is gone or damaged, or it waited too long
"""

import hashlib
import logging
import random
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import uuid4

from appliance.delivery import spool_files
from appliance.domain.messages import Message, decode, encode
from appliance.domain.sending import ParcelCounts
from appliance.storage import database, statistics

log = logging.getLogger(__name__)

RESERVED_BYTES = 32 << 20  # bytes of the disk that stay free: the database must still be able to grow
FIRST_RETRY_S = 120.0  # seconds, at most; half of it at least
MAX_BACKOFF_S = 3600.0
MAX_RETRY_AFTER_S = 7200.0  # a server may ask for more time, within reason
MAX_WAITING_AGE = timedelta(days=30)
MIN_WAITING_PARCELS = 720  # parcels, 30 days of hourly ones: a clock that jumps makes nobody old
SENT_RETENTION = timedelta(days=7)
MAX_SENT_PARCELS = 100
ROW_RETENTION = timedelta(days=365)

ParcelFileError = spool_files.ParcelFileError  # what read() raises
ParcelState = Literal["waiting", "delivered", "refused", "lost"]

_SELECT_PARCELS = (
    "SELECT id, name, created_at, size, digest, state, attempts, next_at, error, delivered_at, error_message"
    " FROM parcels"
)
_ParcelRow = tuple[str, str, int, int, str, ParcelState, int, int | None, str | None, int | None, str | None]


class ParcelNotStoredError(Exception):
    """The parcel could not be put: nothing of it is in the outbox."""


class ParcelRetryError(Exception):
    """There is no such parcel, or nothing left of it to retry."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A row of the outbox. Times are UTC."""

    id: str  # also its Idempotency-Key
    name: str
    created_at: datetime
    size: int  # bytes
    digest: str  # SHA-256, hexadecimal
    state: ParcelState = "waiting"
    attempts: int = 0
    next_at: datetime | None = None  # None while it waits: at once
    error: str | None = None  # of the last attempt
    delivered_at: datetime | None = None

    @property
    def file(self) -> str:
        return spool_files.file_name(self.name, self.id)


def put(
    db: sqlite3.Connection,
    folder: Path,
    name: str,
    data: bytes,
    now: datetime,
    *,
    reserve: int = RESERVED_BYTES,
) -> Parcel:
    """Keep a parcel durably; raises NotKept, and ValueError for a name that is none."""
    parcel = Parcel(str(uuid4()), name, now, len(data), hashlib.sha256(data).hexdigest())
    path = folder / parcel.file
    try:
        spool_files.check_free_space(folder, len(data) + reserve)
        with database.transaction(db):
            spool_files.write(path, data)
            _insert(db, parcel)
    except (OSError, database.DatabaseUnavailableError) as error:
        path.unlink(missing_ok=True)
        raise ParcelNotStoredError(Message("outbox.not_stored", name=name, reason=error)) from error
    return parcel


def next_due(db: sqlite3.Connection, now: datetime) -> Parcel | None:
    """The parcel to be sent now: always the first that waits, so that none overtakes another."""
    first = first_waiting(db)
    if first is None or first.next_at is None or first.next_at <= now:
        return first
    # No wait is longer than LONGEST_ASKED: a later time was set before the clock jumped back.
    return first if first.next_at > now + timedelta(seconds=MAX_RETRY_AFTER_S) else None


def first_waiting(db: sqlite3.Connection) -> Parcel | None:
    return _query_one(db, f"{_SELECT_PARCELS} WHERE state = 'waiting' ORDER BY sequence LIMIT 1")


def read(folder: Path, parcel: Parcel) -> bytes:
    """What was put; raises Unreadable where that is not to be had, OSError where the disk fails."""
    return spool_files.read(folder, parcel.file, parcel.digest)


def mark_delivered(db: sqlite3.Connection, folder: Path, parcel: Parcel, now: datetime) -> None:
    """The server has it. The file stays for a while, for whoever wants to see what left the site."""
    with database.transaction(db):
        db.execute(
            "UPDATE parcels SET state = 'delivered', delivered_at = ?, attempts = attempts + 1,"
            " next_at = NULL, error = NULL WHERE id = ?",
            (database.to_ms(now), parcel.id),
        )
    log.info("parcel %s: delivered", parcel.name)
    try:
        spool_files.move_to_sent(folder / parcel.file)
    except OSError as error:  # the next sweep tries again
        log.warning("parcel %s: was delivered, its file stays where it is: %s", parcel.name, error)


def postpone(
    db: sqlite3.Connection, parcel: Parcel, reason: str, now: datetime, wait: float | None = None
) -> datetime:
    """Not now: `wait` seconds later where somebody asked for that, else ever later, up to an hour."""
    if wait is None:
        longest = min(MAX_BACKOFF_S, FIRST_RETRY_S * 2.0 ** min(parcel.attempts, 10))
        wait = random.uniform(longest / 2, longest)  # a server that was down must not be hit by all at once
    next_at = now + timedelta(seconds=min(max(wait, 1.0), MAX_RETRY_AFTER_S))
    with database.transaction(db):
        db.execute(
            "UPDATE parcels SET attempts = attempts + 1, next_at = ?, error = ?, error_message = ?"
            " WHERE id = ?",
            (database.to_ms(next_at), *_error_columns(reason), parcel.id),
        )
    if reason != parcel.error:
        log.warning("parcel %s: waits: %s", parcel.name, reason)
    return next_at


def mark_refused(db: sqlite3.Connection, parcel: Parcel, reason: str) -> None:
    """Set aside, to be looked at and perhaps retried by hand."""
    log.error("parcel %s: refused: %s", parcel.name, reason)
    with database.transaction(db):
        db.execute(
            "UPDATE parcels SET state = 'refused', attempts = attempts + 1, next_at = NULL, error = ?,"
            " error_message = ? WHERE id = ?",
            (*_error_columns(reason), parcel.id),
        )


def mark_lost(db: sqlite3.Connection, parcel: Parcel, reason: str) -> None:
    """There is nothing to send any more."""
    log.error("parcel %s: lost: %s", parcel.name, reason)
    with database.transaction(db):
        db.execute(
            "UPDATE parcels SET state = 'lost', next_at = NULL, error = ?, error_message = ? WHERE id = ?",
            (*_error_columns(reason), parcel.id),
        )


def retry(db: sqlite3.Connection, folder: Path, parcel_id: str, now: datetime) -> Parcel:
    """Let it wait again, due now together with all that wait before it; raises NotRetried."""
    with database.transaction(db):
        parcel = get(db, parcel_id)
        if parcel is None:
            raise ParcelRetryError(Message("outbox.no_parcel", parcel=parcel_id))
        if parcel.state == "delivered":
            raise ParcelRetryError(Message("outbox.delivered", name=parcel.name))
        try:
            read(folder, parcel)
        except (ParcelFileError, OSError) as error:
            raise ParcelRetryError(Message("pair", first=parcel.name, second=error)) from error
        _requeue(db, parcel, now)
        return get(db, parcel_id) or parcel


def get(db: sqlite3.Connection, parcel_id: str) -> Parcel | None:
    return _query_one(db, f"{_SELECT_PARCELS} WHERE id = ?", parcel_id)


def list_parcels(db: sqlite3.Connection) -> list[Parcel]:
    """All parcels, in the order in which they leave."""
    return _parse_rows(db.execute(f"{_SELECT_PARCELS} ORDER BY sequence"))


def count_by_state(db: sqlite3.Connection, state: ParcelState) -> int:
    number: int = db.execute("SELECT count(*) FROM parcels WHERE state = ?", (state,)).fetchone()[0]
    return number


def count_parcels(db: sqlite3.Connection) -> ParcelCounts:
    """Return the outbox in figures."""
    counted, first = statistics.read_parcel_statistics(db), first_waiting(db)
    return ParcelCounts(
        counted.waiting,
        counted.count_by_state.get("refused", 0),
        counted.oldest_waiting_at,
        first.error if first else None,
    )


def recover(db: sqlite3.Connection, folder: Path, now: datetime) -> None:
    """Put right what a crash left behind; for the start of a service."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with database.transaction(db):  # every put() elsewhere is either done or has not begun
        spool_files.delete_unfinished(folder)
        files = spool_files.list_unsent(folder)
        for parcel in list_parcels(db):
            _reconcile_row(db, parcel, files.pop(parcel.id, None), folder, now)
        for path in sorted(files.values(), key=lambda path: path.stat().st_mtime):
            _import_file(db, path)
    prune(db, folder, now)


def prune(db: sqlite3.Connection, folder: Path, now: datetime) -> None:
    """Give up what has waited for more than 30 days, delete what was delivered long ago."""
    waiting = db.execute(
        f"{_SELECT_PARCELS} WHERE state = 'waiting' AND created_at < ? AND sequence <="  # noqa: S608
        " (SELECT sequence FROM parcels WHERE state = 'waiting' ORDER BY sequence DESC LIMIT 1 OFFSET ?)",
        (database.to_ms(now - MAX_WAITING_AGE), MIN_WAITING_PARCELS),
    )
    for parcel in _parse_rows(waiting):
        (folder / parcel.file).unlink(missing_ok=True)
        mark_lost(db, parcel, Message("outbox.expired", days=MAX_WAITING_AGE.days))
    sent = db.execute(
        "SELECT id FROM parcels WHERE state = 'delivered' AND delivered_at > ?"
        " ORDER BY sequence DESC LIMIT ?",
        (database.to_ms(now - SENT_RETENTION), MAX_SENT_PARCELS),
    )
    spool_files.prune_sent(folder, {parcel_id for (parcel_id,) in sent})
    with database.transaction(db):
        db.execute(
            "DELETE FROM parcels WHERE state IN ('delivered', 'lost') AND created_at < ?",
            (database.to_ms(now - ROW_RETENTION),),
        )


def _reconcile_row(
    db: sqlite3.Connection, parcel: Parcel, file: Path | None, folder: Path, now: datetime
) -> None:
    """Bring a row into line with its file, or with there being none."""
    if file is None:
        if parcel.state in {"waiting", "refused"}:
            mark_lost(db, parcel, Message("outbox.file_missing"))
    elif parcel.state == "delivered":
        spool_files.move_to_sent(file)
    elif parcel.state == "lost":
        try:
            read(folder, parcel)
        except ParcelFileError:
            return
        log.warning("parcel %s: its file is there again", parcel.name)
        _requeue(db, parcel, now)


def _import_file(db: sqlite3.Connection, path: Path) -> None:
    """A whole file without a row: killed in between, or a database that had to be begun anew."""
    name, parcel_id = spool_files.parse_file_name(path)
    data = path.read_bytes()
    created_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    log.warning("parcel %s: found in the outbox, will be sent", name)
    _insert(db, Parcel(parcel_id, name, created_at, len(data), hashlib.sha256(data).hexdigest()))


def _requeue(db: sqlite3.Connection, parcel: Parcel, now: datetime) -> None:
    if parcel.state != "waiting":
        db.execute("UPDATE parcels SET state = 'waiting', attempts = 0 WHERE id = ?", (parcel.id,))
    db.execute(
        "UPDATE parcels SET next_at = ? WHERE state = 'waiting'"
        " AND sequence <= (SELECT sequence FROM parcels WHERE id = ?)",
        (database.to_ms(now), parcel.id),
    )


def _insert(db: sqlite3.Connection, parcel: Parcel) -> None:
    db.execute(
        "INSERT INTO parcels (id, name, created_at, size, digest, state) VALUES (?, ?, ?, ?, ?, 'waiting')",
        (parcel.id, parcel.name, database.to_ms(parcel.created_at), parcel.size, parcel.digest),
    )


def _query_one(db: sqlite3.Connection, query: str, *values: str) -> Parcel | None:
    found = _parse_rows(db.execute(query, values))
    return found[0] if found else None


def _error_columns(reason: str) -> tuple[str, str | None]:
    """Return the columns error and error_message."""
    text = database.clean_text(reason)
    return text, encode(text)


def _parse_rows(rows: Iterable[_ParcelRow]) -> list[Parcel]:
    return [_parse_parcel(row) for row in rows]


def _parse_parcel(row: _ParcelRow) -> Parcel:
    parcel_id, name, created_at, size, digest, state, attempts, next_at, error, delivered_at, code = row
    return Parcel(
        parcel_id,
        name,
        database.from_ms(created_at),
        size,
        digest,
        state,
        attempts,
        database.from_ms_or_none(next_at),
        error and decode(error, code),
        database.from_ms_or_none(delivered_at),
    )
