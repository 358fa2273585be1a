"""A database that cannot be used now, on a full disk say: told once when that begins, once when it is over.

While it lasts little or nothing can be written, so the event may come later than what it tells of.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from appliance.storage import database, events

log = logging.getLogger(__name__)

KIND = "database not usable"
CALM_SECONDS = 30.0  # without a failure: on a full disk small things may still find room now and then


class Outage:
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
        before = [each for each in events.going_on(db) if (each.kind, each.subject) == (KIND, service)]
        self._began = before[0].begun_at if before else None  # told by a process that has ended since
        self._text = before[0].text if before else ""

    @contextmanager
    def survived(self) -> Iterator[None]:
        try:
            yield
        except database.Unusable as error:
            self._failed(str(error))
        else:
            self._went_well()

    def _failed(self, text: str) -> None:
        self._failed_at = self._monotonic()
        if self._began is None:
            self._began, self._text = self._clock(), text
            log.error("%s", text)
        with suppress(database.Unusable):
            self._tell()

    def _went_well(self) -> None:
        """Over when nothing failed for a while, and something can be written: this may only have read."""
        if self._began is None:
            return
        try:
            self._tell()
            if self._monotonic() - self._failed_at < CALM_SECONDS:
                return
            events.end(self._db, KIND, self._service, self._clock())
        except database.Unusable:
            return
        log.info("the database can be used again")
        self._began = None

    def _tell(self) -> None:
        began, now = self._began, self._clock()
        if began is not None:
            events.begin(self._db, KIND, self._service, self._text, min(began, now))
