"""The import list that a file elsewhere is the master of: taken over whenever it says something new."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from appliance.host import file_lock
from appliance.jobs import csv_import
from appliance.jobs.csv_import import ImportList, Refused, Unreadable
from appliance.settings.schema import BadSettings, Home, ImportConfig
from appliance.storage import events
from appliance.storage.printer_list import PrinterSummary

log = logging.getLogger(__name__)

READ_SECONDS = 30.0
UNREADABLE_AFTER = 3600.0  # seconds: a share's server may be started anew without anybody being told
SUBJECT = "watched import list"
REFUSED, BAD_LINES = "import refused", "import lines"  # kinds of events


class WatchedList:
    """For the poller: `look` as often as you like."""

    def __init__(
        self,
        home: Home,
        db: sqlite3.Connection,
        *,
        read: Callable[[Path, Path | None], ImportList] = csv_import.read,
        read_seconds: float = READ_SECONDS,
        unreadable_after: float = UNREADABLE_AFTER,
    ) -> None:
        self._home, self._db = home, db
        self._read_file, self._read_seconds = read, read_seconds
        self._unreadable_after = unreadable_after
        self._settings = ImportConfig()
        self._next = 0.0
        self._unreadable_since: float | None = None
        self._reading: asyncio.Future[ImportList] | None = None

    def hurry(self) -> None:
        """Look at it at the next opportunity."""
        self._next = 0.0

    async def look(self, settings: ImportConfig, now: datetime) -> None:
        """Read the file if it is time to, and take over what it says. Raises database.Unusable."""
        if settings != self._settings:
            self._settings, self._unreadable_since = settings, None
            self.hurry()
            if not settings.path:
                self._over(now)
        if not settings.path or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + settings.seconds
        try:
            listed = await self._read(settings)
        except Unreadable as error:
            self._unreadable(error, now)
        except Refused as error:
            self._refused(str(error), now)
        else:
            self._unreadable_since = None
            self._take_over(listed, settings, now)

    async def _read(self, settings: ImportConfig) -> ImportList:
        """Raises Refused. A share that hangs keeps one thread, not one more with every look."""
        if self._reading is None or self._reading.done():
            exclusions = Path(settings.exclusions) if settings.exclusions else None
            loop = asyncio.get_running_loop()
            self._reading = loop.run_in_executor(None, self._read_file, Path(settings.path), exclusions)
            self._reading.add_done_callback(_heard)
        try:
            async with asyncio.timeout(self._read_seconds):
                return await asyncio.shield(self._reading)
        except TimeoutError:
            raise Unreadable(f"{settings.path}: cannot be read within {self._read_seconds:g} s") from None

    def _take_over(self, listed: ImportList, settings: ImportConfig, now: datetime) -> None:
        try:
            http = (settings.http_username, settings.http_password)
            tried = csv_import.run(self._db, self._home, listed, now, http=http, dry_run=True, counts=_fails)
            if tried.changes.has_changes:
                csv_import.run(self._db, self._home, listed, now, http=http, counts=_fails)
                log.info("import list %s: %s", settings.path, csv_import.told(tried.changes))
        except Refused as error:
            self._refused(f"{settings.path}: {error}; import it by hand to insist", now)
            return
        except BadSettings as error:
            self._refused(f"{settings.path}: {error.problems[0]}", now)
            return
        except file_lock.Busy as error:
            self._refused(f"{settings.path}: {error}", now)
            return
        except OSError as error:  # such as a full disk: the settings are as they were
            self._refused(f"{settings.path}: the settings cannot be saved: {error.strerror}", now)
            return
        events.end(self._db, REFUSED, SUBJECT, now)
        if listed.bad:
            self._say(
                BAD_LINES, f"{settings.path}: {csv_import.told_problems(listed.problems, listed.bad)}", now
            )
        else:
            events.end(self._db, BAD_LINES, SUBJECT, now)

    def _unreadable(self, error: Unreadable, now: datetime) -> None:
        moment = time.monotonic()
        if self._unreadable_since is None:
            self._unreadable_since = moment
            log.warning("import list: %s", error)
        if moment - self._unreadable_since >= self._unreadable_after:
            self._refused(str(error), now)

    def _refused(self, text: str, now: datetime) -> None:
        self._say(REFUSED, text, now)

    def _say(self, kind: str, text: str, now: datetime) -> None:
        if events.begin(self._db, kind, SUBJECT, text, now):
            log.warning("%s: %s", kind, text)

    def _over(self, now: datetime) -> None:
        for kind in (REFUSED, BAD_LINES):
            events.end(self._db, kind, SUBJECT, now)


def _heard(reading: asyncio.Future[ImportList]) -> None:
    """Nobody may wait any more for what a slow share gives in the end."""
    if not reading.cancelled():
        reading.exception()


def _fails(line: PrinterSummary) -> bool:
    """Whether a printer did not answer the last time that it was asked.

    Nobody looks on here, and a Plug that was switched off itself for two days has not seen anybody.
    """
    return line.failed_at is not None
