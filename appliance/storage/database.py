"""One SQLite file that several processes share: opened, brought up to date, written in whole transactions."""

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.domain.messages import Message, encode_columns

log = logging.getLogger(__name__)

# The n-th script makes version n of the version before: append, never change one that shipped.
MIGRATION_SCRIPTS = (
    "schema.sql",
    "002_traps.sql",
    "003_counters.sql",
    "004_beside.sql",
    "005_remarks.sql",
    "006_messages.sql",
)

BUSY_TIMEOUT_S = 10.0  # transactions last milliseconds: whoever waits longer has met a stopped process
MAX_DAMAGED_COPIES = 3  # kept aside for whoever wants to look; a dying card must not fill itself with them
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
MAX_SQLITE_INTEGER = 2**63 - 1  # a device may report more

_DAMAGE_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_ERROR_TEXTS = {
    sqlite3.SQLITE_CORRUPT: Message("database.damaged"),
    sqlite3.SQLITE_NOTADB: Message("database.damaged"),
    sqlite3.SQLITE_FULL: Message("database.full"),
    sqlite3.SQLITE_READONLY: Message("database.read_only"),
    sqlite3.SQLITE_PERM: Message("database.no_permission"),
    sqlite3.SQLITE_CANTOPEN: Message("database.cannot_open"),
    sqlite3.SQLITE_IOERR: Message("database.io_error"),
    sqlite3.SQLITE_BUSY: Message("database.locked"),
    sqlite3.SQLITE_LOCKED: Message("database.locked"),
}


class DatabaseUnavailableError(Exception):
    """The database cannot be read or written now; the message is one clear line."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the database at `path`, made or migrated if need be; raise Unusable.

    A damaged file is set aside beside the new one that is begun in its place, and an event tells of it.
    """
    try:
        with _open_lock(path):
            return _open_or_replace(path)
    except OSError as error:
        raise DatabaseUnavailableError(
            Message("database.path_unopenable", path=path, reason=error.strerror)
        ) from error
    except sqlite3.DatabaseError as error:
        raise DatabaseUnavailableError(
            Message("database.problem", path=path, problem=_error_text(error) or error)
        ) from error


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Everything in the block is kept, or nothing; inside another transaction it becomes part of that one.

    Never await in it: it holds the one write lock. Raises Unusable for what the disk or another process does.
    """
    with _translate_errors(db):
        if db.in_transaction:
            yield from _transaction_steps(
                db, "SAVEPOINT part", "RELEASE part", "ROLLBACK TO part; RELEASE part"
            )
        else:
            yield from _transaction_steps(db, "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Everything read in the block is of one moment. Raises Unusable as `transaction` does."""
    with _translate_errors(db):
        if db.in_transaction:
            yield
        else:
            yield from _transaction_steps(db, "BEGIN", "COMMIT", "ROLLBACK")


def _transaction_steps(db: sqlite3.Connection, begin: str, commit: str, rollback: str) -> Iterator[None]:
    db.execute(begin)
    try:
        yield
        db.execute(commit)
    except BaseException:
        if db.in_transaction:  # SQLite itself has rolled back where the disk was full
            for statement in rollback.split(";"):
                db.execute(statement)
        raise


def get_data_version(db: sqlite3.Connection) -> int:
    """Moves when another connection writes. Raises Unusable."""
    with _translate_errors(db):
        return int(db.execute("PRAGMA data_version").fetchone()[0])


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 in UTC, as every time is stored."""
    return (moment - EPOCH) // MILLISECOND  # raises for a time without a zone


def from_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def from_ms_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)


def clean_text(text: str) -> str:
    """Text from a device may hold half a surrogate pair, which no database takes."""
    clean = text.encode("utf-8", "replace").decode()
    return text if clean == text else clean  # a Message stays one


def migrate(db: sqlite3.Connection, scripts: Sequence[str]) -> None:
    """Run the scripts that this database has not seen; each is one transaction with its version number."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    for number, script in enumerate(scripts[version:], start=version + 1):
        try:
            db.executescript(f"BEGIN IMMEDIATE;\n{script}\n;PRAGMA user_version = {number}; COMMIT")
        except sqlite3.DatabaseError:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _open_or_replace(path: Path) -> sqlite3.Connection:
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if _primary_code(error) not in _DAMAGE_CODES:
            raise
        aside = _move_damaged_aside(path)
        text = Message("database.replaced", name=path.name, reason=error, copy=aside.name)
    log.error("%s", text)
    db = _connect(path)
    moment = to_ms(datetime.now(UTC))
    db.execute(
        "INSERT INTO events (kind, subject, text, code, params, begun_at, ended_at)"
        " VALUES ('database', ?, ?, ?, ?, ?, ?)",
        (path.name, text, *encode_columns(text), moment, moment),
    )
    return db


def _connect(path: Path) -> sqlite3.Connection:
    if not path.exists():  # and only then: closing a second descriptor would drop SQLite's own locks
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA journal_size_limit = 4194304")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # the first look that meets damage
        _check_suspect_file(db, path)
        migrate(db, [Path(__file__).with_name(name).read_text() for name in MIGRATION_SCRIPTS])
    except BaseException:
        db.close()
        raise
    return db


def _check_suspect_file(db: sqlite3.Connection, path: Path) -> None:
    """Read the whole file, which takes a while, only where its last use met damage."""
    if not _suspect_marker(path).exists():
        return
    verdict: str = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        error = sqlite3.DatabaseError(verdict.splitlines()[0])
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error
    _suspect_marker(path).unlink()


def _move_damaged_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    for suffix in ("-wal", "-shm", ""):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{aside}{suffix}")
    _suspect_marker(path).unlink(missing_ok=True)
    copies = sorted(path.parent.glob(f"{path.name}.damaged-*"))
    stamps = sorted({copy.name.removesuffix("-wal").removesuffix("-shm") for copy in copies})
    for copy in copies:
        if not copy.name.startswith(tuple(stamps[-MAX_DAMAGED_COPIES:])):
            copy.unlink()
    return aside


@contextmanager
def _open_lock(path: Path) -> Iterator[None]:
    """Hold off other processes that open the same database: making and setting aside happen once."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DatabaseUnavailableError(Message("database.path_locked", path=path)) from None
                time.sleep(0.01)
        yield
    finally:
        os.close(lock)


@contextmanager
def _translate_errors(db: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        trouble = _error_text(error)
        if trouble is None:
            raise  # a mistake of ours
        path = Path(db.execute("PRAGMA database_list").fetchone()[2])
        if _primary_code(error) in _DAMAGE_CODES:
            _suspect_marker(path).touch()
        raise DatabaseUnavailableError(Message("database.problem", path=path, problem=trouble)) from error


def _error_text(error: sqlite3.Error) -> str | None:
    return _ERROR_TEXTS.get(_primary_code(error))


def _primary_code(error: sqlite3.Error) -> int:
    """The primary result code: extended ones carry more in their higher bytes."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _suspect_marker(path: Path) -> Path:
    return Path(f"{path}.suspect")
