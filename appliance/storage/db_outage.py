"""A database that cannot be used now, on a full disk say: told once when that begins, once when it is over.

While it lasts little or nothing can be written, so the event may come later than what it tells of.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from appliance.domain.messages import message_of
from appliance.storage import database, events

log = logging.getLogger(__name__)

DATABASE_UNAVAILABLE = "database not usable"
RECOVERY_QUIET_S = 30.0  # without a failure: on a full disk small things may still find room now and then


class DatabaseOutage:
    """What one service meets; `with outage.survived():` around whatever may be tried again later."""

    def __init__(
        self,
        db: sqlite3.Connection,
        service: str,
        clock: Callable[[], datetime],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db, self._service, self._clock, self._monotonic = db, service, clock, monotonic
        self._failed_at = monotonic()
        before = [
            each
            for each in events.list_ongoing(db)
            if (each.kind, each.subject) == (DATABASE_UNAVAILABLE, service)
        ]
        self._began = before[0].begun_at if before else None  # told by a process that has ended since
        self._text = before[0].text if before else ""

    @contextmanager
    def tolerate(self) -> Iterator[None]:
        try:
            yield
        except database.DatabaseUnavailableError as error:
            self._handle_failure(message_of(error))
        else:
            self._handle_success()

    def _handle_failure(self, text: str) -> None:
        self._failed_at = self._monotonic()
        if self._began is None:
            self._began, self._text = self._clock(), text
            log.error("%s", text)
        with suppress(database.DatabaseUnavailableError):
            self._record_event()

    def _handle_success(self) -> None:
        """Over when nothing failed for a while, and something can be written: this may only have read."""
        if self._began is None:
            return
        try:
            self._record_event()
            if self._monotonic() - self._failed_at < RECOVERY_QUIET_S:
                return
            events.end(self._db, DATABASE_UNAVAILABLE, self._service, self._clock())
        except database.DatabaseUnavailableError:
            return
        log.info("the database can be used again")
        self._began = None

    def _record_event(self) -> None:
        began, now = self._began, self._clock()
        if began is not None:
            events.begin(self._db, DATABASE_UNAVAILABLE, self._service, self._text, min(began, now))
