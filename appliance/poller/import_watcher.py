"""Watch the file of an import list and apply it whenever it changes."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from appliance.domain.messages import Message, message_of
from appliance.host import file_lock
from appliance.jobs import csv_import
from appliance.jobs.csv_import import ImportFileError, ImportList, ImportRejectedError
from appliance.settings.schema import Home, ImportConfig, SettingsError
from appliance.storage import events
from appliance.storage.printers import PrinterSummary

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 30.0
UNREADABLE_GRACE_S = 3600.0  # a share's server may restart in between without an event
EVENT_SUBJECT = "watched import list"
REJECTED_EVENT_KIND, SKIPPED_LINES_EVENT_KIND = "import refused", "import lines"


class ImportWatcher:
    """Watch the import list for the poller; `check` may be called at any rate."""

    def __init__(
        self,
        home: Home,
        db: sqlite3.Connection,
        *,
        reader: Callable[[Path, Path | None], ImportList] = csv_import.read_list,
        read_timeout_s: float = READ_TIMEOUT_S,
        unreadable_grace_s: float = UNREADABLE_GRACE_S,
    ) -> None:
        self._home, self._db = home, db
        self._read_file, self._read_timeout_s = reader, read_timeout_s
        self._unreadable_grace_s = unreadable_grace_s
        self._settings = ImportConfig()
        self._next_check_at = 0.0
        self._unreadable_since: float | None = None
        self._pending_read: asyncio.Future[ImportList] | None = None

    def check_immediately(self) -> None:
        """Read the file at the next check."""
        self._next_check_at = 0.0

    async def check(self, settings: ImportConfig, now: datetime) -> None:
        """Read the file if due, and apply it. Raise DatabaseUnavailableError."""
        if settings != self._settings:
            self._settings, self._unreadable_since = settings, None
            self.check_immediately()
            if not settings.path:
                self._end_events(now)
        if not settings.path or time.monotonic() < self._next_check_at:
            return
        self._next_check_at = time.monotonic() + settings.seconds
        try:
            listed = await self._read_list(settings)
        except ImportFileError as error:
            self._handle_unreadable(error, now)
        except ImportRejectedError as error:
            self._report_rejection(message_of(error), now)
        else:
            self._unreadable_since = None
            self._apply_list(listed, settings, now)

    async def _read_list(self, settings: ImportConfig) -> ImportList:
        """Read the list; raise ImportRejectedError. A share that hangs blocks one thread only."""
        if self._pending_read is None or self._pending_read.done():
            exclusions = Path(settings.exclusions) if settings.exclusions else None
            loop = asyncio.get_running_loop()
            self._pending_read = loop.run_in_executor(None, self._read_file, Path(settings.path), exclusions)
            self._pending_read.add_done_callback(_discard_exception)
        try:
            async with asyncio.timeout(self._read_timeout_s):
                return await asyncio.shield(self._pending_read)
        except TimeoutError:
            raise ImportFileError(
                Message("import.read_timeout", path=settings.path, seconds=f"{self._read_timeout_s:g}")
            ) from None

    def _apply_list(self, import_list: ImportList, settings: ImportConfig, now: datetime) -> None:
        try:
            http = (settings.http_username, settings.http_password)
            tried = csv_import.apply_list(
                self._db,
                self._home,
                import_list,
                now,
                http_credentials=http,
                dry_run=True,
                may_drop=_failed_last_poll,
            )
            if tried.changes.has_changes:
                csv_import.apply_list(
                    self._db, self._home, import_list, now, http_credentials=http, may_drop=_failed_last_poll
                )
                log.info("import list %s: %s", settings.path, csv_import.format_changes(tried.changes))
        except ImportRejectedError as error:
            self._report_rejection(Message("import.refused", path=settings.path, reason=error), now)
            return
        except SettingsError as error:
            self._report_rejection(Message("pair", first=settings.path, second=error.problems[0]), now)
            return
        except file_lock.LockBusyError as error:
            self._report_rejection(Message("pair", first=settings.path, second=error), now)
            return
        except OSError as error:  # such as a full disk: the settings are unchanged
            self._report_rejection(
                Message("import.settings_not_saved", path=settings.path, reason=error.strerror), now
            )
            return
        events.end(self._db, REJECTED_EVENT_KIND, EVENT_SUBJECT, now)
        if import_list.skipped_lines:
            self._begin_event(
                SKIPPED_LINES_EVENT_KIND,
                Message(
                    "pair",
                    first=settings.path,
                    second=csv_import.format_problems(import_list.problems, import_list.skipped_lines),
                ),
                now,
            )
        else:
            events.end(self._db, SKIPPED_LINES_EVENT_KIND, EVENT_SUBJECT, now)

    def _handle_unreadable(self, error: ImportFileError, now: datetime) -> None:
        moment = time.monotonic()
        if self._unreadable_since is None:
            self._unreadable_since = moment
            log.warning("import list: %s", error)
        if moment - self._unreadable_since >= self._unreadable_grace_s:
            self._report_rejection(message_of(error), now)

    def _report_rejection(self, text: str, now: datetime) -> None:
        self._begin_event(REJECTED_EVENT_KIND, text, now)

    def _begin_event(self, kind: str, text: str, now: datetime) -> None:
        if events.begin(self._db, kind, EVENT_SUBJECT, text, now):
            log.warning("%s: %s", kind, text)

    def _end_events(self, now: datetime) -> None:
        for kind in (REJECTED_EVENT_KIND, SKIPPED_LINES_EVENT_KIND):
            events.end(self._db, kind, EVENT_SUBJECT, now)


def _discard_exception(future: asyncio.Future[ImportList]) -> None:
    """Retrieve the exception of an abandoned read, so that it is not reported as unhandled."""
    if not future.cancelled():
        future.exception()


def _failed_last_poll(summary: PrinterSummary) -> bool:
    """Return True if a printer did not respond to its last poll.

    Only such printers may be dropped: a Plug that was itself switched off for days has polled none.
    """
    return summary.failed_at is not None
